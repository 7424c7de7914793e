package io.broxy.core.observe;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.File;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

/** Specifies the events for Java Flight Recorder, and that the engine runs without it. */
@ExtendWith(LeakCheck.class)
class FlightRecorderTest {

    /** What a recording gets while something is done. */
    private static List<RecordedEvent> record(String event, int count, ThrowableAssert.ThrowingCallable work)
            throws Throwable {
        List<RecordedEvent> events = new CopyOnWriteArrayList<>();
        try (RecordingStream stream = new RecordingStream()) {
            stream.setReuse(false);
            stream.enable("io.broxy." + event);
            stream.onEvent("io.broxy." + event, events::add);
            stream.startAsync();
            work.call();
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS)).until(() -> events.size() >= count);
        }
        assertThat(events).hasSize(count);
        return events;
    }

    @Test
    void aTunnelIsAnEventWithItsBytesAndItsReason() throws Throwable {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start()) {
            List<RecordedEvent> events = record("Tunnel", 2, () -> {
                try (Peer client = proxy.connect(origin.target())) {
                    client.send("12345").shutdownOutput();
                    assertThat(client.readAll()).isEqualTo("12345");
                }
                try (Peer client = proxy.client().send(Proxy.connectHead(HeldPort.refusing()))) {
                    assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");
                }
            });

            RecordedEvent first = events.stream()
                    .filter(event -> event.getBoolean("established"))
                    .findFirst()
                    .orElseThrow();
            assertThat(first.getString("target")).isEqualTo(origin.target().toString());
            assertThat(first.getString("peer")).isEqualTo(origin.target().toString());
            assertThat(first.getString("client")).startsWith("127.0.0.1:");
            assertThat(first.getLong("bytesToOrigin")).isEqualTo(5);
            assertThat(first.getLong("bytesToClient")).isEqualTo(5);
            assertThat(first.getString("reason")).isEqualTo("FINISHED");
            assertThat(first.getString("error")).isNull();
            assertThat(first.getDuration()).isPositive();
            assertThat(first.getDuration("sinceHandOver")).isPositive();
            assertThat(events)
                    .anySatisfy(event -> assertThat(event.getString("error")).isEqualTo("REFUSED"));
        }
    }

    @Test
    void aTunnelThatWasThereBeforeTheRecordingIsAnEventToo() throws Throwable {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.connect(origin.target())) {
            List<RecordedEvent> events =
                    record("Tunnel", 1, () -> client.shutdownOutput().expectEnd());

            assertThat(events.get(0).getString("reason")).isEqualTo("FINISHED");
            assertThat(events.get(0).getBoolean("established")).isTrue();
        }
    }

    @Test
    void anExchangeIsAnEventWithItsStatus() throws Throwable {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            RecordedEvent event = record("Exchange", 1, () -> {
                        client.send("GET http://" + origin.target() + "/sesame HTTP/1.1\r\nHost: x\r\n\r\n");
                        assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                    })
                    .get(0);

            assertThat(event.getInt("status")).isEqualTo(200);
            assertThat(event.getString("method")).isEqualTo("GET");
            assertThat(event.getString("target")).isEqualTo(origin.target().toString());
            assertThat(event.getString("reason")).isEqualTo("FINISHED");
            assertThat(event.toString()).doesNotContain("sesame");
        }
    }

    @Test
    void aDialIsAnEventOnTheCallersThreadAndOnALoop() throws Throwable {
        HostPort nobody = HeldPort.refusing();
        try (Origin origin = Origin.discard();
                Broxy broxy = Broxy.create()) {
            DirectDialer dialer = broxy.directDialer().build();
            List<RecordedEvent> events = record("Dial", 4, () -> {
                dialer.dial(origin.target()).close();
                dialer.dialAsync(DialRequest.to(origin.target()), Runnable::run)
                        .join()
                        .close();
                assertThat(catchThrowable(() -> dialer.dial(nobody))).isInstanceOf(DialException.class);
                assertThat(catchThrowable(() -> dialer.dialAsync(DialRequest.to(nobody), Runnable::run)
                                .join()))
                        .hasCauseInstanceOf(DialException.class);
            });

            assertThat(events.stream()
                            .filter(event -> event.getString("reason").equals("CONNECTED"))
                            .map(event -> event.getString("peer")))
                    .containsExactly(origin.target().toString(), origin.target().toString());
            assertThat(events.stream()
                            .filter(event -> event.getString("reason").equals("REFUSED"))
                            .map(event -> event.getString("target") + " " + event.getInt("failedAddresses")))
                    .containsExactly(nobody + " 1", nobody + " 1");
        }
    }

    @Test
    void aDialThroughAProxyNamesIt() throws Throwable {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Broxy broxy = Broxy.create()) {
            HostPort via = HostPort.of("127.0.0.1", proxy.address().getPort());
            List<RecordedEvent> events = record(
                    "Dial",
                    3,
                    () -> broxy.httpProxyDialer(via)
                            .build()
                            .dial(origin.target())
                            .close());

            // To the proxy, through the proxy, and the proxy's own.
            assertThat(events.stream().map(event -> event.getString("target") + " via " + event.getString("via")))
                    .containsExactlyInAnyOrder(
                            via + " via null", origin.target() + " via " + via, origin.target() + " via null");
        }
    }

    @Test
    void aLeaseTellsWhetherItsConnectionIsAnOldOne() throws Throwable {
        try (Origin origin = Origin.discard();
                Broxy broxy = Broxy.create()) {
            ConnPool pool = broxy.connPool().build();
            ConnPool.Key hop =
                    ConnPool.Key.of(origin.target(), broxy.directDialer().build());
            List<RecordedEvent> events = record("Lease", 3, () -> {
                pool.lease(hop).giveBack();
                pool.lease(hop).giveBack();
                pool.leaseAsync(hop, Duration.ofSeconds(10)).join().close();
            });

            assertThat(events.stream().map(event -> event.getString("reason") + " " + event.getBoolean("reused")))
                    .containsExactlyInAnyOrder("LEASED false", "LEASED true", "LEASED true");
        }
    }

    // ------------------------------------------------------------------ without the module

    /** Runs in a JVM of its own. */
    static final class WithoutFlightRecorder {
        private WithoutFlightRecorder() {}

        public static void main(String[] args) throws Exception {
            try (Broxy broxy = Broxy.create();
                    ProxyHandler handler = broxy.proxyHandler()
                            .addressPolicy(AddressPolicy.any())
                            .build();
                    ProxyServer server =
                            broxy.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), handler);
                    Connection tunnel = broxy.httpProxyDialer(HostPort.parse(
                                    "127.0.0.1:" + ((InetSocketAddress) server.localAddress()).getPort()))
                            .build()
                            .dial(HostPort.parse(args[0]))) {
                boolean present = ModuleLayer.boot().findModule("jdk.jfr").isPresent();
                System.out.println("tunnel " + tunnel.isOpen() + ", jdk.jfr " + present);
            }
        }
    }

    @Test
    void aRunTimeImageNeedsNoFlightRecorder() throws Exception {
        String classPath = Stream.of(Broxy.class, HostPort.class, FlightRecorderTest.class, LoggerFactory.class)
                .map(FlightRecorderTest::location)
                .distinct()
                .collect(Collectors.joining(File.pathSeparator));
        try (Origin origin = Origin.discard()) {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--limit-modules",
                            "java.base",
                            "-cp",
                            classPath,
                            WithoutFlightRecorder.class.getName(),
                            origin.target().toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            String out = new String(process.getInputStream().readAllBytes(), UTF_8);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();

            assertThat(out.strip()).isEqualTo("tunnel true, jdk.jfr false");
            assertThat(process.exitValue()).isZero();
        }
    }

    private static String location(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }
}
