package io.broxy.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Specifies the packaged mini-server at a socket that it inherits, as from systemd: what it serves, and that a restart refuses
 * and resets no client.
 */
@ExtendWith(LeakCheck.class)
@Timeout(120)
class SocketActivationIT {
    private static final String[] OPTIONS = {"--listen=inherited", "--allow-private", "--access-log"};

    @BeforeAll
    static void perl() {
        Daemon.program("perl");
    }

    private static int port(JarProcess server) throws InterruptedException {
        return Integer.parseInt(server.nextLine().substring("port ".length()));
    }

    private static Peer ask(int port, HostPort target) throws IOException {
        return Peer.connect(port).send(Proxy.connectHead(target));
    }

    private static void start(JarProcess server, String listening) throws Exception {
        server.startNext();
        assertThat(server.nextLine()).isEqualTo(listening);
    }

    @Test
    void aRestartRefusesAndResetsNoClient() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.activatedMiniServer("127.0.0.1", OPTIONS)) {
            int port = port(server);
            try (Peer early = ask(port, origin.target())) {
                start(server, "listening on 127.0.0.1:" + port);
                assertThat(early.readHead()).startsWith("HTTP/1.1 200 ");
                server.terminateActivated();
                early.shutdownOutput().expectEnd();
            }
            assertThat(server.nextLine()).isEqualTo("exit 0");
            List<Peer> waiting = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                waiting.add(ask(port, origin.target()));
            }

            start(server, "listening on 127.0.0.1:" + port);

            for (Peer client : waiting) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                client.close();
            }
        }
    }

    @Test
    void clientsThatComeAllTheTimeAreAllServedAcrossRestarts() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger served = new AtomicInteger();
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.activatedMiniServer("127.0.0.1", OPTIONS)) {
            int port = port(server);
            server.startNext();
            server.nextLine();
            CompletableFuture<?> clients = Background.run(() -> {
                while (!over.get()) {
                    try (Peer client = ask(port, origin.target())) {
                        assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                        served.incrementAndGet();
                    }
                }
            });
            for (int i = 0; i < 3; i++) {
                server.terminateActivated();
                assertThat(server.nextLine()).isEqualTo("exit 0");
                start(server, "listening on 127.0.0.1:" + port);
            }
            over.set(true);
            clients.get();
        }
        assertThat(served).hasPositiveValue();
    }

    @Test
    void standardErrorStaysOpenDuringTheDrain() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.activatedMiniServer("127.0.0.1", OPTIONS)) {
            int port = port(server);
            start(server, "listening on 127.0.0.1:" + port);
            try (Peer client = ask(port, origin.target())) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                server.terminateActivated();
                client.send("12345").shutdownOutput();
                assertThat(client.readAll()).isEqualTo("12345");
            }
            assertThat(server.nextLine()).isEqualTo("exit 0");
            server.awaitErr("to_origin=5");
        }
    }

    @Test
    void clientsDoNotReachTheProxyThroughItself() throws Exception {
        try (JarProcess server = JarProcess.activatedMiniServer("::", OPTIONS)) {
            int port = port(server);
            start(server, "listening on [::]:" + port);
            for (String host : List.of("127.0.0.1", "localhost", "::1")) {
                try (Peer client = ask(port, HostPort.of(host, port))) {
                    assertThat(Http.read(client).status()).as(host).isEqualTo(403);
                }
            }
        }
    }

    @Test
    void aUnixDomainSocketIsInheritedAndItsFileStays(@TempDir Path folder) throws Exception {
        Path path = folder.resolve("proxy.sock");
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.activatedMiniServer(path.toString(), OPTIONS)) {
            port(server);
            start(server, "listening on unix:" + path);
            try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
                client.write(ByteBuffer.wrap(Proxy.connectHead(origin.target()).getBytes(US_ASCII)));
                client.shutdownOutput();
                ByteBuffer answer = ByteBuffer.allocate(1_024);
                while (client.read(answer) >= 0) {}
                assertThat(new String(answer.array(), 0, answer.position(), US_ASCII))
                        .startsWith("HTTP/1.1 200 ");
            }
            server.terminateActivated();
            assertThat(server.nextLine()).isEqualTo("exit 0");
            assertThat(path).exists();
        }
    }

    @Test
    void withoutASocketItIsOneLineAndOne() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen=inherited")) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines())
                    .containsExactly(
                            "broxy-mini-server: --listen inherited needs a listening socket as standard input, as a"
                                    + " service manager passes it; there is no socket");
        }
    }
}
