package io.broxy.core.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessPolicy;
import io.broxy.AccessRequest;
import io.broxy.ProxyStats;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that many clients at once, and hostile ones, do no harm to the others. */
@ExtendWith(LeakCheck.class)
class SurvivalTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final int SLOW = 1_000;
    /** What a usual limit on descriptors allows, for both ends are in this process. */
    private static final int IDLE = 1_500;

    private static void assertServed(Proxy proxy, Origin origin) throws IOException {
        try (Peer client = proxy.connect(origin.target())) {
            assertThat(client.send("good").readText(4)).isEqualTo("good");
            client.shutdownOutput().expectEnd();
        }
    }

    private static void awaitNoConnections(Proxy proxy) {
        await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 0);
    }

    private static void close(List<SocketChannel> clients) throws IOException {
        for (SocketChannel client : clients) {
            client.close();
        }
    }

    @Test
    @Tag("slow")
    void aThousandSlowHeadsDoNotDelayOtherClients() throws Exception {
        List<Peer> slow = new ArrayList<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.headTimeout(Duration.ofSeconds(5)))) {
            for (int i = 0; i < SLOW; i++) {
                slow.add(proxy.client().send("CONNECT somewhere.example:443 HTTP/1.1\r\n"));
            }
            CompletableFuture<?> dripping = Background.run(() -> {
                for (int round = 0; round < 1_000 && !slow.isEmpty(); round++) {
                    for (Peer peer : slow) {
                        peer.send("a"); // ends with the first client that times out
                    }
                }
            });

            for (int i = 0; i < 100; i++) {
                assertServed(proxy, origin);
            }

            await().atMost(PATIENCE).until(() -> proxy.handler().stats().refused() == SLOW);
            dripping.handle((done, failure) -> true).get(1, TimeUnit.MINUTES);
            for (Peer peer : slow) {
                peer.close();
            }
            awaitNoConnections(proxy);
        }
    }

    @Test
    void fifteenHundredIdleConnectionsAndTunnelsCostNoTime() throws Exception {
        List<SocketChannel> idle = new ArrayList<>();
        List<Peer> tunnels = new ArrayList<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.headTimeout(Duration.ofMinutes(5)))) {
            for (int i = 0; i < IDLE; i++) {
                idle.add(SocketChannel.open(proxy.address()));
            }
            for (int i = 0; i < 50; i++) {
                tunnels.add(proxy.connect(origin.target()));
            }
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == IDLE + 50);

            assertLoopsSleep();
            assertServed(proxy, origin);

            close(idle);
            for (Peer peer : tunnels) {
                assertThat(peer.send("still").readText(5)).isEqualTo("still");
                peer.close();
            }
            awaitNoConnections(proxy);
        }
    }

    private static void assertLoopsSleep() {
        long before = loopCpuNanos();
        await().pollDelay(Duration.ofMillis(300)).until(() -> true);
        assertThat(loopCpuNanos() - before)
                .as("CPU time of the loops")
                .isLessThan(Duration.ofMillis(100).toNanos());
    }

    private static long loopCpuNanos() {
        long nanos = 0;
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("broxy-loop")) {
                nanos += ManagementFactory.getThreadMXBean().getThreadCpuTime(thread.getId());
            }
        }
        return nanos;
    }

    @Test
    @Tag("slow")
    void clientsThatDieInTheMiddleOfATransferLeaveNothing() throws Exception {
        AtomicInteger resets = new AtomicInteger();
        try (Origin endless = Origin.start(peer -> {
                    byte[] block = Payload.bytes(1 << 16, 1);
                    try {
                        while (true) {
                            peer.send(block);
                        }
                    } catch (SocketException e) {
                        resets.incrementAndGet();
                    }
                });
                Origin origin = Origin.echo();
                Proxy proxy = Proxy.start()) {
            for (int i = 0; i < 50; i++) {
                Peer client = proxy.connect(endless.target());
                client.read(100_000);
                if (i % 2 == 0) {
                    client.reset();
                } else {
                    client.close(); // with unread bytes, which is a reset, too
                }
            }

            awaitNoConnections(proxy);
            await().atMost(PATIENCE).until(() -> resets.get() == 50);
            ProxyStats stats = proxy.handler().stats();
            assertThat(stats.openTunnels()).isZero();
            assertThat(stats.bytesToClient()).isGreaterThanOrEqualTo(50 * 100_000L);
            assertServed(proxy, origin);
        }
    }

    @Test
    void aPolicyThatThrowsRefusesItsRequestAndNoOther() throws Exception {
        AccessPolicy moody = new AccessPolicy() {
            @Override
            public boolean admits(AccessRequest request) {
                if (request.target().host().startsWith("bad")) {
                    throw new IllegalStateException("a mistake");
                }
                return true;
            }
        };
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.accessPolicy(moody));
                Peer client = proxy.client()) {
            client.send("CONNECT bad.example:443 HTTP/1.1\r\nHost: bad.example:443\r\n\r\n");

            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
            assertServed(proxy, origin);
        }
    }

    @Test
    void hangingResolversDelayOnlyTheDialsThatNeedThem() throws Exception {
        CompletableFuture<Boolean> never = new CompletableFuture<>();
        List<Peer> waiting = new ArrayList<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialTimeout(Duration.ofSeconds(1))
                        .dialer(broxy.directDialer()
                                .resolver(host -> {
                                    try {
                                        never.get(30, TimeUnit.SECONDS);
                                    } catch (InterruptedException e) {
                                        Thread.currentThread().interrupt();
                                    } catch (ExecutionException | TimeoutException e) {
                                        throw new AssertionError(e);
                                    }
                                    throw new UnknownHostException(host);
                                })
                                .build()))) {
            for (int i = 0; i < 100; i++) {
                waiting.add(proxy.client()
                        .send("CONNECT h" + i + ".example:443 HTTP/1.1\r\nHost: h" + i + ".example:443\r\n\r\n"));
            }
            for (int i = 0; i < 20; i++) {
                assertServed(proxy, origin); // by a literal address, which needs no look-up
            }

            for (Peer peer : waiting) {
                assertThat(peer.readHead()).startsWith("HTTP/1.1 50");
                peer.close();
            }
            never.complete(true);
            awaitNoConnections(proxy);
        }
    }

    @Test
    @Tag("slow")
    void withoutDirectMemoryTunnelsGoOnAndNewOnesAreServedLater() throws Exception {
        try (Origin origin = Origin.echo();
                ScarceProxy proxy = ScarceProxy.start("-XX:MaxDirectMemorySize=3m", "-Xmx96m")) {
            byte[] payload = Payload.bytes(16 << 20, 1);
            List<Peer> stuck = new ArrayList<>();
            try (Peer before = proxy.connect(origin)) {
                for (int i = 0; i < 20; i++) { // they read nothing, so that many bytes are held for them
                    Peer client = proxy.connect(origin);
                    stuck.add(client);
                    Background.run(() -> client.send(payload));
                }

                assertThat(before.send("still here").readText(10)).isEqualTo("still here");
                try (Peer next = proxy.connect(origin)) {
                    assertThat(next.send("too").readText(3)).isEqualTo("too");
                }
                for (Peer client : stuck) { // what was held on the heap meanwhile arrives like anything else
                    assertThat(client.read(payload.length)).isEqualTo(payload);
                    client.close();
                    assertThat(before.send("still here").readText(10)).isEqualTo("still here");
                }
                proxy.awaitConnections(1);
            }
        }
    }

    /** A proxy in a JVM of its own that is short of something. */
    private record ScarceProxy(Process process, BufferedReader out, int port) implements AutoCloseable {

        static ScarceProxy start(String... options) throws IOException {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(List.of(options));
            command.addAll(List.of(
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    System.getProperty("java.class.path"),
                    ExhaustedProxy.class.getName()));
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            BufferedReader out = process.inputReader();
            return new ScarceProxy(process, out, Integer.parseInt(String.valueOf(out.readLine())));
        }

        Peer connect(Origin origin) throws IOException {
            Peer client = Peer.connect(port).send(Proxy.connectHead(origin.target()));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            return client;
        }

        void awaitConnections(int count) {
            await().atMost(PATIENCE).until(() -> {
                process.getOutputStream().write('\n');
                process.getOutputStream().flush();
                return Integer.parseInt(out.readLine()) == count;
            });
        }

        @Override
        public void close() throws Exception {
            process.getOutputStream().close();
            boolean ended = process.waitFor(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            process.destroyForcibly();
            assertThat(ended).as("the process ends with its input").isTrue();
            assertThat(process.exitValue()).isZero();
        }
    }
}
