package io.broxy.jmh;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;

/**
 * One operation of the {@code HandleConnect} rows: connect to the proxy, CONNECT to an echo server, read the 200, write 15,360
 * bytes, read them back, close.
 *
 * <p>Threading: for one thread.
 */
final class Exchange {
    static final String PAYLOAD = "benchmark data ".repeat(1_024);

    private final RawClient client = new RawClient();
    private final ByteBuffer head;
    private final ByteBuffer payload = RawClient.ascii(PAYLOAD);

    Exchange(String target) throws IOException {
        head = RawClient.connectHead(target);
    }

    /** Runs the operation, and fails on an unexpected response. */
    void run(SocketAddress proxy) throws IOException {
        client.connect(proxy);
        try (client) {
            client.send(head);
            client.readHead();
            client.send(payload);
            client.expect(payload);
        }
    }
}
