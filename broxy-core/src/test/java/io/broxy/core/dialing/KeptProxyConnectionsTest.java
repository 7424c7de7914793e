package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyReply;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies which pooled connections to an HTTP proxy are used again after a refusal, and how a dial replaces one that
 * turns out unusable.
 */
@ExtendWith(LeakCheck.class)
class KeptProxyConnectionsTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final Certificates CERTIFICATES = Certificates.loopback();
    private static final String REFUSAL = "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno";

    private Broxy broxy;
    private ConnPool pool;
    private long tookNanos;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(2).build();
        pool = broxy.connPool().build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    /** How the proxy is spoken to. */
    private enum Transport {
        PLAIN {
            @Override
            Origin start(Origin.Script script) throws IOException {
                return Origin.start(script);
            }
        },
        TLS {
            @Override
            Origin start(Origin.Script script) throws IOException {
                return Origin.startTls(CERTIFICATES, script);
            }
        };

        abstract Origin start(Origin.Script script) throws IOException;
    }

    /** The dialing side. */
    private enum Caller {
        BLOCKING {
            @Override
            Connection dial(HttpProxyDialer dialer, DialRequest request) throws DialException {
                return dialer.dial(request);
            }
        },
        ASYNC {
            @Override
            Connection dial(HttpProxyDialer dialer, DialRequest request) throws DialException {
                try {
                    return dialer.dialAsync(request, Runnable::run).get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                } catch (ExecutionException e) {
                    throw (DialException) e.getCause();
                } catch (Exception e) {
                    throw new AssertionError("no end of a dial", e);
                }
            }
        };

        abstract Connection dial(HttpProxyDialer dialer, DialRequest request) throws DialException;
    }

    private HttpProxyDialer dialer(Transport transport, Origin proxy) {
        HttpProxyDialer.Builder builder = broxy.httpProxyDialer(HostPort.of("localhost", proxy.port()))
                .over(broxy.directDialer().build())
                .timeout(PATIENCE)
                .pool(pool);
        return (transport == Transport.TLS ? builder.tls(CERTIFICATES.client()) : builder).build();
    }

    private DialException failure(HttpProxyDialer dialer) {
        return failure(Caller.BLOCKING, dialer, DialRequest.to(TARGET));
    }

    private DialException failure(Caller caller, HttpProxyDialer dialer, DialRequest request) {
        long start = System.nanoTime();
        DialException failure = catchThrowableOfType(
                DialException.class, () -> caller.dial(dialer, request).close());
        tookNanos = System.nanoTime() - start;
        return Objects.requireNonNull(failure, "the dial did not fail");
    }

    /** The dial that failed last. */
    private long tookMillis() {
        return TimeUnit.NANOSECONDS.toMillis(tookNanos);
    }

    private static int status(DialException failure) {
        return Objects.requireNonNull(failure.proxyReply(), "the proxy's reply").status();
    }

    private void awaitIdle(int idle) {
        await().atMost(PATIENCE).until(() -> pool.stats().idle() == idle);
    }

    // ------------------------------------------------------------------ a spoilt connection is replaced

    /** The first connection answers once, and a second time with this; later ones open the tunnel. */
    private static Origin.Script spoilt(String said) {
        AtomicInteger connections = new AtomicInteger();
        return peer -> {
            boolean first = connections.incrementAndGet() == 1;
            peer.readHead();
            if (first) {
                peer.send(REFUSAL);
                peer.readHead();
                peer.send(said);
            } else {
                peer.send("HTTP/1.1 200 OK\r\n\r\n");
                peer.readAll();
            }
        };
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PLAIN | BLOCKING",
                "PLAIN | ASYNC",
                "TLS | BLOCKING",
                "TLS | ASYNC",
            })
    void oneWhoseFirstBytesAreNoAnswerIsReplaced(Transport transport, Caller caller) throws Exception {
        try (Origin proxy = transport.start(spoilt("what was left of a body HTTP/1.1 403 No\r\n\r\n"))) {
            HttpProxyDialer dialer = dialer(transport, proxy);
            assertThat(status(failure(caller, dialer, DialRequest.to(TARGET)))).isEqualTo(403);
            awaitIdle(1);

            try (Connection connection = caller.dial(dialer, DialRequest.to(TARGET))) {
                assertThat(connection.isOpen()).isTrue();
            }
            assertThat(proxy.accepted()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "HTTP/1.",
                "HTTP/1.1 403 No\r\nContent-Length",
                "<html>",
                "\u0000",
                "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
                "HTTP/1.0 408 Request Time-out\r\nContent-Length: 9\r\n\r\ntoo ",
            })
    void oneThatEndsWithoutAnAnswerIsReplaced(String said) throws Exception {
        try (Origin proxy = Origin.start(spoilt(said))) {
            HttpProxyDialer dialer = dialer(Transport.PLAIN, proxy);
            failure(dialer);
            awaitIdle(1);

            dialer.dial(TARGET).close();
            assertThat(proxy.accepted()).isEqualTo(2);
        }
    }

    @Test
    void aClientOfAProxyGetsItsTunnelOverTheNewOne() throws Exception {
        try (Origin upstream = Origin.start(spoilt("what was left of a body"))) {
            HttpProxyDialer dialer = dialer(Transport.PLAIN, upstream);
            try (ProxyServer server = broxy.listen(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    broxy.proxyHandler()
                            .addressPolicy(AddressPolicy.any())
                            .dialer(dialer)
                            .build())) {
                try (Peer client = Peer.connect(server.localAddress())) {
                    assertThat(Http.read(client.send(Proxy.connectHead(TARGET))).status())
                            .isEqualTo(502);
                }
                awaitIdle(1);
                try (Peer client = Peer.connect(server.localAddress())) {
                    assertThat(client.send(Proxy.connectHead(TARGET)).readHead())
                            .isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
                }
            }
        }
    }

    @Test
    void theNewOneIsTheLast() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        try (Origin proxy = Origin.start(peer -> {
            boolean first = connections.incrementAndGet() == 1;
            peer.readHead();
            if (first) {
                peer.send(REFUSAL);
                peer.readHead();
            }
            peer.send("no answer\r\n\r\n");
        })) {
            HttpProxyDialer dialer = dialer(Transport.PLAIN, proxy);
            failure(dialer);
            awaitIdle(1);

            assertThat(failure(dialer).reason()).isEqualTo(Reason.PROTOCOL);
            assertThat(proxy.accepted()).isEqualTo(2);
        }
    }

    @Test
    void theNewOneKeepsTheTimeOfTheDial() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        try (Origin proxy = Origin.start(peer -> {
            boolean first = connections.incrementAndGet() == 1;
            peer.readHead();
            if (first) {
                peer.send(REFUSAL);
                peer.readHead();
                peer.send("no answer\r\n\r\n");
            }
            peer.readAll();
        })) {
            HttpProxyDialer dialer = dialer(Transport.PLAIN, proxy);
            failure(dialer);
            awaitIdle(1);

            DialRequest hurried =
                    DialRequest.builder(TARGET).timeout(Duration.ofMillis(500)).build();
            DialException failure = failure(Caller.BLOCKING, dialer, hurried);
            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(tookMillis()).isLessThan(PATIENCE.toMillis());
        }
    }

    // ------------------------------------------------------------------ what the proxy says of its connection

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Keep-Alive: timeout=0",
                "Keep-Alive: max=0",
                "Keep-Alive: timeout=60, max=1",
                "Connection: close",
                "Proxy-Connection: close"
            })
    void oneThatTakesNoMoreIsNotKept(String field) throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n" + field + "\r\n\r\n");
            peer.expectEnd();
        })) {
            HttpProxyDialer dialer = dialer(Transport.PLAIN, proxy);
            for (int i = 1; i <= 3; i++) {
                assertThat(status(failure(dialer))).isEqualTo(403);
                assertThat(proxy.accepted()).isEqualTo(i);
            }
            assertThat(pool.stats().reused()).isZero();
        }
    }

    // ------------------------------------------------------------------ a refusal with an endless body

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PLAIN | BLOCKING | Content-Length: 100",
                "PLAIN | ASYNC    | Transfer-Encoding: chunked",
                "PLAIN | BLOCKING | X: until the end",
                "TLS   | BLOCKING | Transfer-Encoding: chunked",
                "TLS   | ASYNC    | Content-Length: 100",
            })
    void itFailsTheDialWithItsStatusAndWhatHasCome(Transport transport, Caller caller, String framing)
            throws Exception {
        CountDownLatch failed = new CountDownLatch(1);
        boolean chunked = framing.startsWith("Transfer");
        try (Origin proxy = transport.start(peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n" + framing + "\r\n\r\n");
            peer.send(chunked ? "7\r\nbecause\r\n" : "because");
            failed.await(); // and not the end of the body
            peer.readAll();
        })) {
            HttpProxyDialer dialer = dialer(transport, proxy);
            DialException failure = failure(caller, dialer, DialRequest.to(TARGET));
            failed.countDown();

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertThat(status(failure)).isEqualTo(407);
            ProxyReply reply = Objects.requireNonNull(failure.proxyReply());
            assertThat(StandardCharsets.ISO_8859_1.decode(reply.body()).toString())
                    .isEqualTo("because");
            assertThat(tookMillis()).isBetween(200L, PATIENCE.toMillis() / 2);
            assertThat(pool.stats().idle()).as("it is not kept").isZero();
            assertThat(pool.stats().discarded()).isEqualTo(1);
        }
    }

    /** The grace is for the whole body, and not for its next byte. */
    @Test
    void aBodyThatDripsGetsNoMoreTime() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 403 No\r\n\r\n");
            for (int i = 0; i < 1_000; i++) {
                peer.send(".");
                TimeUnit.MILLISECONDS.sleep(20); // the drip is what is tested
            }
        })) {
            DialException failure = failure(dialer(Transport.PLAIN, proxy));
            assertThat(status(failure)).isEqualTo(403);
            assertThat(tookMillis()).isLessThan(PATIENCE.toMillis() / 2);
        }
    }

    @ParameterizedTest
    @EnumSource(Caller.class)
    void aDialThatIsOverBeforeThatFailsWithTheStatusToo(Caller caller) throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\n");
            peer.readAll();
        })) {
            HttpProxyDialer dialer = dialer(Transport.PLAIN, proxy);
            failure(caller, dialer, DialRequest.to(TARGET)); // so that all is loaded
            DialRequest hurried =
                    DialRequest.builder(TARGET).timeout(Duration.ofMillis(240)).build();
            DialException failure = failure(caller, dialer, hurried);
            if (failure.reason() != Reason.TIMEOUT) { // as on a machine that was too busy for the head
                assertThat(failure.reason()).isEqualTo(Reason.PROXY_REFUSED);
                assertThat(status(failure)).isEqualTo(403);
            }
        }
    }

    @Test
    void aClientOfAProxyIsAnsweredAtOnce() throws Exception {
        try (Origin upstream = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n");
                    peer.readAll();
                });
                ProxyServer server = broxy.listen(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        broxy.proxyHandler()
                                .addressPolicy(AddressPolicy.any())
                                .dialTimeout(Duration.ofMinutes(10))
                                .dialer(dialer(Transport.PLAIN, upstream))
                                .build());
                Peer client = Peer.connect(server.localAddress())) {
            assertThat(Http.read(client.send(Proxy.connectHead(TARGET))).head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=destination_unavailable\r\n");
        }
    }
}
