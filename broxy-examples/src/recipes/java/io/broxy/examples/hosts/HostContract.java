package io.broxy.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.AddressPolicy;
import io.broxy.Cidr;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies what clients of a host server may expect of its tunnels; each host server has a subclass. */
@ExtendWith(LeakCheck.class)
abstract class HostContract {
    /** A port of the loopback that the system chooses. */
    static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final int MANY = 200;

    private Path folder;
    private Broxy broxy;
    private ProxyHandler handler;
    private Host host;
    /** What the TLS of the last client is layered over. */
    private @Nullable Socket below;

    /** A host server that runs, and answers {@code GET} with {@code hello}. */
    record Host(InetSocketAddress address, End end) {
        /** One that listens at a port of the loopback. */
        static Host at(int port, End end) {
            return new Host(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), end);
        }
    }

    /** Stops a host server. */
    interface End {
        void end() throws Exception;
    }

    /** Starts the host server at a free port of the loopback. */
    abstract Host start(Broxy engine, ProxyHandler tunnels) throws Exception;

    /** A folder that is deleted after the test. */
    final Path folder() {
        return folder;
    }

    /** Whether one connection may carry other requests and then a CONNECT. */
    boolean keepsConnectionBeforeConnect() {
        return true;
    }

    /** Whether the server notices that a client is reset. */
    boolean seesResets() {
        return true;
    }

    /** The certificates of a host server with TLS; null without. */
    @Nullable
    Certificates certificates() {
        return null;
    }

    /** A client that is connected. */
    private Peer client() throws Exception {
        Certificates certificates = certificates();
        if (certificates == null) {
            return Peer.connect(host.address());
        }
        Socket plain = new Socket(host.address().getAddress(), host.address().getPort());
        below = plain;
        return new Peer(
                certificates.client().getSocketFactory().createSocket(plain, "127.0.0.1", plain.getPort(), true));
    }

    @BeforeEach
    void startAll(@TempDir Path temporary) throws Exception {
        folder = temporary;
        broxy = Broxy.builder().eventLoops(2).build();
        handler = broxy.proxyHandler()
                .addressPolicy(AddressPolicy.allowing(Cidr.parse("127.0.0.0/8")))
                .build();
        host = start(broxy, handler);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        try {
            await().atMost(PATIENCE).untilAsserted(() -> {
                assertThat(handler.stats().openConnections()).isZero();
                assertThat(handler.stats().openTunnels()).isZero();
            });
        } finally {
            host.end().end();
            broxy.close();
        }
    }

    private Peer connect(HostPort target) throws Exception {
        Peer client = client().send(Proxy.connectHead(target));
        expectOpen(client);
        return client;
    }

    private static void expectOpen(Peer client) throws IOException {
        assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void earlyBytesReachTheOriginFirst() throws Exception {
        try (Origin origin = Origin.echo();
                Peer client = client()) {
            client.send(Proxy.connectHead(origin.target()) + "early ");
            expectOpen(client);

            client.send("late");
            assertThat(client.readText(10)).isEqualTo("early late");
        }
    }

    @Test
    void anOriginThatSpeaksFirstIsHeard() throws Exception {
        try (Origin origin = Origin.greeting("welcome");
                Peer client = connect(origin.target())) {
            assertThat(client.readText(7)).isEqualTo("welcome");
        }
    }

    @Test
    void anOriginMayAnswerBehindTheEndOfTheClientsStream() throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("all of it: " + peer.readAll()));
                Peer client = connect(origin.target())) {
            client.send("sent").shutdownOutput();
            assertThat(client.readAll()).isEqualTo("all of it: sent");
        }
    }

    @Test
    void muchDataPassesBothWays() throws Exception {
        byte[] much = Payload.bytes(3 << 20, 17);
        try (Origin origin = Origin.echo();
                Peer client = connect(origin.target())) {
            Thread writer = new Thread(() -> {
                try {
                    client.send(much).shutdownOutput();
                } catch (IOException e) {
                    // the reader fails, too
                }
            });
            writer.start();
            assertThat(client.read(much.length)).isEqualTo(much);
            client.expectEnd();
            writer.join();
        }
    }

    @Test
    void aTargetThatIsNotAllowedIs403() throws Exception {
        try (Peer client = client().send(Proxy.connectHead(HostPort.of("10.1.2.3", 443)))) {
            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 403 ")
                    .containsIgnoringCase("Proxy-Status: Broxy; error=destination_ip_prohibited");
        }
    }

    @Test
    void aTargetThatRefusesIs502() throws Exception {
        try (Peer client = client().send(Proxy.connectHead(HeldPort.refusing()))) {
            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 502 ")
                    .containsIgnoringCase("Proxy-Status: Broxy; error=connection_refused");
        }
    }

    @Test
    void theHostServesItsOwnRequests() throws Exception {
        try (Peer client = client()) {
            get(client);
            get(client);
        }
    }

    @Test
    void aConnectMayFollowOtherRequests() throws Exception {
        assumeTrue(keepsConnectionBeforeConnect(), "the first request decides where the connection goes");
        try (Origin origin = Origin.echo();
                Peer client = client()) {
            get(client);
            get(client);

            client.send(Proxy.connectHead(origin.target()) + "early");
            expectOpen(client);
            assertThat(client.readText(5)).isEqualTo("early");
        }
    }

    private static void get(Peer client) throws IOException {
        client.send("GET /hello HTTP/1.1\r\nHost: host.example\r\n\r\n");
        String head = client.readHead();
        assertThat(head).startsWith("HTTP/1.1 200");
        if (head.toLowerCase(Locale.ROOT).contains("transfer-encoding: chunked")) {
            assertThat(client.readLine()).isEqualTo("6");
            assertThat(client.readText(6)).isEqualTo("hello\n");
            assertThat(client.readText(7)).isEqualTo("\r\n0\r\n\r\n");
        } else {
            assertThat(client.readText(6)).isEqualTo("hello\n");
        }
    }

    @Test
    void aClientThatIsResetResetsTheOrigin() throws Exception {
        assumeTrue(seesResets(), "the server takes a reset for the end of the stream");
        CountDownLatch reset = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.send("x");
                    try {
                        peer.readAll();
                    } catch (IOException e) {
                        reset.countDown();
                    }
                });
                Peer client = connect(origin.target())) {
            client.read(1);

            Socket plain = below;
            if (plain == null) {
                client.reset();
            } else { // a TLS socket of the JDK closes in order
                plain.setSoLinger(true, 0);
                plain.close();
            }

            assertThat(reset.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        }
    }

    @Test
    void anOriginThatIsResetResetsTheClient() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.read(1);
                    peer.reset();
                });
                Peer client = connect(origin.target())) {
            client.send("x");
            client.expectReset();
        }
    }

    @Test
    void manyTunnelsAreOpenAtOnce() throws Exception {
        List<Peer> clients = new ArrayList<>();
        try (Origin origin = Origin.echo()) {
            for (int i = 0; i < MANY; i++) {
                Peer client = client();
                clients.add(client);
                client.send(Proxy.connectHead(origin.target()) + "tunnel " + i);
            }
            for (int i = 0; i < MANY; i++) {
                expectOpen(clients.get(i));
                assertThat(clients.get(i).readText(("tunnel " + i).length())).isEqualTo("tunnel " + i);
            }
            await().atMost(PATIENCE).until(() -> handler.activeTunnels().size() == MANY);
            for (Peer client : clients) {
                client.shutdownOutput();
            }
            for (Peer client : clients) {
                client.expectEnd();
            }
        } finally {
            for (Peer client : clients) {
                client.close();
            }
        }
    }
}
