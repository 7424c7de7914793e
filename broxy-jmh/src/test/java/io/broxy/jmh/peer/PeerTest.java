package io.broxy.jmh.peer;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.core.testkit.Certificates;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies that each peer does all of the work before its time counts: a peer that loses bytes would be fast. */
class PeerTest {
    private static final int PATIENCE_MILLIS = 20_000;

    private static PeerProxy started(Peer peer) throws Exception {
        return started(peer, 0);
    }

    private static PeerProxy started(Peer peer, int port) throws Exception {
        peer.unavailable().ifPresent(reason -> assumeTrue(false, peer.label() + ": " + reason));
        return peer.start(port);
    }

    /** Holds a port, so that no other process takes it, for a server that lets itself be bound beside what does not listen. */
    private static Socket holder() throws IOException {
        Socket holder = new Socket();
        holder.setReuseAddress(true);
        holder.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return holder;
    }

    private static ServerSocket listening() throws IOException {
        return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    private static Socket connected(PeerProxy proxy) throws IOException {
        Socket client = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        client.setSoTimeout(PATIENCE_MILLIS);
        return client;
    }

    private static String readHead(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("ended after " + head);
            }
            head.append((char) next);
        }
        return head.toString();
    }

    /** Accepts one client, takes all that it sends, and sends it back when it has ended. */
    private static CompletableFuture<Void> echoAtTheEnd(ServerSocket server) {
        return CompletableFuture.runAsync(() -> {
            try (Socket client = server.accept()) {
                client.setSoTimeout(PATIENCE_MILLIS);
                client.getOutputStream().write(client.getInputStream().readAllBytes());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** Without LittleProxy and Vert.x, which close a tunnel as soon as one side has ended its stream. */
    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"LITTLEPROXY", "VERTX"})
    void tunnelCarriesBothStreamsToTheirEnds(Peer peer) throws Exception {
        byte[] payload = new byte[3_000_000];
        new Random(1).nextBytes(payload);
        try (ServerSocket server = listening();
                PeerProxy proxy = started(peer);
                Socket client = connected(proxy)) {
            CompletableFuture<Void> origin = echoAtTheEnd(server);
            connect(client, server.getLocalPort());

            client.getOutputStream().write(payload);
            client.shutdownOutput();

            assertThat(client.getInputStream().readAllBytes()).isEqualTo(payload);
            origin.join();
        }
    }

    @ParameterizedTest
    @EnumSource
    void tunnelCarriesBytesBothWays(Peer peer) throws Exception {
        byte[] payload = new byte[15_360];
        new Random(2).nextBytes(payload);
        try (ServerSocket server = listening();
                PeerProxy proxy = started(peer);
                Socket client = connected(proxy)) {
            CompletableFuture<Void> origin = CompletableFuture.runAsync(() -> {
                try (Socket accepted = server.accept()) {
                    accepted.setSoTimeout(PATIENCE_MILLIS);
                    accepted.getOutputStream().write(accepted.getInputStream().readNBytes(payload.length));
                    accepted.getInputStream().readAllBytes();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            connect(client, server.getLocalPort());

            client.getOutputStream().write(payload);

            assertThat(client.getInputStream().readNBytes(payload.length)).isEqualTo(payload);
            client.close();
            origin.join();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BROXY", "NETTY_NIO", "NETTY_EPOLL", "BLOCKING", "VTHREAD"})
    void tunnelWithinTlsCarriesBytesBothWays(Peer peer) throws Exception {
        Certificates certificates = Certificates.loopback();
        byte[] payload = new byte[100_000];
        new Random(3).nextBytes(payload);
        peer.unavailable().ifPresent(reason -> assumeTrue(false, peer.label() + ": " + reason));
        try (ServerSocket server = listening();
                PeerProxy proxy = peer.start(0, certificates.server());
                Socket client = certificates
                        .client()
                        .getSocketFactory()
                        .createSocket(InetAddress.getLoopbackAddress(), proxy.port())) {
            client.setSoTimeout(PATIENCE_MILLIS);
            CompletableFuture<Void> origin = echoAtTheEnd(server);
            connect(client, server.getLocalPort());

            client.getOutputStream().write(payload);
            client.shutdownOutput();

            assertThat(client.getInputStream().readAllBytes()).isEqualTo(payload);
            origin.join();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"JETTY", "LITTLEPROXY", "VERTX"})
    void peersThatAreMeasuredWithoutTlsSaySo(Peer peer) {
        assertThatThrownBy(() -> peer.start(0, Certificates.loopback().server()))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining(peer.label());
    }

    private static void connect(Socket client, int port) throws IOException {
        String target = "127.0.0.1:" + port;
        client.getOutputStream()
                .write(("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n").getBytes(US_ASCII));
        assertThat(readHead(client.getInputStream())).startsWith("HTTP/1.1 200 ");
    }

    /** The peers only: what Broxy does with plain HTTP, its own tests say. */
    @ParameterizedTest
    @EnumSource(names = {"NETTY_NIO", "NETTY_EPOLL", "JETTY", "LITTLEPROXY", "VERTX"})
    void plainHttpIsForwardedOverAKeptConnection(Peer peer) throws Exception {
        try (ServerSocket server = listening();
                PeerProxy proxy = started(peer);
                Socket client = connected(proxy)) {
            CompletableFuture<Void> origin = CompletableFuture.runAsync(() -> {
                try (Socket accepted = server.accept()) {
                    accepted.setSoTimeout(PATIENCE_MILLIS);
                    for (int i = 0; i < 3; i++) {
                        assertThat(readHead(accepted.getInputStream())).startsWith("GET /path HTTP/1.1\r\n");
                        accepted.getOutputStream()
                                .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK".getBytes(US_ASCII));
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            String target = "127.0.0.1:" + server.getLocalPort();
            for (int i = 0; i < 3; i++) {
                client.getOutputStream()
                        .write(("GET http://" + target + "/path HTTP/1.1\r\nHost: " + target + "\r\n\r\n")
                                .getBytes(US_ASCII));

                assertThat(readHead(client.getInputStream())).startsWith("HTTP/1.1 200 ");
                assertThat(client.getInputStream().readNBytes(2)).isEqualTo("OK".getBytes(US_ASCII));
            }
            origin.join();
        }
    }

    /** Some of them close their ports behind the call, on a thread of their own. */
    @ParameterizedTest
    @EnumSource
    void nothingListensWhenItIsClosed(Peer peer) throws Exception {
        try (Socket holder = holder()) {
            PeerProxy proxy = started(peer, holder.getLocalPort());
            try (Socket client = connected(proxy)) {
                assertThat(client.getPort()).isEqualTo(holder.getLocalPort());
            }
            proxy.close();

            await().atMost(Duration.ofMillis(PATIENCE_MILLIS))
                    .untilAsserted(() -> assertThatThrownBy(
                                    () -> new Socket(InetAddress.getLoopbackAddress(), holder.getLocalPort()).close())
                            .isInstanceOf(ConnectException.class));
        }
    }

    @Test
    void peersAreFoundByTheirNames() {
        assertThat(Peer.labels())
                .containsExactly(
                        "broxy", "netty-nio", "netty-epoll", "jetty", "littleproxy", "vertx", "blocking", "vthread")
                .allSatisfy(label -> assertThat(Peer.named(label).label()).isEqualTo(label));
        assertThatThrownBy(() -> Peer.named("squid"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("netty-nio");
    }

    @Test
    void virtualThreadsAreMissingOnOlderJavaOnly() {
        assertThat(Peer.VTHREAD.unavailable().isPresent())
                .isEqualTo(Runtime.version().feature() < 21);
    }
}
