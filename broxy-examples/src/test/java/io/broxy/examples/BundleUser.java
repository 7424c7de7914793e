package io.broxy.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import java.nio.channels.Channels;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;

/** The only class of a bundle: reads what an origin on the loopback says, and finds out which logger there is. */
public final class BundleUser implements Callable<String> {
    private final int port;

    public BundleUser(int port) {
        this.port = port;
    }

    @Override
    public String call() throws Exception {
        try (Broxy broxy = Broxy.create();
                Connection connection = broxy.directDialer().build().dial(HostPort.of("127.0.0.1", port))) {
            String greeting = new String(Channels.newInputStream(connection).readAllBytes(), US_ASCII);
            return greeting + ", with "
                    + LoggerFactory.getLogger(BundleUser.class).getClass().getSimpleName();
        }
    }
}
