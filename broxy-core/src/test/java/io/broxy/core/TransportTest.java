package io.broxy.core;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.AddressPolicy;
import io.broxy.EngineStats.Transport;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies what an engine does with either kind of sockets. */
@ExtendWith(LeakCheck.class)
@ParameterizedClass
@EnumSource
class TransportTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final long BULK = 64L << 20;

    private final Sockets sockets;

    TransportTest(Sockets sockets) {
        this.sockets = sockets.ifPossible();
    }

    private Broxy engine() {
        return Broxy.builder().transport(sockets.mode()).eventLoops(2).build();
    }

    private static ProxyHandler handler(Broxy broxy) {
        return broxy.proxyHandler().addressPolicy(AddressPolicy.any()).build();
    }

    private static Peer tunnel(ProxyServer server, HostPort target) throws IOException {
        Peer client = Peer.connect(server.localAddress()).send(Proxy.connectHead(target));
        assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
        return client;
    }

    /** The number of kernel pipes that this process has. */
    private static long pipes() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(TransportTest::isPipe).count();
        }
    }

    private static boolean isPipe(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("pipe:");
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }

    // ------------------------------------------------------------------ which sockets

    @Test
    void anEngineAndItsServersTellWhichTheyUse(@TempDir Path folder) throws Exception {
        try (Broxy broxy = engine();
                ProxyServer ofHandler = broxy.listen(ANY_PORT, handler(broxy));
                ProxyServer ofLambda =
                        broxy.listen(ANY_PORT, channel -> handler(broxy).serve(channel));
                ProxyServer ofFile =
                        broxy.listen(UnixDomainSocketAddress.of(folder.resolve("proxy")), handler(broxy))) {
            assertThat(broxy.stats().transport()).isEqualTo(sockets.stats());
            assertThat(ofHandler.transport()).isEqualTo(sockets.stats());
            assertThat(ofLambda.transport()).isEqualTo(Transport.NIO);
            assertThat(ofFile.transport()).isEqualTo(Transport.NIO);
        }
    }

    @Test
    void clientsOfEachServerReachTheirTargets(@TempDir Path folder) throws Exception {
        try (Origin origin = Origin.echo();
                Broxy broxy = engine();
                ProxyServer ofHandler = broxy.listen(ANY_PORT, handler(broxy));
                ProxyServer ofLambda =
                        broxy.listen(ANY_PORT, channel -> handler(broxy).serve(channel));
                ProxyServer ofTarget = broxy.listen(ANY_PORT, handler(broxy).tunnelTo(origin.target()));
                Peer one = tunnel(ofHandler, origin.target());
                Peer other = tunnel(ofLambda, origin.target());
                Peer forwarded = Peer.connect(ofTarget.localAddress())) {
            for (Peer client : List.of(one, other, forwarded)) {
                assertThat(client.send("hello").readText(5)).isEqualTo("hello");
                client.shutdownOutput().expectEnd();
            }
        }
    }

    // ------------------------------------------------------------------ bulk

    @Test
    void bulkIsUnchangedAndTheKernelRelaysItWhereItCan() throws Exception {
        long before = pipes();
        CompletableFuture<String> sentByOrigin = new CompletableFuture<>();
        CompletableFuture<String> gotByOrigin = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    CompletableFuture<String> got =
                            Background.supply(() -> Payload.read(peer.socket().getInputStream()));
                    sentByOrigin.complete(Payload.write(peer.socket().getOutputStream(), BULK, 1));
                    peer.shutdownOutput();
                    gotByOrigin.complete(got.join());
                });
                Broxy broxy = engine();
                ProxyServer server = broxy.listen(ANY_PORT, handler(broxy));
                Peer client = tunnel(server, origin.target())) {
            CompletableFuture<String> sentByClient = Background.supply(() -> {
                String sent = Payload.write(client.socket().getOutputStream(), BULK, 2);
                client.shutdownOutput();
                return sent;
            });

            assertThat(Payload.read(client.socket().getInputStream())).isEqualTo(sentByOrigin.join());
            assertThat(gotByOrigin.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isEqualTo(sentByClient.join());
            assertThat(pipes() > before).as("the kernel's pipes are in use").isEqualTo(sockets == Sockets.EPOLL);
        }
        assertThat(pipes()).as("pipes in the end").isEqualTo(before);
    }

    // ------------------------------------------------------------------ numbers of descriptors

    @Test
    void noConnectionSeesAnothersBytesThoughDescriptorsAreUsedAgainAtOnce() throws Exception {
        long seed = new Random().nextInt();
        try (Origin origin = Origin.echo();
                Broxy broxy = engine();
                ProxyServer server = broxy.listen(ANY_PORT, handler(broxy))) {
            List<CompletableFuture<?>> clients = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                Random random = new Random(seed + i);
                clients.add(Background.run(() -> {
                    for (int tunnel = 0; tunnel < 60; tunnel++) {
                        talkAndLeave(server, origin.target(), random);
                    }
                }));
            }
            for (CompletableFuture<?> client : clients) {
                client.get(2L * Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            }
        } catch (Throwable e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    /** Sends bytes that no other tunnel sends, checks their echo, and ends in one of several manners. */
    private static void talkAndLeave(ProxyServer server, HostPort target, Random random) throws IOException {
        byte[] own = Payload.bytes(1 + random.nextInt(random.nextInt(4) == 0 ? 400_000 : 4_000), random.nextLong());
        try (Peer client = tunnel(server, target)) {
            int manner = random.nextInt(4);
            CompletableFuture<?> sending = Background.run(() -> client.send(own));
            int read = manner == 0 ? random.nextInt(own.length) : own.length;
            assertThat(client.read(read)).isEqualTo(Arrays.copyOf(own, read));
            switch (manner) {
                case 0 -> client.reset(); // while bytes are on their way
                case 1 -> client.reset();
                case 2 -> {
                    sending.join();
                    client.shutdownOutput().expectEnd();
                }
                default -> sending.join();
            }
        }
    }

    @Test
    void enginesThatEndWhileClientsComeLeaveNothing() throws Exception {
        Random random = new Random(1);
        try (Origin origin = Origin.echo()) {
            for (int round = 0; round < 15; round++) {
                Broxy broxy = engine();
                ProxyServer server = broxy.listen(ANY_PORT, handler(broxy));
                int tunnels = random.nextInt(12);
                List<CompletableFuture<?>> clients = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    clients.add(Background.run(() -> connectUntilRefused(server, origin.target())));
                }
                for (int i = 0; i < tunnels; i++) {
                    tunnel(server, origin.target()).close();
                }
                broxy.close();
                for (CompletableFuture<?> client : clients) {
                    client.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                }
            }
        }
    }

    private static void connectUntilRefused(ProxyServer server, HostPort target) {
        while (true) {
            try (Peer client = Peer.connect(server.localAddress()).send(Proxy.connectHead(target))) {
                client.readAll();
            } catch (IOException e) {
                return; // refused, or reset by the end of the engine
            }
        }
    }

    // ------------------------------------------------------------------ what the JVM must allow

    /** Tells which sockets an engine uses. */
    static final class Program {
        private Program() {}

        public static void main(String[] args) {
            try (Broxy broxy = Broxy.builder().transport(TransportMode.AUTO).build()) {
                System.out.println(broxy.stats().transport());
            }
        }
    }

    @Test
    void aJvmThatDoesNotAllowNativeAccessUsesNioAndSaysWhyWithoutAWarning() throws Exception {
        assumeTrue(sockets == Sockets.NIO, "once is enough");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Dorg.slf4j.simpleLogger.log.io.broxy=debug",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Program.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);

        assertThat(process.waitFor(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        assertThat(output)
                .contains("NIO is used instead of sockets of the engine's own: ")
                .endsWith("NIO" + System.lineSeparator())
                .doesNotContain("WARNING");
    }
}
