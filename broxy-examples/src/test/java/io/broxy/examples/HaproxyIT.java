package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.HostPort;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Specifies the mini-server behind HAProxy, with the configuration of the manual: instances drain without losing a
 * tunnel, and learn the clients' addresses.
 */
@ExtendWith(LeakCheck.class)
@EnabledOnOs(OS.LINUX) // where all of 127.0.0.0/8 is the loopback
class HaproxyIT {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final Path MANUAL = Path.of("..", "docs", "behind-haproxy.md");
    private static final Pattern CONFIGURATION = Pattern.compile("```haproxy\n(.*?)```", Pattern.DOTALL);
    private static final int CLIENTS = 6;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set before each test
    private Path folder;

    private Daemon haproxy(HostPort one, HostPort two) throws Exception {
        String program = Daemon.program("haproxy");
        Path file = folder.resolve("haproxy.cfg");
        return Daemon.start(folder.resolve("log"), port -> {
            Files.writeString(file, configuration(port, one, two));
            return List.of(program, "-db", "-f", file.toString());
        });
    }

    private static String configuration(int port, HostPort one, HostPort two) throws IOException {
        Matcher manual = CONFIGURATION.matcher(Files.readString(MANUAL, UTF_8));
        assertThat(manual.find()).as("a configuration in the manual").isTrue();
        String text = manual.group(1);
        assertThat(text).contains("0.0.0.0:3128", "10.0.0.11:3128", "10.0.0.12:3128");
        return text.replace("0.0.0.0:3128", "127.0.0.1:" + port)
                .replace("10.0.0.11:3128", one.toString())
                .replace("10.0.0.12:3128", two.toString());
    }

    private static JarProcess instance(String... more) throws IOException {
        List<String> options = new ArrayList<>(
                List.of("--listen=127.0.0.1:0", "--allow-private", "--proxy-protocol=127.0.0.1", "--drain=1h", "-v"));
        options.addAll(List.of(more));
        return JarProcess.miniServer(options.toArray(String[]::new));
    }

    private static Peer client(String from, HostPort balancer, Origin origin) throws IOException {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
        socket.connect(new InetSocketAddress(balancer.host(), balancer.port()), Peer.PATIENCE_MILLIS);
        return new Peer(socket).send(Proxy.connectHead(origin.target()));
    }

    private static void tunnel(HostPort balancer, Origin origin) throws IOException {
        try (Peer client = client("127.0.0.1", balancer, origin)) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(client.send("there and back").readText(14)).isEqualTo("there and back");
            client.shutdownOutput().expectEnd();
        }
    }

    @Test
    void anInstanceIsDrainedUnderLoadWithoutALostTunnel() throws Exception {
        AtomicInteger tunnels = new AtomicInteger();
        AtomicBoolean enough = new AtomicBoolean();
        List<CompletableFuture<?>> load = new ArrayList<>();
        List<Peer> standing = new ArrayList<>();
        try (Origin origin = Origin.echo();
                JarProcess one = instance();
                JarProcess two = instance();
                Daemon haproxy = haproxy(one.listening(), two.listening())) {
            for (int i = 0; i < 10; i++) {
                standing.add(client("127.0.0.1", haproxy.target(), origin));
                assertThat(standing.get(i).readHead()).startsWith("HTTP/1.1 200 ");
            }
            for (int i = 0; i < CLIENTS; i++) {
                load.add(Background.run(() -> {
                    while (!enough.get()) {
                        tunnel(haproxy.target(), origin);
                        tunnels.incrementAndGet();
                    }
                }));
            }
            awaitTunnels(tunnels, 100);
            one.awaitErr("tunnel to " + origin.target());
            two.awaitErr("tunnel to " + origin.target());

            one.terminate();
            awaitTunnels(tunnels, tunnels.get() + 300);

            for (Peer client : standing) { // half of them through the one that drains
                assertThat(client.send("still here").readText(10)).isEqualTo("still here");
            }
            assertThat(one.isAlive()).isTrue();
            enough.set(true);
            load.forEach(CompletableFuture::join);
            for (Peer client : standing) {
                client.shutdownOutput().expectEnd();
                client.close();
            }
            assertThat(one.exitCode()).isZero();
            assertThat(two.isAlive()).isTrue();
        }
    }

    private static void awaitTunnels(AtomicInteger tunnels, int count) {
        await().atMost(PATIENCE.multipliedBy(2)).until(() -> tunnels.get() >= count);
    }

    @Test
    void eachInstanceKnowsTheClientsAndNotTheBalancerOnly() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess one = instance("--max-per-client=1");
                JarProcess two = instance("--max-per-client=1");
                Daemon haproxy = haproxy(one.listening(), two.listening());
                Peer first = client("127.0.0.2", haproxy.target(), origin)) {
            assertThat(first.readHead()).startsWith("HTTP/1.1 200 ");
            try (Peer second =
                    client("127.0.0.2", haproxy.target(), origin)) { // at the other instance, which has fewer
                assertThat(second.readHead()).startsWith("HTTP/1.1 200 ");
                try (Peer third = client("127.0.0.2", haproxy.target(), origin)) {
                    assertThat(third.readHead()).startsWith("HTTP/1.1 503 ").contains("\r\nRetry-After: ");
                }
                try (Peer other = client("127.0.0.3", haproxy.target(), origin)) {
                    assertThat(other.readHead()).startsWith("HTTP/1.1 200 ");
                    assertThat(other.send("served").readText(6)).isEqualTo("served");
                }
            }
        }
    }
}
