package io.broxy.core.interop;

import static io.broxy.core.testkit.Dialed.failure;
import static io.broxy.core.testkit.Dialed.read;
import static io.broxy.core.testkit.Dialed.write;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyReply;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Specifies that dialing works through third-party proxies. Each proxy runs for as long as this class; one that is not
 * installed is skipped.
 */
@ExtendWith(LeakCheck.class)
class RealUpstreamsTest {
    private static final int MEBIBYTE = 1 << 20;
    private static final Map<RealUpstream, Daemon> DAEMONS = new EnumMap<>(RealUpstream.class);

    private static Path folder;

    private Broxy broxy;

    @BeforeAll
    static void makeFolder(@TempDir Path made) {
        folder = made;
    }

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(2).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    @AfterAll
    static void stopAll() {
        DAEMONS.values().forEach(Daemon::close);
        DAEMONS.clear();
    }

    private static Daemon daemon(RealUpstream upstream) throws Exception {
        Daemon running = DAEMONS.get(upstream);
        if (running == null) {
            running = upstream.start(folder);
            DAEMONS.put(upstream, running);
        }
        return running;
    }

    private Dialer through(RealUpstream upstream) throws Exception {
        return upstream.dialer(broxy, daemon(upstream), broxy.directDialer().build());
    }

    // ------------------------------------------------------------------ the way to the target

    @ParameterizedTest
    @EnumSource
    void aMebibyteIsEchoedByteForByte(RealUpstream upstream) throws Exception {
        byte[] payload = Payload.bytes(MEBIBYTE, 7);
        Dialer dialer = through(upstream);
        try (Origin origin = Origin.echo();
                Connection connection = dialer.dial(origin.target());
                Socket socket = connection.asSocket()) {
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            CompletableFuture<?> writing =
                    Background.run(() -> socket.getOutputStream().write(payload));

            assertThat(socket.getInputStream().readNBytes(MEBIBYTE)).isEqualTo(payload);
            writing.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void targetFirstBytesArrive(RealUpstream upstream) throws Exception {
        Dialer dialer = through(upstream);
        try (Origin origin = Origin.greeting("220 ready\r\n");
                Connection connection = dialer.dial(origin.target())) {
            assertThat(read(connection, 11)).isEqualTo("220 ready\r\n");
        }
    }

    /** danted takes the address that announces a name of SOCKS 4a for the target's. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DANTED_4")
    void theProxyResolvesTheName(RealUpstream upstream) throws Exception {
        Dialer blind = broxy.directDialer()
                .resolver(host -> {
                    throw new AssertionError(host + " is looked up here");
                })
                .build();
        Dialer dialer = upstream.dialer(broxy, daemon(upstream), blind);
        InetAddress any = new InetSocketAddress(0).getAddress(); // localhost may be either family's
        try (Origin origin = Origin.start(any, peer -> {
                    peer.send("here");
                    peer.readAll();
                });
                Connection connection = dialer.dial(HostPort.of("localhost", origin.port()))) {
            assertThat(read(connection, 4)).isEqualTo("here");
        }
    }

    // ------------------------------------------------------------------ failures

    @ParameterizedTest
    @EnumSource
    void aTargetThatRefusesIsReported(RealUpstream upstream) throws Exception {
        HostPort closed = HeldPort.refusing();
        DialException failure = failure(through(upstream), closed);

        assertThat(failure.reason()).isEqualTo(upstream.refused());
        assertThat(failure.target()).isEqualTo(closed);
        assertThat(failure.proxy()).isEqualTo(daemon(upstream).target());
        ProxyReply reply = Objects.requireNonNull(failure.proxyReply());
        assertThat(reply.protocol()).isEqualTo(upstream.protocol());
        if (upstream.protocol() == ProxyReply.Protocol.SOCKS5) {
            assertThat(reply.status()).isEqualTo(5);
        } else if (upstream.protocol() == ProxyReply.Protocol.SOCKS4) {
            assertThat(reply.status()).isEqualTo(91);
        } else {
            assertThat(reply.status()).isBetween(500, 504);
            assertThat(UTF_8.decode(reply.body()).toString()).containsIgnoringCase("<html");
        }
    }

    @ParameterizedTest
    @CsvSource({"TINYPROXY, 403", "SQUID, 403", "SQUID_IN_TLS, 403", "DANTED, 2", "DANTED_4, 91"})
    void aTargetThatTheProxyForbidsIsARefusalOfTheProxy(RealUpstream upstream, int status) throws Exception {
        Dialer dialer = through(upstream);
        try (Origin origin = Origin.echo()) {
            DialException failure = failure(dialer, HostPort.of("127.0.0.2", origin.port()));

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_REFUSED);
            assertThat(Objects.requireNonNull(failure.proxyReply()).status()).isEqualTo(status);
            assertThat(origin.accepted()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DANTED_4")
    void wrongCredentialsAreReportedButNotShown(RealUpstream upstream) throws Exception {
        Dialer dialer = upstream.dialer(
                broxy, daemon(upstream), broxy.directDialer().build(), Credentials.basic("nobody-here", "hunter2"));
        try (Origin origin = Origin.echo()) {
            DialException failure = failure(dialer, origin.target());

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            ProxyReply reply = Objects.requireNonNull(failure.proxyReply());
            if (upstream.protocol() == ProxyReply.Protocol.HTTP) {
                assertThat(reply.status()).isEqualTo(upstream == RealUpstream.TINYPROXY ? 401 : 407);
                assertThat(reply.fields())
                        .anyMatch(field -> field.name().endsWith("-Authenticate")
                                && field.value().startsWith("Basic"));
            } else {
                assertThat(reply.status()).isPositive();
            }
            assertThat(failure).hasMessageNotContaining("hunter2").hasMessageNotContaining("nobody-here");
            assertThat(origin.accepted()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"DANTED", "DANTED_4"})
    void aProxyThatWantsCredentialsSaysSoWhenThereAreNone(RealUpstream upstream) throws Exception {
        Dialer dialer =
                upstream.dialer(broxy, daemon(upstream), broxy.directDialer().build(), null);
        try (Origin origin = Origin.echo()) {
            assertThat(failure(dialer, origin.target()).reason()).isEqualTo(Reason.PROXY_AUTH);
        }
    }

    // ------------------------------------------------------------------ chains, sockets, relays, pools

    @ParameterizedTest
    @CsvSource({
        "TINYPROXY, MICROSOCKS",
        "SQUID, MICROSOCKS",
        "SQUID_IN_TLS, DANTED",
        "DANTED, TINYPROXY",
        "MICROSOCKS, SQUID_IN_TLS",
        "MICROSOCKS, DANTED",
        "MICROSOCKS, DANTED_4",
        "DANTED_4, SQUID",
    })
    void chainsCompose(RealUpstream far, RealUpstream near) throws Exception {
        Dialer chain = far.dialer(broxy, daemon(far), through(near));
        try (Origin origin = Origin.echo();
                Connection connection = chain.dial(origin.target())) {
            write(connection, "through both");

            assertThat(read(connection, 12)).isEqualTo("through both");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSocketOfTheFactoryAsksAnHttpServer(RealUpstream upstream) throws Exception {
        byte[] body = Payload.bytes(100_000, 8);
        Dialer dialer = through(upstream);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try (Socket socket = broxy.asSocketFactory(dialer)
                .createSocket("127.0.0.1", server.getAddress().getPort())) {
            Peer client = new Peer(socket);
            client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(client.read(body.length)).isEqualTo(body);
        } finally {
            server.stop(0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void tlsWithTheTargetIsLayeredOverASocketOfTheFactory(RealUpstream upstream) throws Exception {
        byte[] payload = Payload.bytes(100_000, 9);
        Dialer dialer = through(upstream);
        SSLSocketFactory tls = Certificates.loopback().client().getSocketFactory();
        try (Origin origin = Origin.startTls(
                        Certificates.loopback(),
                        peer -> peer.socket()
                                .getInputStream()
                                .transferTo(peer.socket().getOutputStream()));
                Socket plain = broxy.asSocketFactory(dialer).createSocket("127.0.0.1", origin.port());
                SSLSocket secure = (SSLSocket) tls.createSocket(plain, "localhost", origin.port(), true)) {
            secure.setSoTimeout(Peer.PATIENCE_MILLIS);
            CompletableFuture<?> writing =
                    Background.run(() -> secure.getOutputStream().write(payload));
            InputStream in = secure.getInputStream();

            assertThat(in.readNBytes(payload.length)).isEqualTo(payload);
            writing.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aClientOfAHandlerIsTunnelledThroughIt(RealUpstream upstream) throws Exception {
        byte[] payload = Payload.bytes(MEBIBYTE, 10);
        Dialer dialer = through(upstream);
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.dialer(dialer));
                Peer client = proxy.connect(origin.target())) {
            CompletableFuture<?> writing = Background.run(() -> client.send(payload));

            assertThat(client.read(payload.length)).isEqualTo(payload);
            writing.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TINYPROXY", "SQUID", "SQUID_IN_TLS"})
    void aWarmSpareIsUsedAndReplaced(RealUpstream upstream) throws Exception {
        Daemon daemon = daemon(upstream);
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer dialer = upstream.http(broxy, daemon)
                    .credentials(Credentials.basic("user", "secret"))
                    .pool(pool)
                    .build();
            pool.warm(dialer.key(), 2);
            for (int i = 1; i <= 4; i++) {
                await().untilAsserted(() -> assertThat(pool.stats().idle()).isEqualTo(2));
                try (Connection connection = dialer.dial(origin.target())) {
                    write(connection, "x");
                    assertThat(read(connection, 1)).isEqualTo("x");
                }
                assertThat(pool.stats().reused()).isEqualTo(i);
            }
        }
    }

    @Test
    void squidCanBeAskedAgainAfterARefusal() throws Exception {
        Daemon daemon = daemon(RealUpstream.SQUID);
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer dialer = RealUpstream.SQUID
                    .http(broxy, daemon)
                    .credentials(Credentials.basic("user", "secret"))
                    .pool(pool)
                    .build();
            failure(dialer, HostPort.of("127.0.0.2", origin.port()));
            await().untilAsserted(() -> assertThat(pool.stats().idle()).isEqualTo(1));
            try (Connection connection = dialer.dial(origin.target())) {
                write(connection, "x");
                assertThat(read(connection, 1)).isEqualTo("x");
            }
            assertThat(pool.stats().created()).isEqualTo(1);
        }
    }
}
