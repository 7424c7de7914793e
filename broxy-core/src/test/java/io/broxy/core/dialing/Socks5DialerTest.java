package io.broxy.core.dialing;

import static io.broxy.core.testkit.Dialed.failure;
import static io.broxy.core.testkit.Dialed.read;
import static io.broxy.core.testkit.Dialed.write;
import static io.broxy.core.testkit.SocksServer.OPEN;
import static io.broxy.core.testkit.SocksServer.hex;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.broxy.AddressPolicy;
import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import io.broxy.Socks5Dialer;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies how a dialer opens a connection through a SOCKS5 proxy (RFC 1928, RFC 1929), and how it reports each
 * failure.
 */
@ExtendWith(LeakCheck.class)
class Socks5DialerTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");
    private static final long PATIENCE_SECONDS = 20;

    private Broxy broxy;
    private final LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(2).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    /** A proxy that notes what is asked for and gives one reply, then echoes. */
    private Origin proxy(byte[] reply) throws IOException {
        return Origin.start(peer -> {
            seen.add(SocksServer.accept(peer).toString());
            peer.send(reply);
            echo(peer);
        });
    }

    private static void echo(Peer peer) throws IOException {
        peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
    }

    /** A proxy that says something at once, and nothing more. */
    private static Origin saying(String hexDigits) throws IOException {
        return Origin.start(peer -> {
            peer.send(hex(hexDigits));
            peer.readAll();
        });
    }

    /** A proxy that opens the way and never replies. */
    private Origin mute() throws IOException {
        return Origin.start(peer -> {
            SocksServer.accept(peer);
            seen.add("asked");
            peer.readAll();
            seen.add("ended");
        });
    }

    private String nextSeen() throws InterruptedException {
        return Objects.requireNonNullElse(seen.poll(PATIENCE_SECONDS, TimeUnit.SECONDS), "nothing");
    }

    private Socks5Dialer dialer(Origin proxy) {
        return broxy.socks5Dialer(proxy.target()).build();
    }

    private static DialRequest soon(HostPort target) {
        return DialRequest.builder(target).timeout(Duration.ofMillis(300)).build();
    }

    private static byte[] openAnd(String text) {
        byte[] bytes = new byte[OPEN.length + text.length()];
        System.arraycopy(OPEN, 0, bytes, 0, OPEN.length);
        System.arraycopy(text.getBytes(ISO_8859_1), 0, bytes, OPEN.length, text.length());
        return bytes;
    }

    // ------------------------------------------------------------------ the way to the target

    @Test
    void theTunnelOpensAndTheNameGoesToTheProxyUnresolved() throws Exception {
        try (Origin proxy = proxy(OPEN);
                Connection connection = dialer(proxy).dial(TARGET)) {
            write(connection, "hello");

            assertThat(read(connection, 5)).isEqualTo("hello");
            assertThat(nextSeen()).isEqualTo("Request[family=NAME, host=target.example, port=443]");
            assertThat(connection.remoteAddress()).isEqualTo(proxy.address());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1:80,           'Request[family=IPV4, host=192.0.2.1, port=80]'",
        "[2001:db8::1]:65535,    'Request[family=IPV6, host=2001:db8:0:0:0:0:0:1, port=65535]'",
        "[::ffff:192.0.2.1]:80,  'Request[family=IPV4, host=192.0.2.1, port=80]'",
    })
    void anAddressIsAskedForAsOneOfItsFamily(String target, String request) throws Exception {
        try (Origin proxy = proxy(OPEN)) {
            dialer(proxy).dial(HostPort.parse(target)).close();

            assertThat(nextSeen()).isEqualTo(request);
        }
    }

    @Test
    void aProxyWithAnIpv6AddressIsReached() throws Exception {
        InetAddress loopback = InetAddress.getByAddress(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        try (Origin proxy = Origin.start(loopback, peer -> {
                    SocksServer.accept(peer);
                    peer.send(OPEN);
                    echo(peer);
                });
                Connection connection = dialer(proxy).dial(TARGET)) {
            write(connection, "x");

            assertThat(read(connection, 1)).isEqualTo("x");
            assertThat(((InetSocketAddress) connection.remoteAddress()).getAddress())
                    .isInstanceOf(Inet6Address.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "05 00 00 01 7f 00 00 01 12 34",
                "05 00 00 04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 12 34",
                "05 00 00 03 05 68 65 6c 6c 6f 12 34",
                "05 00 00 03 00 12 34",
            })
    void theBoundAddressMayBeOfAnyType(String reply) throws Exception {
        try (Origin proxy = proxy(hex(reply));
                Connection connection = dialer(proxy).dial(TARGET)) {
            write(connection, "x");

            assertThat(read(connection, 1)).isEqualTo("x");
        }
    }

    @Test
    void targetFirstBytesAfterTheReplyAreNotLost() throws Exception {
        try (Origin proxy = proxy(openAnd("220 ready\r\n"));
                Connection connection = dialer(proxy).dial(TARGET)) {
            assertThat(read(connection, 11)).isEqualTo("220 ready\r\n");
            write(connection, "EHLO");
            assertThat(read(connection, 4)).isEqualTo("EHLO");
        }
    }

    @Test
    void targetFirstBytesAreTheFirstThatASocketReadsToo() throws Exception {
        try (Origin proxy = proxy(openAnd("220 ready\r\n"));
                Socket socket = broxy.asSocketFactory(dialer(proxy)).createSocket("target.example", 443)) {
            assertThat(socket.getInputStream().readNBytes(11)).asString().isEqualTo("220 ready\r\n");
        }
    }

    @Test
    void targetFirstBytesReachAClientThroughARelay() throws Exception {
        try (Origin upstream = proxy(openAnd("220 ready\r\n"));
                Proxy proxy = Proxy.start(settings -> settings.dialer(dialer(upstream)));
                Peer client = proxy.connect(TARGET)) {
            assertThat(client.readText(11)).isEqualTo("220 ready\r\n");
            assertThat(client.send("EHLO").readText(4)).isEqualTo("EHLO");
        }
    }

    @Test
    void aReplyMayComeByteByByte() throws Exception {
        byte[] reply = openAnd("hi");
        try (Origin proxy = Origin.start(peer -> {
                    SocksServer.methods(peer);
                    peer.send(hex("05")).send(hex("00"));
                    SocksServer.request(peer);
                    for (byte each : reply) {
                        peer.send(new byte[] {each});
                    }
                    peer.readAll();
                });
                Connection connection = dialer(proxy).dial(TARGET)) {
            assertThat(read(connection, 2)).isEqualTo("hi");
        }
    }

    // ------------------------------------------------------------------ credentials

    @Test
    void userAndPasswordAreGivenWhenTheProxyWantsThem() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
                    seen.add(SocksServer.methods(peer));
                    peer.send(hex("05 02"));
                    seen.add(SocksServer.password(peer));
                    peer.send(hex("01 00"));
                    seen.add(SocksServer.request(peer).host());
                    peer.send(OPEN);
                    echo(peer);
                });
                Connection connection = broxy.socks5Dialer(proxy.target())
                        .credentials(Credentials.basic("user", "a:b c"))
                        .build()
                        .dial(TARGET)) {
            write(connection, "x");

            assertThat(read(connection, 1)).isEqualTo("x");
            assertThat(nextSeen()).isEqualTo("00 02");
            assertThat(nextSeen()).isEqualTo("user:a:b c");
            assertThat(nextSeen()).isEqualTo("target.example");
        }
    }

    /** RFC 1929 section 2 has 1 to 255 bytes, and the field has room for 0; dante and others have users without a password. */
    @ParameterizedTest
    @ValueSource(strings = {"01 00", "05 00"})
    void anEmptyPasswordIsSentAsSuchAndTheAnswersVersionMayBe5(String status) throws Exception {
        try (Origin proxy = Origin.start(peer -> {
                    seen.add(SocksServer.methods(peer));
                    peer.send(hex("05 02"));
                    seen.add(SocksServer.password(peer));
                    peer.send(hex(status));
                    seen.add(SocksServer.request(peer).host());
                    peer.send(OPEN);
                    echo(peer);
                });
                Connection connection = broxy.socks5Dialer(proxy.target())
                        .credentials(Credentials.basic("user", ""))
                        .build()
                        .dial(TARGET)) {
            write(connection, "x");

            assertThat(read(connection, 1)).isEqualTo("x");
            assertThat(nextSeen()).isEqualTo("00 02");
            assertThat(nextSeen()).isEqualTo("user:");
            assertThat(nextSeen()).isEqualTo("target.example");
        }
    }

    @Test
    void userAndPasswordAreNotGivenToAProxyThatDoesNotAskForThem() throws Exception {
        try (Origin proxy = proxy(OPEN)) {
            broxy.socks5Dialer(proxy.target())
                    .credentials(Credentials.basic("user", "secret"))
                    .build()
                    .dial(TARGET)
                    .close();

            assertThat(nextSeen()).contains("target.example");
        }
    }

    @Test
    void aPasswordThatTheProxyRefusesIsNotShown() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            SocksServer.methods(peer);
            peer.send(hex("05 02"));
            SocksServer.password(peer);
            peer.send(hex("01 07"));
            peer.readAll();
        })) {
            DialException failure = failure(
                    broxy.socks5Dialer(proxy.target())
                            .credentials(Credentials.basic("user", "hunter2"))
                            .build(),
                    TARGET);

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertThat(Objects.requireNonNull(failure.proxyReply()).status()).isEqualTo(7);
            assertThat(failure).hasMessageNotContaining("hunter2");
            assertThat(proxy.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aProxyThatTakesNoneOfTheMethodsWantsOtherCredentials() throws Exception {
        try (Origin proxy = saying("05 ff")) {
            DialException failure = failure(dialer(proxy), TARGET);

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertThat(failure.proxy()).isEqualTo(proxy.target());
        }
    }

    @Test
    void credentialsThatDoNotFitAreRefusedByTheBuilder() {
        Socks5Dialer.Builder builder = broxy.socks5Dialer(TARGET);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.credentials(Credentials.basic("a".repeat(256), "hunter2")))
                .withMessageNotContaining("hunter2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.credentials(Credentials.basic("user", "\u00e9".repeat(128))));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.credentials(Credentials.basic("", "hunter2")));
        builder.credentials(Credentials.basic("a".repeat(255), "b".repeat(255)));
    }

    // ------------------------------------------------------------------ failures

    @ParameterizedTest
    @CsvSource({
        "1,   PROXY_REFUSED",
        "2,   PROXY_REFUSED",
        "3,   UNREACHABLE",
        "4,   UNREACHABLE",
        "5,   REFUSED",
        "6,   UNREACHABLE",
        "7,   PROTOCOL",
        "8,   PROTOCOL",
        "9,   PROTOCOL",
        "255, PROTOCOL",
    })
    void everyReplyCodeHasAReasonAndIsReported(int code, Reason reason) throws Exception {
        try (Origin proxy = proxy(hex("05 " + String.format("%02x", code) + " 00 01 00 00 00 00 00 00"))) {
            DialException failure = failure(dialer(proxy), TARGET);

            assertThat(failure.reason()).isEqualTo(reason);
            assertThat(failure.target()).isEqualTo(TARGET);
            assertThat(failure.proxy()).isEqualTo(proxy.target());
            ProxyReply reply = Objects.requireNonNull(failure.proxyReply());
            assertThat(reply.protocol()).isEqualTo(ProxyReply.Protocol.SOCKS5);
            assertThat(reply.status()).isEqualTo(code);
            assertThat(reply.fields()).isEmpty();
            assertThat(reply.body().hasRemaining()).isFalse();
            assertThat(failure)
                    .hasMessageStartingWith("dialing " + TARGET + " via " + proxy.target() + " failed: " + reason.text()
                            + " (SOCKS5 " + code + "), after ");
        }
    }

    @Test
    void aRefusalThatIsCutAfterItsCodeIsStillARefusal() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            SocksServer.accept(peer);
            peer.send(hex("05 05"));
        })) {
            assertThat(failure(dialer(proxy), TARGET).reason()).isEqualTo(Reason.REFUSED);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "48 54 54 50 2f 31 2e 31 20 34 30 30 20 42 61 64", // an HTTP proxy
                "53 53 48 2d 32 2e 30 2d 78 0d 0a", // a server of something else
                "04 5a 00 00 00 00 00 00",
                "15 03 01 00 02 02 46", // an alert of TLS
                "05 02", // a method that was not offered
                "05 01",
                "05 00 05 00 00 01 00 00 00 00 00 00", // the reply before the request
            })
    void garbageIsAnErrorOfTheProtocol(String garbage) throws Exception {
        try (Origin proxy = saying(garbage)) {
            DialException failure = failure(dialer(proxy), TARGET);

            assertThat(failure.reason()).isEqualTo(Reason.PROTOCOL);
            assertThat(failure.proxyReply()).isNull();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"04 00 00 01 00 00 00 00 00 00", "05 00 00 02 00 00 00 00 00 00", "00", "48 54 54 50 2f"})
    void garbageForAReplyIsAnErrorOfTheProtocol(String garbage) throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            SocksServer.accept(peer);
            peer.send(hex(garbage));
        })) {
            assertThat(failure(dialer(proxy), TARGET).reason()).isEqualTo(Reason.PROTOCOL);
        }
    }

    /** What the proxy says before it is gone, and whether the request has come by then. */
    @ParameterizedTest
    @CsvSource({"'', ''", "05, ''", "05 00, ''", "05 00, 05", "05 00, 05 00 00 01 7f", "05 00, 05 00 00 03 ff 61 62"})
    void aTalkThatIsCutAnywhereIsAnErrorOfTheProtocol(String method, String reply) throws Exception {
        for (boolean byReset : new boolean[] {false, true}) {
            try (Origin proxy = Origin.start(peer -> {
                SocksServer.methods(peer);
                peer.send(hex(method));
                if (!reply.isEmpty()) {
                    SocksServer.request(peer);
                    peer.send(hex(reply));
                }
                if (byReset) {
                    peer.reset();
                }
            })) {
                DialException failure = failure(dialer(proxy), TARGET);

                assertThat(failure.reason()).as("by a reset: %s", byReset).isEqualTo(Reason.PROTOCOL);
                assertThat(failure.proxy()).isEqualTo(proxy.target());
                assertThat(failure.getCause()).isInstanceOf(IOException.class);
            }
        }
    }

    @Test
    void aProxyThatCannotBeReachedIsNamedWithTheReasonAndTheAttempts() throws Exception {
        HostPort closed = HeldPort.refusing();
        DialException failure = failure(broxy.socks5Dialer(closed).build(), TARGET);

        assertThat(failure.reason()).isEqualTo(Reason.REFUSED);
        assertThat(failure.proxy()).isEqualTo(closed);
        assertThat(failure.proxyReply()).isNull();
        assertThat(failure.attempts()).hasSize(1);
        assertThat(failure.getCause())
                .isInstanceOfSatisfying(
                        DialException.class, e -> assertThat(e.target()).isEqualTo(closed));
    }

    @Test
    void thePolicyIsAskedForLiteralTargetsAndNotForTheProxy() throws Exception {
        try (Origin proxy = proxy(OPEN)) {
            DialRequest inside = DialRequest.builder(HostPort.parse("10.0.0.1:80"))
                    .addressPolicy(AddressPolicy.publicOnly())
                    .build();

            dialer(proxy)
                    .dial(DialRequest.builder(TARGET)
                            .addressPolicy(AddressPolicy.publicOnly())
                            .build())
                    .close();
            assertThat(failure(dialer(proxy), inside).reason()).isEqualTo(Reason.DENIED);
            assertThat(proxy.accepted()).isEqualTo(1);
        }
    }

    // ------------------------------------------------------------------ time and ends

    /** Named for the fault of the Go original: {@code SOCKS5 handshake without deadline}. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void socks5HandshakeHasADeadlineAtEveryStep(int stepsBeforeSilence) throws Exception {
        try (Origin mute = Origin.start(peer -> {
            if (stepsBeforeSilence > 0) {
                SocksServer.methods(peer);
                peer.send(hex("05 02"));
            }
            if (stepsBeforeSilence > 1) {
                SocksServer.password(peer);
                peer.send(hex("01 00"));
            }
            if (stepsBeforeSilence > 2) {
                SocksServer.request(peer);
                peer.send(hex("05 00 00 01 7f"));
            }
            peer.readAll();
            seen.add("ended");
        })) {
            DialException failure = failure(
                    broxy.socks5Dialer(mute.target())
                            .credentials(Credentials.basic("user", "secret"))
                            .build(),
                    soon(TARGET));

            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(failure.proxy()).isEqualTo(mute.target());
            assertThat(nextSeen()).isEqualTo("ended");
        }
    }

    @Test
    void theDialersOwnTimeIsTheDeadlineOfARequestWithoutOne() throws Exception {
        try (Origin mute = mute()) {
            Socks5Dialer dialer = broxy.socks5Dialer(mute.target())
                    .timeout(Duration.ofMillis(300))
                    .build();

            assertThat(failure(dialer, TARGET).reason()).isEqualTo(Reason.TIMEOUT);
        }
    }

    @Test
    void aDrippingProxyTakesNoMoreThanTheDialsTime() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        try (Origin dripping = Origin.start(peer -> {
            SocksServer.accept(peer);
            peer.send(hex("05 00 00 03 ff"));
            for (int left = 256; left > 0 && !over.await(20, TimeUnit.MILLISECONDS); left--) {
                peer.send("x");
            }
        })) {
            assertThat(failure(dialer(dripping), soon(TARGET)).reason()).isEqualTo(Reason.TIMEOUT);
            over.countDown();
        }
    }

    @Test
    void cancellingAnAsynchronousDialClosesItsConnection() throws Exception {
        try (Origin mute = mute()) {
            CompletableFuture<Connection> dial = dialer(mute).dialAsync(DialRequest.to(TARGET), Runnable::run);
            assertThat(nextSeen()).isEqualTo("asked");
            dial.cancel(true);

            assertThat(nextSeen()).isEqualTo("ended");
        }
    }

    @Test
    void interruptingADialEndsItWithTheInterruptStatusSet() throws Exception {
        try (Origin mute = mute()) {
            LinkedBlockingQueue<String> ends = new LinkedBlockingQueue<>();
            Thread caller = new Thread(() -> {
                DialException failure = failure(dialer(mute), TARGET);
                ends.add(failure.reason() + " " + Thread.interrupted());
            });
            caller.start();
            assertThat(nextSeen()).isEqualTo("asked");
            caller.interrupt();

            assertThat(ends.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("CANCELLED true");
            assertThat(nextSeen()).isEqualTo("ended");
            caller.join();
        }
    }

    @Test
    void closingTheEngineEndsADial() throws Exception {
        try (Origin mute = mute()) {
            CompletableFuture<Connection> dial = dialer(mute).dialAsync(DialRequest.to(TARGET), Runnable::run);
            assertThat(nextSeen()).isEqualTo("asked");
            broxy.close();

            assertThat(dial)
                    .failsWithin(Duration.ofSeconds(PATIENCE_SECONDS))
                    .withThrowableThat()
                    .havingCause()
                    .satisfies(e -> assertThat(((DialException) e).reason()).isEqualTo(Reason.CANCELLED));
            assertThatIllegalStateException().isThrownBy(() -> broxy.socks5Dialer(TARGET));
        }
    }
}
