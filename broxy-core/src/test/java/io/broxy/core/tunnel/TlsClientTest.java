package io.broxy.core.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Client.Form;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Specifies tunnels of an embedder that terminates TLS: its clients send CONNECT within TLS, over an {@code
 * SSLSocket}.
 */
@ExtendWith(LeakCheck.class)
class TlsClientTest {

    @ParameterizedTest
    @EnumSource(names = {"TLS12", "TLS13"})
    void megabytesGoBothWaysAtOnce(Form form) throws Exception {
        long count = 4 << 20;
        CompletableFuture<String> atOrigin = new CompletableFuture<>();
        CompletableFuture<String> sentByOrigin = new CompletableFuture<>();
        CompletableFuture<String> sentByClient = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    Thread writer = new Thread(() -> {
                        try {
                            sentByOrigin.complete(Payload.write(peer.socket().getOutputStream(), count, 1));
                            peer.shutdownOutput();
                        } catch (IOException e) {
                            sentByOrigin.completeExceptionally(e);
                        }
                    });
                    writer.start();
                    atOrigin.complete(Payload.read(peer.socket().getInputStream()));
                    writer.join();
                });
                Proxy proxy = Proxy.start();
                Client client = form.ask(proxy.handler(), origin.target())) {
            client.peer().readHead();
            Thread writer = new Thread(() -> {
                try {
                    sentByClient.complete(Payload.write(client.peer().socket().getOutputStream(), count, 2));
                } catch (IOException e) {
                    sentByClient.completeExceptionally(e);
                }
            });
            writer.start();
            byte[] received = client.peer().read((int) count);
            writer.join();
            client.peer().shutdownOutput();

            assertThat(Payload.read(new ByteArrayInputStream(received))).isEqualTo(sentByOrigin.join());
            assertThat(atOrigin.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isEqualTo(sentByClient.join());
            client.close();
            TunnelResult result = client.tunnel().join();
            Ends.assertEnded(result, CloseReason.FINISHED);
            assertThat(result.bytesToOrigin()).isEqualTo(count);
            assertThat(result.bytesToClient()).isEqualTo(count);
        }
    }

    @Test
    void halfCloseIsCarriedOverByTls13() throws Exception {
        byte[] late = Payload.bytes(1 << 20, 5);
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readAll()).isEqualTo("request");
                    peer.send(late);
                });
                Proxy proxy = Proxy.start();
                Client client = Form.TLS13.ask(proxy.handler(), origin.target())) {
            client.peer().readHead();
            client.peer().send("request").shutdownOutput();

            assertThat(client.peer().read(late.length)).isEqualTo(late);
            client.peer().expectEnd();
            Ends.assertEnded(client.tunnel().join(), CloseReason.FINISHED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TLS12", "TLS13"})
    void theEndOfTheOriginReachesTheClient(Form form) throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.send("all there is").shutdownOutput();
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Client client = form.ask(proxy.handler(), origin.target())) {
            client.peer().readHead();

            assertThat(client.peer().readAll()).isEqualTo("all there is");
            client.close();
            assertThat(client.tunnel().join().reason()).isEqualTo(CloseReason.FINISHED);
        }
    }

    /** TLS 1.2 has no half-close: a side that ends its stream has closed, and bytes that arrive for it afterwards are discarded. */
    @Test
    void aTls12ClientThatEndsLetsTheOriginEndToo() throws Exception {
        CompletableFuture<String> received = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    received.complete(peer.readAll());
                    peer.send(Payload.bytes(1 << 20, 6));
                });
                Proxy proxy = Proxy.start();
                Client client = Form.TLS12.ask(proxy.handler(), origin.target())) {
            client.peer().readHead();
            client.peer().send("request").shutdownOutput();

            assertThat(received.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isEqualTo("request");
            assertThat(client.tunnel().join().reason()).isIn(CloseReason.FINISHED, CloseReason.CLIENT_RESET);
            assertThat(client.tunnel().join().bytesToOrigin()).isEqualTo(7);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TLS12", "TLS13"})
    void anOriginsResetEndsTheClient(Form form) throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.read(1);
                    peer.reset();
                });
                Proxy proxy = Proxy.start();
                Client client = form.ask(proxy.handler(), origin.target())) {
            client.peer().readHead();
            client.peer().send("x");

            TunnelResult result = client.tunnel().join();
            assertThat(result.reason()).isEqualTo(CloseReason.ORIGIN_RESET);
            assertThat(result.cause()).isInstanceOf(IOException.class);
            assertEnds(client.peer());
        }
    }

    /** The JDK takes the end of TCP for one of TLS unless com.sun.net.ssl.requireCloseNotify is set, so this must be a reset. */
    @Test
    void aClientsResetBelowTlsResetsTheOrigin() throws Exception {
        CompletableFuture<Boolean> originReset = new CompletableFuture<>();
        Certificates certificates = Certificates.loopback();
        try (Origin origin = Origin.start(peer -> {
                    peer.expectReset();
                    originReset.complete(true);
                });
                Proxy proxy = Proxy.start();
                ServerSocket server =
                        certificates.server().getServerSocketFactory().createServerSocket(0);
                Socket wire = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort());
                Peer client =
                        new Peer(certificates.client().getSocketFactory().createSocket(wire, "localhost", 1, true))) {
            Tunnel tunnel = proxy.handler().handleConnect(server.accept());
            client.send(Proxy.connectHead(origin.target())).readHead();

            wire.setSoLinger(true, 0);
            wire.close();

            assertThat(originReset.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            assertThat(tunnel.join().reason()).isEqualTo(CloseReason.CLIENT_RESET);
        }
    }

    private static void assertEnds(Peer peer) {
        try {
            peer.readAll();
        } catch (IOException e) {
            assertThat(e).isNotInstanceOf(SocketTimeoutException.class);
        }
    }
}
