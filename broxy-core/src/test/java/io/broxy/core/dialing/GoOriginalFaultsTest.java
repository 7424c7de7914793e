package io.broxy.core.dialing;

import static io.broxy.core.testkit.Dialed.failure;
import static io.broxy.core.testkit.Dialed.read;
import static io.broxy.core.testkit.Dialed.write;
import static io.broxy.core.testkit.SocksServer.OPEN;
import static io.broxy.core.testkit.SocksServer.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException.Reason;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.PoolStats.Eviction;
import io.broxy.ProxyUri;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.RuleException;
import io.broxy.Rules;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies that Broxy has none of the faults of the Go program that it is modeled on: one test each, named for the
 * fault and seen from outside. The details are specified with each subject.
 */
@ExtendWith(LeakCheck.class)
class GoOriginalFaultsTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");
    private static final InetAddress IPV6_LOOPBACK = ipv6Loopback();
    private static final long PATIENCE_SECONDS = 20;

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

    private static InetAddress ipv6Loopback() {
        try {
            return InetAddress.getByAddress(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        } catch (IOException e) {
            throw new AssertionError("16 bytes are an address", e);
        }
    }

    /** A proxy's answer to CONNECT, and then an echo. */
    private Origin.Script answering(String answer) {
        return peer -> {
            requests.add(peer.readHead());
            peer.send(answer);
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
        };
    }

    private static void assertEchoes(Dialer dialer) throws IOException {
        try (Connection connection = dialer.dial(TARGET)) {
            write(connection, "x");
            assertThat(read(connection, 1)).isEqualTo("x");
        }
    }

    @Test
    void poolNeverFilled() throws Exception {
        try (Origin proxy = Origin.start(answering("HTTP/1.1 200 OK\r\n\r\n"));
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer dialer =
                    broxy.httpProxyDialer(proxy.target()).pool(pool).build();
            pool.warm(dialer.key(), 3);
            await().untilAsserted(() -> assertThat(pool.stats().idle()).isEqualTo(3));

            assertEchoes(dialer);

            assertThat(pool.stats().reused()).isEqualTo(1);
            await().untilAsserted(() -> assertThat(pool.stats().idle()).isEqualTo(3));
        }
    }

    /** Whether an idle connection lives is seen while it is idle, so a lease need not read, nor wait for what it reads. */
    @Test
    void probeThatSwallowsAByteAndWaits1Ms() throws Exception {
        CountDownLatch stray = new CountDownLatch(1);
        DirectDialer direct = broxy.directDialer().build();
        try (Origin origin = Origin.start(peer -> {
                    for (int next = peer.read(1)[0]; next != 'z'; next = peer.read(1)[0]) {
                        peer.send("answer " + (char) next);
                    }
                    stray.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
                    peer.send("!");
                    peer.readAll();
                });
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key hop = ConnPool.Key.of(origin.target(), direct);
            for (String request : new String[] {"a", "b", "c", "z"}) {
                try (ConnPool.Lease lease = pool.lease(hop)) {
                    write(lease.connection(), request);
                    if (!request.equals("z")) {
                        assertThat(read(lease.connection(), 8)).isEqualTo("answer " + request);
                    }
                    lease.giveBack();
                }
            }
            assertThat(origin.accepted()).isEqualTo(1);
            stray.countDown();

            await().untilAsserted(() ->
                    assertThat(pool.stats().evicted(Eviction.STRAY_BYTES)).isEqualTo(1));
            assertThat(pool.stats().idle()).isZero();
        }
    }

    @Test
    void serverFirstBytesLostAfterTheProxys200() throws Exception {
        try (Origin proxy = Origin.start(answering("HTTP/1.1 200 OK\r\n\r\n220 ready\r\n"));
                Connection connection =
                        broxy.httpProxyDialer(proxy.target()).build().dial(TARGET)) {
            assertThat(read(connection, 11)).isEqualTo("220 ready\r\n");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 201, 202, 204, 206, 226, 299})
    void onlyStatus200Accepted(int status) throws Exception {
        try (Origin proxy = Origin.start(answering("HTTP/1.1 " + status + " Fine\r\n\r\n"))) {
            assertEchoes(broxy.httpProxyDialer(proxy.target()).build());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 5", "Content-Length: 0", "Transfer-Encoding: chunked"})
    void contentLengthOnA200Honoured(String field) throws Exception {
        try (Origin proxy = Origin.start(answering("HTTP/1.1 200 OK\r\n" + field + "\r\n\r\nfirst bytes"));
                Connection connection =
                        broxy.httpProxyDialer(proxy.target()).build().dial(TARGET)) {
            assertThat(read(connection, 11)).isEqualTo("first bytes");
            write(connection, "x");
            assertThat(read(connection, 1)).isEqualTo("x");
        }
    }

    @Test
    void ipv6UpstreamAddressesBroken() throws Exception {
        try (Origin http = Origin.start(IPV6_LOOPBACK, answering("HTTP/1.1 200 OK\r\n\r\n"));
                Origin socks = Origin.start(IPV6_LOOPBACK, peer -> {
                    requests.add(SocksServer.accept(peer).host());
                    peer.send(OPEN);
                    peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                })) {
            assertEchoes(broxy.dialerVia(ProxyUri.parse("http://[::1]:" + http.port())));
            assertEchoes(broxy.dialerVia(ProxyUri.parse("socks5://[::1]:" + socks.port())));
            assertEchoes(broxy.httpProxyDialer(HostPort.of("::1", http.port())).build());
        }
    }

    @Test
    void userInfoUnescapedWrongly() throws Exception {
        try (Origin proxy = Origin.start(answering("HTTP/1.1 200 OK\r\n\r\n"))) {
            assertEchoes(broxy.dialerVia(ProxyUri.parse("http://us%40er:p%3Aa%2Fs+s%20%2541%C3%A9@" + proxy.target())));

            assertThat(requests.poll(PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .contains("\r\nProxy-Authorization: "
                            + Credentials.basic("us@er", "p:a/s+s %41\u00e9").authorization() + "\r\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "05", "05 00", "05 00 05 00 00"})
    void socks5HandshakeWithoutDeadline(String beforeSilence) throws Exception {
        byte[] said = hex(beforeSilence);
        try (Origin mute = Origin.start(peer -> {
            SocksServer.methods(peer);
            peer.send(Arrays.copyOf(said, Math.min(2, said.length)));
            if (said.length >= 2) {
                SocksServer.request(peer);
                peer.send(Arrays.copyOfRange(said, 2, said.length));
            }
            peer.readAll();
        })) {
            assertThat(failure(
                                    broxy.socks5Dialer(mute.target())
                                            .timeout(Duration.ofMillis(300))
                                            .build(),
                                    TARGET)
                            .reason())
                    .isEqualTo(Reason.TIMEOUT);
        }
    }

    @Test
    void suffixRuleMatchingEvilgoogle() throws Exception {
        Dialer direct = broxy.directDialer().build();
        try (Origin proxied = Origin.greeting("by proxy");
                Origin other = Origin.greeting("directly")) {
            for (String domain : new String[] {"google.com", ".google.com", "GOOGLE.com."}) {
                RoutingDialer routing = broxy.routingDialer()
                        .hop("proxy", to(proxied.target(), direct))
                        .direct(to(other.target(), direct))
                        .rules(Rules.builder()
                                .domain(domain, Route.via("proxy"))
                                .build())
                        .build();

                assertThat(greetingOf(routing, "google.com:443")).isEqualTo("by proxy");
                assertThat(greetingOf(routing, "www.Google.com.:443")).isEqualTo("by proxy");
                assertThat(greetingOf(routing, "evilgoogle.com:443")).isEqualTo("directly");
                assertThat(greetingOf(routing, "google.com.evil.example:443")).isEqualTo("directly");
            }
        }
    }

    private static Dialer to(HostPort place, Dialer dialer) {
        return request -> dialer.dial(request.toBuilder().target(place).build());
    }

    private static String greetingOf(Dialer dialer, String target) throws IOException {
        try (Connection connection = dialer.dial(HostPort.parse(target))) {
            return read(connection, 8);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.0.0/33",
                "10.0.0.0/",
                "10.0.0.0/-1",
                "10.0.0/8",
                "10.0.0.256/8",
                "fe80::/129",
                "::g/8",
                "/8"
            })
    void badCidrSilentlyIgnored(String cidr) {
        Rules.Builder rules = Rules.builder().address("192.0.2.0/24", Route.direct());

        assertThatThrownBy(() -> rules.address(cidr, Route.deny()))
                .isInstanceOfSatisfying(
                        RuleException.class, e -> assertThat(e.index()).isEqualTo(1))
                .hasMessageContaining(cidr);
    }
}
