package io.broxy.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.time.Duration;

/**
 * A client that dials a web server and asks it for its front page's head.
 *
 * <pre>java -cp broxy-mini-server.jar io.broxy.examples.DialExample HOST:PORT</pre>
 */
final class DialExample {
    private DialExample() {}

    /** Prints what the server answers, or why it could not be reached. */
    public static void main(String[] args) throws IOException {
        HostPort target = HostPort.parse(args.length > 0 ? args[0] : "example.org:80");
        try (Broxy broxy = Broxy.create()) {
            Dialer dialer = broxy.directDialer().timeout(Duration.ofSeconds(5)).build();
            try (Connection connection = dialer.dial(target)) {
                System.out.println("connected to " + target + " from " + connection.localAddress());
                talk(connection, target);
            }
        } catch (DialException e) {
            System.out.println(e.reason() + ": " + e.getMessage());
            System.exit(1);
        }
    }

    private static void talk(Connection connection, HostPort target) throws IOException {
        String request = "HEAD / HTTP/1.1\r\nHost: " + target + "\r\nConnection: close\r\n\r\n";
        connection.write(ByteBuffer.wrap(request.getBytes(US_ASCII)));
        Channels.newInputStream(connection).transferTo(System.out);
        System.out.flush();
    }
}
