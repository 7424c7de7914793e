package io.broxy.core.dialing;

import static io.broxy.core.testkit.Dialed.failure;
import static io.broxy.core.testkit.Dialed.read;
import static io.broxy.core.testkit.Dialed.write;
import static io.broxy.core.testkit.SocksServer.GRANTED;
import static io.broxy.core.testkit.SocksServer.hex;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import io.broxy.ProxyUri;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.Socks4Dialer;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how a dialer opens a connection through a SOCKS 4 or 4a proxy, and how it reports each failure. */
@ExtendWith(LeakCheck.class)
class Socks4DialerTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");
    private static final HostPort IPV6 = HostPort.parse("[2001:db8::1]:443");

    private final LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();
    private Broxy broxy;

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
            seen.add(SocksServer.request4(peer).toString());
            peer.send(reply);
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
        });
    }

    /** A proxy that reads the request and never replies. */
    private Origin mute() throws IOException {
        return Origin.start(peer -> {
            SocksServer.request4(peer);
            seen.add("asked");
            peer.readAll();
            seen.add("ended");
        });
    }

    private String nextSeen() throws InterruptedException {
        return Objects.requireNonNullElse(seen.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "nothing");
    }

    private Socks4Dialer dialer(Origin proxy) {
        return broxy.socks4Dialer(proxy.target()).build();
    }

    private static byte[] grantedAnd(String text) {
        byte[] bytes = new byte[GRANTED.length + text.length()];
        System.arraycopy(GRANTED, 0, bytes, 0, GRANTED.length);
        System.arraycopy(text.getBytes(ISO_8859_1), 0, bytes, GRANTED.length, text.length());
        return bytes;
    }

    // ------------------------------------------------------------------ the way to the target

    @Test
    void theTunnelOpensAndTheNameGoesToTheProxyUnresolved() throws Exception {
        try (Origin proxy = proxy(GRANTED);
                Connection connection =
                        broxy.socks4Dialer(proxy.target()).userId("me").build().dial(TARGET)) {
            write(connection, "hello");

            assertThat(read(connection, 5)).isEqualTo("hello");
            assertThat(nextSeen()).isEqualTo("Request4[userId=me, family=NAME, host=target.example, port=443]");
            assertThat(connection.remoteAddress()).isEqualTo(proxy.address());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.1:65535", "[::ffff:192.0.2.1]:65535"})
    void anIpv4AddressIsAskedForAsSuch(String target) throws Exception {
        try (Origin proxy = proxy(GRANTED)) {
            dialer(proxy).dial(HostPort.parse(target)).close();

            assertThat(nextSeen()).isEqualTo("Request4[userId=, family=IPV4, host=192.0.2.1, port=65535]");
        }
    }

    @Test
    void targetFirstBytesBehindTheReplyAreNotLost() throws Exception {
        try (Origin proxy = proxy(grantedAnd("220 ready\r\n"));
                Connection connection = dialer(proxy).dial(TARGET)) {
            assertThat(read(connection, 11)).isEqualTo("220 ready\r\n");
            write(connection, "EHLO");
            assertThat(read(connection, 4)).isEqualTo("EHLO");
        }
    }

    @Test
    void targetFirstBytesReachAClientThroughARelay() throws Exception {
        try (Origin upstream = proxy(grantedAnd("220 ready\r\n"));
                Proxy proxy = Proxy.start(settings -> settings.dialer(dialer(upstream)));
                Peer client = proxy.connect(TARGET)) {
            assertThat(client.readText(11)).isEqualTo("220 ready\r\n");
            assertThat(client.send("EHLO").readText(4)).isEqualTo("EHLO");
        }
    }

    @Test
    void aReplyMayComeByteByByte() throws Exception {
        byte[] reply = grantedAnd("hi");
        try (Origin proxy = Origin.start(peer -> {
                    SocksServer.request4(peer);
                    for (byte each : reply) {
                        peer.send(new byte[] {each});
                    }
                    peer.readAll();
                });
                Connection connection = dialer(proxy).dial(TARGET)) {
            assertThat(read(connection, 2)).isEqualTo("hi");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost"})
    void theSocksFrontEndOfBroxyIsAProxyForIt(String host) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy upstream = Proxy.start(settings -> settings.socks(true));
                Connection connection = broxy.socks4Dialer(
                                HostPort.of("127.0.0.1", upstream.address().getPort()))
                        .build()
                        .dial(HostPort.of(host, origin.port()))) {
            write(connection, "hello");

            assertThat(read(connection, 5)).isEqualTo("hello");
        }
    }

    @Test
    void plainHttpGoesToTheOriginThroughIt() throws Exception {
        try (Origin upstream = Origin.start(peer -> {
                    seen.add(SocksServer.request4(peer).host());
                    peer.send(GRANTED);
                    seen.add(peer.readHead().lines().findFirst().orElse(""));
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
                    peer.readAll();
                });
                Proxy proxy = Proxy.start(settings -> settings.dialer(dialer(upstream)));
                Peer client = proxy.client()) {
            client.send("GET http://target.example/ HTTP/1.1\r\nHost: target.example\r\n\r\n");

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(client.readText(2)).isEqualTo("hi");
            assertThat(nextSeen()).isEqualTo("target.example");
            assertThat(nextSeen()).isEqualTo("GET / HTTP/1.1");
        }
    }

    @Test
    void aPoolKeepsTunnelsReady() throws Exception {
        try (Origin proxy = proxy(GRANTED);
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(TARGET, dialer(proxy));
            pool.warm(key, 1);
            await().untilAsserted(() -> assertThat(pool.stats().idle()).isEqualTo(1));

            try (ConnPool.Lease lease = pool.lease(key)) {
                write(lease.connection(), "hello");
                assertThat(read(lease.connection(), 5)).isEqualTo("hello");
            }
            assertThat(pool.stats().reused()).isEqualTo(1);
        }
    }

    @Test
    void aUriNamesTheUserId() throws Exception {
        try (Origin proxy = proxy(GRANTED)) {
            broxy.dialerVia(ProxyUri.parse("socks4a://m%65@" + proxy.target()))
                    .dial(TARGET)
                    .close();

            assertThat(nextSeen()).contains("userId=me", "host=target.example");
        }
    }

    @Test
    void aUserIdThatDoesNotFitIsRefusedByTheBuilder() {
        Socks4Dialer.Builder builder = broxy.socks4Dialer(TARGET).userId("a:b").userId("x".repeat(255));

        assertThatIllegalArgumentException().isThrownBy(() -> builder.userId("x".repeat(256)));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.userId("\u00e9".repeat(128)));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.userId("a\0b"));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.userId("\ud800"));
    }

    // ------------------------------------------------------------------ failures

    @ParameterizedTest
    @CsvSource({"91, PROXY_REFUSED", "92, PROXY_AUTH", "93, PROXY_AUTH", "94, PROTOCOL", "0, PROTOCOL"})
    void everyReplyCodeHasAReasonAndIsTold(int code, Reason reason) throws Exception {
        try (Origin proxy = proxy(hex("00 " + String.format("%02x", code) + " 00 00 00 00 00 00"))) {
            DialException failure = failure(dialer(proxy), TARGET);

            assertThat(failure.reason()).isEqualTo(reason);
            assertThat(failure.proxy()).isEqualTo(proxy.target());
            ProxyReply reply = Objects.requireNonNull(failure.proxyReply());
            assertThat(reply.protocol()).isEqualTo(ProxyReply.Protocol.SOCKS4);
            assertThat(reply.status()).isEqualTo(code);
            assertThat(failure)
                    .hasMessageStartingWith("dialing " + TARGET + " via " + proxy.target() + " failed: " + reason.text()
                            + " (SOCKS4 " + code + "), after ");
        }
    }

    @Test
    void anIpv6AddressFailsWithoutAConnectionToTheProxy() throws Exception {
        try (Origin proxy = proxy(GRANTED)) {
            DialException failure = failure(dialer(proxy), IPV6);

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_REFUSED);
            assertThat(failure.proxyReply()).isNull();
            assertThat(failure.proxy()).isEqualTo(proxy.target());
            assertThat(failure).hasMessageContaining("SOCKS version 4 has no IPv6 addresses");
            assertThat(proxy.accepted()).isZero();
        }
    }

    @Test
    void anIpv6AddressPutsNoPenaltyOnTheHop() throws Exception {
        try (Origin proxy = proxy(GRANTED);
                Origin other = Origin.start(Peer::readAll)) {
            RoutingDialer dialer = broxy.routingDialer()
                    .hop("socks", dialer(proxy))
                    .hop("other", broxy.httpProxyDialer(other.target()).build())
                    .rules(Rules.builder()
                            .otherwise(Route.via("socks", "other"))
                            .build())
                    .build();

            assertThat(failure(dialer, IPV6).reason()).isEqualTo(Reason.PROXY_REFUSED);
            dialer.dial(TARGET).close();

            assertThat(other.accepted()).isZero();
        }
    }

    @Test
    void aClientThatAsksForAnIpv6AddressGets502() throws Exception {
        try (Origin upstream = proxy(GRANTED);
                Proxy proxy = Proxy.start(settings -> settings.dialer(dialer(upstream)));
                Peer tunnel = proxy.client();
                Peer plain = proxy.client()) {
            tunnel.send(Proxy.connectHead(IPV6));
            plain.send("GET http://" + IPV6 + "/ HTTP/1.1\r\nHost: " + IPV6 + "\r\n\r\n");

            assertThat(tunnel.readHead()).startsWith("HTTP/1.1 502 ");
            assertThat(plain.readHead()).startsWith("HTTP/1.1 502 ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"05 00 00 01 00 00 00 00 00 00", "48 54 54 50 2f 31 2e 31 20", "", "00", "00 5a 00 00"})
    void garbageAndACutReplyAreErrorsOfTheProtocol(String reply) throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            SocksServer.request4(peer);
            peer.send(hex(reply));
        })) {
            DialException failure = failure(dialer(proxy), TARGET);

            assertThat(failure.reason()).isEqualTo(Reason.PROTOCOL);
            assertThat(failure.proxyReply()).isNull();
        }
    }

    @Test
    void aRefusalThatIsCutBehindItsCodeIsStillARefusal() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            SocksServer.request4(peer);
            peer.send(hex("00 5b"));
        })) {
            assertThat(failure(dialer(proxy), TARGET).reason()).isEqualTo(Reason.PROXY_REFUSED);
        }
    }

    @Test
    void aProxyThatCannotBeReachedIsNamed() throws Exception {
        HostPort closed = HeldPort.refusing();
        DialException failure = failure(broxy.socks4Dialer(closed).build(), TARGET);

        assertThat(failure.reason()).isEqualTo(Reason.REFUSED);
        assertThat(failure.proxy()).isEqualTo(closed);
        assertThat(failure.attempts()).hasSize(1);
    }

    @Test
    void thePolicyIsAskedForLiteralTargetsAndNotForTheProxy() throws Exception {
        try (Origin proxy = proxy(GRANTED)) {
            DialRequest.Builder name = DialRequest.builder(TARGET).addressPolicy(AddressPolicy.publicOnly());
            dialer(proxy).dial(name.build()).close();

            for (String inside : new String[] {"10.0.0.1:80", "[::1]:80"}) {
                DialRequest denied = DialRequest.builder(HostPort.parse(inside))
                        .addressPolicy(AddressPolicy.publicOnly())
                        .build();
                assertThat(failure(dialer(proxy), denied).reason()).as(inside).isEqualTo(Reason.DENIED);
            }
            assertThat(proxy.accepted()).isEqualTo(1);
        }
    }

    @Test
    void theUserIdIsNotShown() throws Exception {
        try (Origin proxy = proxy(hex("00 5d 00 00 00 00 00 00"))) {
            Socks4Dialer dialer =
                    broxy.socks4Dialer(proxy.target()).userId("agent-47").build();

            assertThat(failure(dialer, TARGET)).hasMessageNotContaining("agent-47");
            assertThat(dialer.toString()).doesNotContain("agent-47");
            assertThat(ProxyUri.of(ProxyUri.Scheme.SOCKS4, TARGET, Credentials.basic("agent-47", ""))
                            .toString())
                    .doesNotContain("agent-47");
        }
    }

    // ------------------------------------------------------------------ time and ends

    @Test
    void aMuteProxyTakesNoMoreThanTheDialsTime() throws Exception {
        try (Origin mute = mute()) {
            Socks4Dialer dialer = broxy.socks4Dialer(mute.target())
                    .timeout(Duration.ofMillis(300))
                    .build();

            assertThat(failure(dialer, TARGET).reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(nextSeen()).isEqualTo("asked");
            assertThat(nextSeen()).isEqualTo("ended");
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
}
