package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyUri;
import io.broxy.RoutingDialer;
import io.broxy.SystemProxies;
import io.broxy.SystemProxies.Problem;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the dialer that follows the proxy settings of the host, and a proxy selector. */
@ExtendWith(LeakCheck.class)
class SystemDialerTest {
    private static final HostPort TARGET = HostPort.of("db.example", 5_432);

    private final ConcurrentLinkedQueue<Problem> problems = new ConcurrentLinkedQueue<>();
    private Broxy broxy;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(1).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    /** A selector with one answer. */
    private static final class Selector extends ProxySelector {
        final ConcurrentLinkedQueue<URI> asked = new ConcurrentLinkedQueue<>();
        final ConcurrentLinkedQueue<SocketAddress> failed = new ConcurrentLinkedQueue<>();
        private final Function<URI, @Nullable List<Proxy>> answer;

        Selector(Function<URI, @Nullable List<Proxy>> answer) {
            this.answer = answer;
        }

        static Selector of(Proxy... proxies) {
            return new Selector(uri -> List.of(proxies));
        }

        @Override
        @SuppressWarnings("NullAway") // a selector may break its contract
        public List<Proxy> select(URI uri) {
            asked.add(uri);
            return answer.apply(uri);
        }

        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException failure) {
            failed.add(address);
        }
    }

    private RoutingDialer dialer(ProxySelector selector) {
        return broxy.systemDialer(SystemProxies.ofProxySelector(selector))
                .onProblem(problems::add)
                .build();
    }

    private static Proxy http(int port) {
        return new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved("127.0.0.1", port));
    }

    /** An HTTP proxy that opens every tunnel to itself. */
    private static Origin httpProxy() throws IOException {
        return Origin.start(peer -> {
            assertThat(peer.readHead()).startsWith("CONNECT db.example:5432 HTTP/1.1\r\n");
            peer.send("HTTP/1.1 200 OK\r\n\r\n");
            peer.readAll();
        });
    }

    private static DialException failure(Dialer dialer) {
        DialException blocking = catchThrowableOfType(DialException.class, () -> dialer.dial(TARGET));
        assertThatThrownBy(() ->
                        dialer.dialAsync(DialRequest.to(TARGET), Runnable::run).get())
                .cause()
                .isInstanceOfSatisfying(
                        DialException.class, e -> assertThat(e.reason()).isEqualTo(blocking.reason()));
        return blocking;
    }

    // ------------------------------------------------------------------ the selector's answers

    @Test
    void httpProxyOfTheSelectorIsAskedForATunnel() throws Exception {
        try (Origin proxy = httpProxy()) {
            Selector selector = Selector.of(http(proxy.port()));
            Dialer dialer = dialer(selector);
            dialer.dial(TARGET).close();
            dialer.dialAsync(DialRequest.to(TARGET), Runnable::run).get().close();

            assertThat(proxy.accepted()).isEqualTo(2);
            assertThat(selector.asked).containsOnly(URI.create("https://db.example:5432/"));
            assertThat(problems).isEmpty();
        }
    }

    @Test
    void socksProxyOfTheSelectorResolvesTheName() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            SocksServer.accept(peer);
            peer.send(SocksServer.OPEN);
            peer.readAll();
        })) {
            Proxy socks = new Proxy(
                    Proxy.Type.SOCKS,
                    new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), proxy.port()));
            dialer(Selector.of(socks)).dial(TARGET).close();

            assertThat(proxy.accepted()).isEqualTo(1);
        }
    }

    @Test
    void selectorIsAskedForTheTargetsUri() throws Exception {
        Selector selector = new Selector(uri -> {
            throw new IllegalStateException("asked");
        });
        Dialer dialer = dialer(selector);
        for (String target : List.of("a.example:80", "a.example:443", "a.example:8443", "[2001:db8::1]:443")) {
            assertThatThrownBy(() -> dialer.dial(HostPort.parse(target))).isInstanceOf(DialException.class);
        }

        assertThat(selector.asked)
                .extracting(URI::toString)
                .containsExactly(
                        "http://a.example/", "https://a.example/", "https://a.example:8443/", "https://[2001:db8::1]/");
    }

    @Test
    void directAnswerIsDialedByTheDialerForThat() throws Exception {
        try (Origin origin = Origin.discard()) {
            Dialer direct = broxy.directDialer()
                    .resolver(host -> List.of(InetAddress.getByAddress(new byte[] {127, 0, 0, 1})))
                    .build();
            Dialer dialer = broxy.systemDialer(SystemProxies.ofProxySelector(Selector.of(Proxy.NO_PROXY)))
                    .direct(direct)
                    .build();
            dialer.dial(HostPort.of("db.example", origin.port())).close();

            await().untilAsserted(() -> assertThat(origin.accepted()).isEqualTo(1));
        }
    }

    @Test
    void nextProxyIsTriedAndTheSelectorLearnsThatTheFirstFailed() throws Exception {
        int closed = HeldPort.refusing().port();
        try (Origin proxy = httpProxy()) {
            Selector selector = Selector.of(http(closed), http(proxy.port()));
            Dialer dialer = dialer(selector);
            dialer.dial(TARGET).close();
            await().untilAsserted(() -> assertThat(selector.failed)
                    .containsExactly(InetSocketAddress.createUnresolved("127.0.0.1", closed)));
            dialer.dial(TARGET).close(); // the proxy with the penalty comes last now

            assertThat(proxy.accepted()).isEqualTo(2);
            assertThat(selector.failed).hasSize(1);
        }
    }

    @Test
    void failureOfAllProxiesListsThem() {
        int closed = HeldPort.refusing().port();
        Selector selector = Selector.of(
                http(closed), new Proxy(Proxy.Type.SOCKS, http(closed).address()));

        DialException failure = failure(dialer(selector));

        assertThat(failure.reason()).isEqualTo(Reason.REFUSED);
        assertThat(failure.attempts())
                .extracting(attempt -> attempt.address().toString())
                .containsExactly("http://127.0.0.1:" + closed, "socks5://127.0.0.1:" + closed);
    }

    // ------------------------------------------------------------------ selectors that fail

    @Test
    void exceptionOfTheSelectorDeniesTheTargetAndIsReported() {
        RuntimeException broken = new IllegalStateException("broken");
        DialException failure = failure(dialer(new Selector(uri -> {
            throw broken;
        })));

        assertThat(failure.reason()).isEqualTo(Reason.DENIED);
        assertThat(failure).rootCause().isSameAs(broken);
        assertThat(problems)
                .extracting(Problem::toString)
                .containsExactly(
                        "ProxySelector: it threw java.lang.IllegalStateException",
                        "ProxySelector: it threw java.lang.IllegalStateException");
    }

    @Test
    void answerWithoutAUsableProxyDeniesTheTarget() {
        for (Function<URI, @Nullable List<Proxy>> answer : List.<Function<URI, @Nullable List<Proxy>>>of(
                uri -> null,
                uri -> List.of(),
                uri -> List.of(http(0)),
                uri -> List.of(new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved("no host", 80))))) {
            problems.clear();
            assertThat(failure(dialer(new Selector(answer))).reason()).isEqualTo(Reason.DENIED);
            assertThat(problems)
                    .hasSize(2)
                    .allSatisfy(problem -> assertThat(problem.setting()).isEqualTo("ProxySelector"));
        }
    }

    @Test
    void unusableProxyIsSkippedAndReported() throws Exception {
        try (Origin proxy = httpProxy()) {
            dialer(Selector.of(http(0), http(proxy.port()))).dial(TARGET).close();

            assertThat(problems)
                    .singleElement()
                    .satisfies(problem -> assertThat(problem.reason()).contains("cannot be used"));
        }
    }

    @Test
    void problemsOfTheSelectorAreLoggedOnceByDefault() {
        try (CapturedLog log = CapturedLog.start()) {
            Dialer dialer = broxy.routingDialer(SystemProxies.ofProxySelector(new Selector(uri -> List.of())))
                    .build();
            failure(dialer);

            assertThat(log.lines("WARN")).singleElement().asString().contains("ProxySelector: it names neither");
        }
    }

    @Test
    void selectorThatBlocksIsWithinTheDialsTimeout() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Dialer dialer = broxy.systemDialer(SystemProxies.ofProxySelector(new Selector(uri -> {
                    try {
                        release.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return List.of(Proxy.NO_PROXY);
                })))
                .timeout(Duration.ofMillis(50))
                .build();
        try {
            DialException failure = failure(dialer);
            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(failure).hasMessageContaining("did not decide in time");

            CompletableFuture<Connection> cancelled = dialer.dialAsync(
                    DialRequest.builder(TARGET).timeout(Duration.ofMinutes(1)).build(), Runnable::run);
            assertThat(cancelled.cancel(false)).isTrue();
        } finally {
            release.countDown();
        }
    }

    @Test
    void cancellationEndsTheDialThroughTheProxy() throws Exception {
        try (BlackHole hole = BlackHole.open()) {
            Selector selector = Selector.of(http(hole.target().port()));
            CompletableFuture<Connection> dial = dialer(selector)
                    .dialAsync(
                            DialRequest.builder(TARGET)
                                    .timeout(Duration.ofMinutes(1))
                                    .build(),
                            Runnable::run);
            await().until(() -> !selector.asked.isEmpty());
            dial.cancel(false);

            assertThatThrownBy(dial::get).isInstanceOfAny(ExecutionException.class, RuntimeException.class);
        }
    }

    // ------------------------------------------------------------------ settings of the host

    @Test
    void problemsOfTheEnvironmentGoToTheConsumerInsteadOfTheLog() {
        SystemProxies proxies =
                SystemProxies.ofEnvironment(Map.of("https_proxy", "proxy.example:1", "NO_PROXY", "<local>"));
        try (CapturedLog log = CapturedLog.start()) {
            broxy.systemDialer(proxies).onProblem(problems::add).build();

            assertThat(problems).containsExactlyElementsOf(proxies.problems()).hasSize(1);
            assertThat(log.lines("WARN")).isEmpty();
        }
    }

    @Test
    void connectionsToTheProxyComeFromThePool() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            for (int i = 0; i < 2; i++) {
                assertThat(peer.readHead()).startsWith("CONNECT ");
                peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            }
            peer.readAll();
        })) {
            ConnPool pool = broxy.connPool().build();
            Dialer dialer = broxy.systemDialer(SystemProxies.ofEnvironment(
                            Map.of("all_proxy", proxy.target().toString())))
                    .pool(pool)
                    .build();
            for (int i = 0; i < 2; i++) {
                DialException refused = catchThrowableOfType(DialException.class, () -> dialer.dial(TARGET));
                assertThat(refused.reason()).isEqualTo(Reason.PROXY_REFUSED);
                await().until(() -> pool.stats().idle() == 1);
            }
            assertThat(proxy.accepted()).isEqualTo(1);
        }
    }

    @Test
    void timeoutIsThatOfADialWithoutOne() throws Exception {
        try (BlackHole hole = BlackHole.open()) {
            Dialer dialer = broxy.systemDialer(SystemProxies.ofEnvironment(
                            Map.of("all_proxy", hole.target().toString())))
                    .timeout(Duration.ofMillis(100))
                    .build();

            assertThat(failure(dialer).reason()).isEqualTo(Reason.TIMEOUT);
        }
        assertThatThrownBy(() -> broxy.systemDialer(SystemProxies.ofEnvironment(Map.of()))
                        .timeout(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void httpsProxyIsSpokenToWithTheGivenContext() throws Exception {
        Certificates certificates = Certificates.loopback();
        try (Origin proxy = Origin.startTls(certificates, peer -> {
            assertThat(peer.readHead()).startsWith("CONNECT db.example:5432 HTTP/1.1\r\n");
            peer.send("HTTP/1.1 200 OK\r\n\r\n");
            new Peer(peer.socket()).readAll();
        })) {
            ProxyUri uri = ProxyUri.parse("https://127.0.0.1:" + proxy.port());
            broxy.dialerVia(uri, certificates.client()).dial(TARGET).close();
            broxy.systemDialer(SystemProxies.ofEnvironment(Map.of("all_proxy", "https://127.0.0.1:" + proxy.port())))
                    .tls(certificates.client())
                    .build()
                    .dial(TARGET)
                    .close();

            assertThatThrownBy(() -> broxy.dialerVia(uri).dial(TARGET)).isInstanceOf(DialException.class);
        }
    }
}
