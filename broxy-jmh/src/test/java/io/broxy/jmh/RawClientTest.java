package io.broxy.jmh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Specifies how the benchmarks' client reads responses, and which mismatches are failures. */
class RawClientTest {

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /** A client that has connected to a server which says that and ends. */
    private static RawClient hearing(String answer) throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<Void> said = CompletableFuture.runAsync(() -> {
                try (Socket client = server.accept()) {
                    client.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            RawClient client = new RawClient();
            client.connect(loopback(server.getLocalPort()));
            said.join();
            return client;
        }
    }

    @Test
    void headEndsAtTheEmptyLineAndWhatFollowsIsReadNext() throws IOException {
        try (RawClient client = hearing("HTTP/1.1 200 OK\r\nA: b\r\n\r\nOK")) {
            int length = client.readHead();

            assertThat(client.lastHead(length)).isEqualTo("HTTP/1.1 200 OK\r\nA: b\r\n\r\n");
            client.expect(RawClient.ascii("OK"));
        }
    }

    @Test
    void anyOtherStatusIsAFailureThatShowsIt() throws IOException {
        try (RawClient client = hearing("HTTP/1.1 501 Not Implemented\r\n\r\n")) {
            assertThatThrownBy(client::readHead).hasMessage("the proxy answered HTTP/1.1 501 Not Implemented");
        }
    }

    @Test
    void otherBytesThanExpectedAreAFailureThatShowsWhere() throws IOException {
        try (RawClient client = hearing("benchmark")) {
            assertThatThrownBy(() -> client.expect(RawClient.ascii("benchMark")))
                    .hasMessageContaining("from byte 5 on");
        }
    }

    @Test
    void anEndWithinTheHeadIsAFailure() throws IOException {
        try (RawClient client = hearing("HTTP/1.1 200 OK\r\n")) {
            assertThatThrownBy(client::readHead).isInstanceOf(EOFException.class);
        }
    }

    @Test
    void keptConnectionServesMoreAnswersThanTheBufferHolds() throws IOException {
        ByteBuffer get = RawClient.ascii("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        ByteBuffer body = RawClient.ascii("OK");
        try (LoopbackServer server = LoopbackServer.http();
                RawClient client = new RawClient()) {
            client.connect(loopback(server.port()));
            for (long bytes = 0; bytes < 300 << 10; bytes += body.capacity()) {
                client.send(get);
                bytes += client.readHead();
                client.expect(body);
            }
        }
    }

    @Test
    void skippingCountsWhatWasReadAlready() throws IOException {
        try (RawClient client = hearing("HTTP/1.1 200 OK\r\n\r\n12345")) {
            client.readHead();
            client.skip(5);

            assertThatThrownBy(() -> client.skip(1)).isInstanceOf(EOFException.class);
        }
    }
}
