package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyReply;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.ForeignConnection;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how a dialer opens a tunnel through an HTTP or HTTPS proxy, and how it reports each failure. */
@ExtendWith(LeakCheck.class)
class HttpProxyDialerTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");

    private Broxy broxy;
    private final LinkedBlockingQueue<String> requests = new LinkedBlockingQueue<>();

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(2).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    /** A proxy that notes each request's head and gives one answer, then echoes. */
    private Origin proxy(String answer) throws Exception {
        return Origin.start(peer -> {
            requests.add(peer.readHead());
            peer.send(answer);
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
        });
    }

    private static String read(Connection connection, int count) throws Exception {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining() && connection.read(bytes) >= 0) {
            // on
        }
        return StandardCharsets.ISO_8859_1.decode(bytes.flip()).toString();
    }

    private static void write(Connection connection, String text) throws Exception {
        connection.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
    }

    private static DialException failure(Dialer dialer) {
        return failure(dialer, DialRequest.to(TARGET));
    }

    private static DialException failure(Dialer dialer, DialRequest request) {
        DialException failure = catchThrowableOfType(
                DialException.class, () -> dialer.dial(request).close());
        return Objects.requireNonNull(failure, "the dial did not fail");
    }

    // ------------------------------------------------------------------ the tunnel

    @Test
    void aTunnelOpensAndTheNameGoesToTheProxyUnresolved() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 200 OK\r\n\r\n");
                Connection connection =
                        broxy.httpProxyDialer(proxy.target()).build().dial(TARGET)) {
            write(connection, "hello");

            assertThat(read(connection, 5)).isEqualTo("hello");
            assertThat(requests.take())
                    .startsWith("CONNECT target.example:443 HTTP/1.1\r\nHost: target.example:443\r\n");
            assertThat(connection.remoteAddress()).isEqualTo(proxy.address());
        }
    }

    @Test
    void serverFirstBytesAfterTheProxysAnswerAreNotLost() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 200 OK\r\n\r\n220 ready\r\n");
                Connection connection =
                        broxy.httpProxyDialer(proxy.target()).build().dial(TARGET)) {
            assertThat(read(connection, 11)).isEqualTo("220 ready\r\n");
            write(connection, "EHLO");
            assertThat(read(connection, 4)).isEqualTo("EHLO");
        }
    }

    @Test
    void serverFirstBytesAreTheFirstThatASocketReadsToo() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 200 OK\r\n\r\n220 ready\r\n");
                Socket socket = broxy.asSocketFactory(
                                broxy.httpProxyDialer(proxy.target()).build())
                        .createSocket("target.example", 443)) {
            assertThat(socket.getInputStream().readNBytes(11)).asString().isEqualTo("220 ready\r\n");
        }
    }

    @Test
    void serverFirstBytesReachAClientThroughARelay() throws Exception {
        try (Origin upstream = proxy("HTTP/1.1 200 OK\r\n\r\n220 ready\r\n");
                Proxy proxy = Proxy.start(settings ->
                        settings.dialer(broxy.httpProxyDialer(upstream.target()).build()));
                Peer client = proxy.connect(TARGET)) {
            assertThat(client.readText(11)).isEqualTo("220 ready\r\n");
            assertThat(client.send("EHLO").readText(4)).isEqualTo("EHLO");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.1 201 Created\r\n\r\n", "HTTP/1.0 299 \r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"})
    void notOnlyStatus200IsAccepted(String answer) throws Exception {
        try (Origin proxy = proxy(answer);
                Connection connection =
                        broxy.httpProxyDialer(proxy.target()).build().dial(TARGET)) {
            write(connection, "x");
            assertThat(read(connection, 1)).isEqualTo("x");
        }
    }

    @Test
    void contentLengthOnA200IsNotHonoured() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
                Connection connection =
                        broxy.httpProxyDialer(proxy.target()).build().dial(TARGET)) {
            assertThat(read(connection, 3)).isEqualTo("abc");
        }
    }

    @Test
    void anAnswerMayComeByteByByteAfterInterimOnes() throws Exception {
        String answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nVia: x\r\n\r\nhi";
        try (Origin proxy = Origin.start(peer -> {
                    peer.readHead();
                    for (int i = 0; i < answer.length(); i++) {
                        peer.send(answer.substring(i, i + 1));
                    }
                    peer.readAll();
                });
                Connection connection =
                        broxy.httpProxyDialer(proxy.target()).build().dial(TARGET)) {
            assertThat(read(connection, 2)).isEqualTo("hi");
        }
    }

    @Test
    void anIpv6UpstreamAddressWorks() throws Exception {
        InetAddress loopback = InetAddress.getByAddress(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        try (ServerSocket server = new ServerSocket(0, 1, loopback)) {
            CompletableFuture<String> head = CompletableFuture.supplyAsync(() -> {
                try (Peer peer = new Peer(server.accept())) {
                    String request = peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n\r\n");
                    peer.readAll();
                    return request;
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            HostPort proxy = HostPort.parse("[::1]:" + server.getLocalPort());
            Connection connection = broxy.httpProxyDialer(proxy).build().dial(HostPort.parse("[2001:db8::5]:80"));
            assertThat(((InetSocketAddress) connection.remoteAddress()).getAddress())
                    .isInstanceOf(Inet6Address.class);
            connection.close();
            assertThat(head.get(20, TimeUnit.SECONDS)).startsWith("CONNECT [2001:db8::5]:80 HTTP/1.1\r\n");
        }
    }

    // ------------------------------------------------------------------ credentials and fields

    @Test
    void credentialsAreSentWithoutBeingAskedForAndFieldsGoAlong() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 200 OK\r\n\r\n")) {
            HttpProxyDialer dialer = broxy.httpProxyDialer(proxy.target())
                    .credentials(Credentials.basic("Aladdin", "open sesame"))
                    .field("X-Tenant", "a b")
                    .build();
            dialer.dial(TARGET).close();

            assertThat(requests.take())
                    .contains("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n")
                    .contains("\r\nX-Tenant: a b\r\n");
        }
    }

    @Test
    void anAuthorizationIsAskedForEachTargetOffTheLoops() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 200 OK\r\n\r\n")) {
            HttpProxyDialer dialer = broxy.httpProxyDialer(proxy.target())
                    .authorization(target -> target.equals(TARGET)
                            ? "Bearer " + Thread.currentThread().getName().startsWith("broxy-loop")
                            : null)
                    .build();
            dialer.dial(TARGET).close();
            dialer.dial(HostPort.parse("other.example:443")).close();

            assertThat(requests.take()).contains("\r\nProxy-Authorization: Bearer false\r\n");
            assertThat(requests.take()).doesNotContain("Proxy-Authorization");
        }
    }

    @Test
    void anAuthorizationThatIsNoFieldValueIsNeverSent() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 200 OK\r\n\r\n")) {
            for (String value : List.of("secret\r\nX: y", "secret\n", "secret\0", " secret")) {
                DialException failure = failure(broxy.httpProxyDialer(proxy.target())
                        .authorization(target -> value)
                        .build());

                assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
                assertThat(failure)
                        .hasMessageNotContaining("secret")
                        .hasCauseInstanceOf(IllegalArgumentException.class);
            }
            DialException thrown = failure(broxy.httpProxyDialer(proxy.target())
                    .authorization(target -> {
                        throw new IllegalStateException("no ticket");
                    })
                    .build());
            assertThat(thrown.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertThat(proxy.accepted()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Host", "proxy-authorization", "Content-Length", "Transfer-Encoding", "a b", "", "a:"})
    void aFieldThatIsTheDialersOwnOrNoneIsRefused(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> broxy.httpProxyDialer(TARGET).field(name, "x"));
    }

    @Test
    void aFieldWithAControlCharacterIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> broxy.httpProxyDialer(TARGET).field("X", "a\r\nY: b"));
    }

    // ------------------------------------------------------------------ failures

    @Test
    void aRefusalTellsStatusFieldsAndBody() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-Why: rules\r\n\r\nnope")) {
            DialException failure =
                    failure(broxy.httpProxyDialer(proxy.target()).build());

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_REFUSED);
            assertThat(failure.proxy()).isEqualTo(proxy.target());
            assertThat(failure.target()).isEqualTo(TARGET);
            ProxyReply reply = Objects.requireNonNull(failure.proxyReply());
            assertThat(reply.status()).isEqualTo(403);
            assertThat(reply.fields())
                    .anyMatch(field ->
                            field.name().equals("X-Why") && field.value().equals("rules"));
            assertThat(StandardCharsets.US_ASCII.decode(reply.body()).toString())
                    .isEqualTo("nope");
            assertThat(failure)
                    .hasMessageStartingWith("dialing " + TARGET + " via " + proxy.target()
                            + " failed: refused by the proxy (HTTP 403), after ");
        }
    }

    @Test
    void a407EndsTheDialAndIsNotAskedAgain() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")) {
            DialException failure = failure(broxy.httpProxyDialer(proxy.target())
                    .credentials(Credentials.basic("user", "wrong"))
                    .build());

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertThat(proxy.accepted()).isEqualTo(1);
            assertThat(failure.getMessage()).doesNotContain("wrong");
        }
    }

    @Test
    void aRefusalWhoseBodyNeverEndsIsARefusalWhenTheTimeIsOver() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 1000\r\n\r\npart")) {
            DialException failure = failure(
                    broxy.httpProxyDialer(proxy.target()).build(),
                    DialRequest.builder(TARGET).timeout(Duration.ofMillis(300)).build());

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_REFUSED);
            assertThat(StandardCharsets.US_ASCII
                            .decode(Objects.requireNonNull(failure.proxyReply()).body())
                            .toString())
                    .isEqualTo("part");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SSH-2.0-x\r\n",
                "HTTP/1.1 200 OK\r\r\n\r\n",
                "ICY 200 OK\r\n\r\n",
                "HTTP/1.1 101 Switching\r\n\r\n",
                "\u0015\u0003\u0001"
            })
    void garbageIsAnErrorOfTheProtocol(String answer) throws Exception {
        try (Origin proxy = proxy(answer)) {
            assertThat(failure(broxy.httpProxyDialer(proxy.target()).build()).reason())
                    .isEqualTo(Reason.PROTOCOL);
        }
    }

    @Test
    void aHeadThatIsCutByTheEndOrAResetIsAnErrorOfTheProtocol() throws Exception {
        try (Origin ending = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 20");
                });
                Origin resetting = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nX:");
                    peer.reset();
                })) {
            assertThat(failure(broxy.httpProxyDialer(ending.target()).build()).reason())
                    .isEqualTo(Reason.PROTOCOL);
            assertThat(failure(broxy.httpProxyDialer(resetting.target()).build())
                            .reason())
                    .isEqualTo(Reason.PROTOCOL);
        }
    }

    @Test
    void aMuteOrDrippingProxyTakesNoMoreThanTheDialsTime() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        try (Origin mute = Origin.start(peer -> peer.readAll());
                Origin dripping = Origin.start(peer -> {
                    peer.send("HTTP/1.1 200 OK\r\n");
                    while (!over.await(20, TimeUnit.MILLISECONDS)) {
                        peer.send("X: y\r\n");
                    }
                })) {
            DialRequest request =
                    DialRequest.builder(TARGET).timeout(Duration.ofMillis(300)).build();

            DialException failure = failure(broxy.httpProxyDialer(mute.target()).build(), request);
            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(failure.proxy()).isEqualTo(mute.target());
            assertThat(failure(broxy.httpProxyDialer(dripping.target()).build(), request)
                            .reason())
                    .isEqualTo(Reason.TIMEOUT);
            over.countDown();
        }
    }

    @Test
    void aProxyThatCannotBeReachedIsNamedWithTheReasonAndTheAttempts() throws Exception {
        HostPort closed = HeldPort.refusing();
        DialException failure = failure(broxy.httpProxyDialer(closed).build());

        assertThat(failure.reason()).isEqualTo(Reason.REFUSED);
        assertThat(failure.proxy()).isEqualTo(closed);
        assertThat(failure.proxyReply()).isNull();
        assertThat(failure.attempts()).hasSize(1);
        assertThat(failure.getCause()).isInstanceOf(DialException.class);
        assertThat(((DialException) failure.getCause()).target()).isEqualTo(closed);
    }

    @Test
    void thePolicyIsAskedForLiteralTargetsAndNotForTheProxy() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 200 OK\r\n\r\n")) {
            HttpProxyDialer dialer = broxy.httpProxyDialer(proxy.target()).build();
            HostPort inside = HostPort.parse("10.0.0.1:80");

            dialer.dial(DialRequest.builder(TARGET)
                            .addressPolicy(AddressPolicy.publicOnly())
                            .build())
                    .close();
            assertThat(failure(
                                    dialer,
                                    DialRequest.builder(inside)
                                            .addressPolicy(AddressPolicy.publicOnly())
                                            .build())
                            .reason())
                    .isEqualTo(Reason.DENIED);
            assertThat(proxy.accepted()).isEqualTo(1);
        }
    }

    @Test
    void cancellingAnAsynchronousDialClosesItsConnection() throws Exception {
        try (Origin mute = Origin.start(peer -> {
            peer.readHead();
            requests.add("asked");
            peer.readAll();
            requests.add("ended");
        })) {
            CompletableFuture<Connection> dial =
                    broxy.httpProxyDialer(mute.target()).build().dialAsync(DialRequest.to(TARGET), Runnable::run);
            assertThat(requests.poll(20, TimeUnit.SECONDS)).isEqualTo("asked");
            dial.cancel(true);

            assertThat(requests.poll(20, TimeUnit.SECONDS)).isEqualTo("ended");
        }
    }

    @Test
    void interruptingADialEndsItWithTheInterruptStatusSet() throws Exception {
        try (Origin mute = Origin.start(peer -> {
            peer.readHead();
            requests.add("asked");
            peer.readAll();
        })) {
            LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();
            Thread caller = new Thread(() -> {
                DialException failure =
                        failure(broxy.httpProxyDialer(mute.target()).build());
                seen.add(failure.reason() + " " + Thread.interrupted());
            });
            caller.start();
            requests.poll(20, TimeUnit.SECONDS);
            caller.interrupt();

            assertThat(seen.poll(20, TimeUnit.SECONDS)).isEqualTo("CANCELLED true");
            caller.join();
        }
    }

    @Test
    void closingTheEngineEndsADial() throws Exception {
        try (Origin mute = Origin.start(peer -> {
            peer.readHead();
            requests.add("asked");
            peer.readAll();
        })) {
            CompletableFuture<Connection> dial =
                    broxy.httpProxyDialer(mute.target()).build().dialAsync(DialRequest.to(TARGET), Runnable::run);
            requests.poll(20, TimeUnit.SECONDS);
            broxy.close();

            assertThat(dial)
                    .failsWithin(Duration.ofSeconds(20))
                    .withThrowableThat()
                    .havingCause()
                    .satisfies(e -> assertThat(((DialException) e).reason()).isEqualTo(Reason.CANCELLED));
            assertThatIllegalStateException().isThrownBy(() -> broxy.httpProxyDialer(TARGET));
        }
    }

    // ------------------------------------------------------------------ chains

    @Test
    void chainsCompose() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy near = Proxy.start();
                Proxy far = Proxy.start()) {
            HostPort nearest = HostPort.of("127.0.0.1", near.address().getPort());
            HostPort farther = HostPort.of("127.0.0.1", far.address().getPort());
            HttpProxyDialer chain = broxy.httpProxyDialer(farther)
                    .over(broxy.httpProxyDialer(nearest).build())
                    .build();
            try (Connection connection = chain.dial(origin.target())) {
                write(connection, "through both");
                assertThat(read(connection, 12)).isEqualTo("through both");
            }
            await().untilAsserted(() ->
                    assertThat(near.handler().stats().bytesToOrigin()).isGreaterThan(12));
            await().untilAsserted(() ->
                    assertThat(far.handler().stats().bytesToOrigin()).isEqualTo(12));
        }
    }

    @Test
    void aDialerOfOnesOwnMayReachTheProxyWhateverItsConnectionsAre() throws Exception {
        try (Origin proxy = proxy("HTTP/1.1 200 OK\r\n\r\n220 ready\r\n")) {
            Dialer direct = broxy.directDialer().build();
            Dialer foreign = request -> ForeignConnection.over(direct.dial(request));
            Dialer streams = request -> {
                try {
                    return broxy.asConnection(
                            new Socket(request.target().host(), request.target().port()));
                } catch (java.io.IOException e) {
                    throw new IllegalStateException(e);
                }
            };
            for (Dialer own : List.of(foreign, streams, request -> direct.dial(request))) {
                try (Connection connection =
                        broxy.httpProxyDialer(proxy.target()).over(own).build().dial(TARGET)) {
                    assertThat(read(connection, 11)).isEqualTo("220 ready\r\n");
                    write(connection, "x");
                    assertThat(read(connection, 1)).isEqualTo("x");
                }
            }
        }
    }

    @Test
    void aMuteProxyBehindADialerOfOnesOwnTakesNoMoreThanTheDialsTime() throws Exception {
        try (Origin mute = Origin.start(peer -> peer.readAll())) {
            Dialer direct = broxy.directDialer().build();
            HttpProxyDialer dialer = broxy.httpProxyDialer(mute.target())
                    .over(request -> ForeignConnection.over(direct.dial(request)))
                    .timeout(Duration.ofMillis(300))
                    .build();

            assertThat(failure(dialer).reason()).isEqualTo(Reason.TIMEOUT);
        }
    }

    // ------------------------------------------------------------------ TLS

    @Test
    void anHttpsProxyIsSpokenToInTls() throws Exception {
        Certificates certificates = Certificates.loopback();
        try (Origin proxy = Origin.startTls(certificates, peer -> {
                    requests.add(peer.readHead());
                    peer.send("HTTP/1.1 200 OK\r\n\r\n220 ready\r\n");
                    peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                });
                Connection connection = broxy.httpProxyDialer(proxy.target())
                        .tls(certificates.client())
                        .build()
                        .dial(TARGET)) {
            assertThat(read(connection, 11)).isEqualTo("220 ready\r\n");
            write(connection, "over TLS");
            assertThat(read(connection, 8)).isEqualTo("over TLS");
            assertThat(requests.take()).startsWith("CONNECT target.example:443 HTTP/1.1\r\n");
        }
    }

    @Test
    void anHttpsProxyWithoutAValidCertificateIsAnErrorOfTheProtocol() throws Exception {
        try (Origin proxy = Origin.startTls(Certificates.loopback(), peer -> peer.readAll())) {
            DialException failure = failure(broxy.httpProxyDialer(proxy.target())
                    .tls(javax.net.ssl.SSLContext.getDefault())
                    .build());

            assertThat(failure.reason()).isEqualTo(Reason.PROTOCOL);
            assertThat(failure.proxyReply()).isNull();
        }
    }

    @Test
    void aMuteHttpsProxyTakesNoMoreThanTheDialsTime() throws Exception {
        try (Origin mute = Origin.start(peer -> peer.readAll())) {
            DialException failure = failure(broxy.httpProxyDialer(mute.target())
                    .tls(Certificates.loopback().client())
                    .timeout(Duration.ofMillis(300))
                    .build());

            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
        }
    }

    // ------------------------------------------------------------------ the pool

    /** A proxy that keeps the connection after a refusal, and opens any other tunnel. */
    private static Origin persistentProxy(AtomicInteger asked) throws Exception {
        return Origin.start(peer -> {
            while (true) {
                String head = peer.readHead();
                asked.incrementAndGet();
                if (head.startsWith("CONNECT denied.example")) {
                    peer.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
                } else {
                    peer.send("HTTP/1.1 200 OK\r\n\r\n");
                    peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                    return;
                }
            }
        });
    }

    @Test
    void thePoolIsFilledAndItsSparesAreUsed() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (Origin proxy = persistentProxy(asked);
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer dialer =
                    broxy.httpProxyDialer(proxy.target()).pool(pool).build();
            pool.warm(dialer.key(), 2);
            await().untilAsserted(() -> assertThat(pool.stats().idle()).isEqualTo(2));
            try (Connection connection = dialer.dial(TARGET)) {
                write(connection, "x");
                assertThat(read(connection, 1)).isEqualTo("x");
                await().untilAsserted(() -> assertThat(proxy.accepted()).isEqualTo(3)); // the spare is replaced
            }
            assertThat(pool.stats().reused()).isEqualTo(1);
            pool.warm(dialer.key(), 0);
        }
    }

    @Test
    void aConnectionGoesBackAfterARefusalThatLeftItReusable() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (Origin proxy = persistentProxy(asked);
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer dialer =
                    broxy.httpProxyDialer(proxy.target()).pool(pool).build();
            HostPort denied = HostPort.parse("denied.example:443");
            for (int i = 0; i < 3; i++) {
                assertThat(failure(dialer, DialRequest.to(denied)).reason()).isEqualTo(Reason.PROXY_REFUSED);
                await().untilAsserted(() -> assertThat(pool.stats().idle()).isEqualTo(1));
            }
            dialer.dial(TARGET).close();

            assertThat(proxy.accepted()).isEqualTo(1);
            assertThat(asked.get()).isEqualTo(4);
            assertThat(pool.stats().idle()).isZero();
        }
    }

    @Test
    void aSpareThatTurnsOutStaleIsReplacedOnce() throws Exception {
        AtomicInteger number = new AtomicInteger();
        try (Origin proxy = Origin.start(peer -> {
                    boolean first = number.incrementAndGet() == 1;
                    peer.readHead();
                    if (first) {
                        return; // it was idle, and is given up as the request comes
                    }
                    peer.send("HTTP/1.1 200 OK\r\n\r\nfresh");
                    peer.readAll();
                });
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer dialer =
                    broxy.httpProxyDialer(proxy.target()).pool(pool).build();
            pool.warm(dialer.key(), 1);
            await().untilAsserted(() -> assertThat(pool.stats().idle()).isEqualTo(1));
            pool.warm(dialer.key(), 0);
            try (Connection connection = dialer.dial(TARGET)) {
                assertThat(read(connection, 5)).isEqualTo("fresh");
            }
            assertThat(proxy.accepted()).isEqualTo(2);
        }
    }

    @Test
    void aFreshConnectionThatBreaksIsNotTriedAgain() throws Exception {
        try (Origin proxy = Origin.start(Peer::readHead);
                ConnPool pool = broxy.connPool().build()) {
            assertThat(failure(broxy.httpProxyDialer(proxy.target()).pool(pool).build())
                            .reason())
                    .isEqualTo(Reason.PROTOCOL);
            assertThat(proxy.accepted()).isEqualTo(1);
        }
    }

    @Test
    void sparesOfAnHttpsProxySaveTheTlsHandshake() throws Exception {
        Certificates certificates = Certificates.loopback();
        try (Origin proxy = Origin.startTls(certificates, peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n\r\nhello");
                    peer.readAll();
                });
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer dialer = broxy.httpProxyDialer(proxy.target())
                    .tls(certificates.client())
                    .pool(pool)
                    .build();
            pool.warm(dialer.key(), 1);
            await().untilAsserted(() -> assertThat(pool.stats().idle()).isEqualTo(1));
            pool.warm(dialer.key(), 0);
            try (Connection connection = dialer.dial(TARGET)) {
                assertThat(read(connection, 5)).isEqualTo("hello");
            }
            assertThat(proxy.accepted()).isEqualTo(1);
            assertThat(pool.stats().reused()).isEqualTo(1);
        }
    }
}
