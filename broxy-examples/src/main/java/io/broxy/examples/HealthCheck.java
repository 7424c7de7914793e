package io.broxy.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;

/**
 * Asks the admin address of a running mini-server whether it serves clients, for containers without any other client of HTTP.
 *
 * <p>Threading: stateless; blocks.
 */
final class HealthCheck {
    private static final int TIMEOUT_MILLIS = (int) Duration.ofSeconds(3).toMillis();
    private static final int LARGEST = 4_096;
    private static final String HEALTHY = "HTTP/1.1 200 ";

    private HealthCheck() {}

    /**
     * Returns if the server serves clients.
     *
     * @throws IOException if it does not, or gives no answer within some seconds; the message says which
     */
    static void run(ListenAddress admin) throws IOException {
        String answer;
        try (Socket socket = new Socket()) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            InetSocketAddress address = admin.resolve();
            socket.connect(address, TIMEOUT_MILLIS);
            String request = "GET /healthz HTTP/1.1\r\nHost: " + admin + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(US_ASCII));
            answer = firstLine(socket.getInputStream());
        } catch (IOException e) {
            throw new IOException("no answer from " + admin + ": " + e.getMessage(), e);
        }
        if (!answer.startsWith(HEALTHY)) {
            throw new IOException(admin + " does not serve clients: " + answer);
        }
    }

    private static String firstLine(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0 && c != '\n' && line.length() < LARGEST; c = in.read()) {
            line.append((char) c);
        }
        return line.toString().strip();
    }
}
