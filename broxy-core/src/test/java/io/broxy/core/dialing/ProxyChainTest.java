package io.broxy.core.dialing;

import static io.broxy.core.testkit.Dialed.failure;
import static io.broxy.core.testkit.Dialed.read;
import static io.broxy.core.testkit.Dialed.write;
import static io.broxy.core.testkit.SocksServer.OPEN;
import static io.broxy.core.testkit.SocksServer.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.Socks5Dialer;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.ForeignConnection;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that proxy dialers work over each other, and over dialers that users write. */
@ExtendWith(LeakCheck.class)
class ProxyChainTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");

    private Broxy broxy;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(2).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    private static HostPort addressOf(Proxy proxy) {
        return HostPort.of("127.0.0.1", proxy.address().getPort());
    }

    private static void assertEchoes(Connection connection, String text) throws IOException {
        write(connection, text);
        assertThat(read(connection, text.length())).isEqualTo(text);
    }

    // ------------------------------------------------------------------ that work

    @Test
    void httpOverSocks5OverDirect() throws Exception {
        try (Origin origin = Origin.echo();
                Origin near = Origin.start(SocksServer::relay);
                Proxy far = Proxy.start()) {
            Dialer chain = broxy.httpProxyDialer(addressOf(far))
                    .over(broxy.socks5Dialer(near.target())
                            .over(broxy.directDialer().build())
                            .build())
                    .build();
            try (Connection connection = chain.dial(origin.target())) {
                assertEchoes(connection, "through both");
                assertThat(connection.remoteAddress()).isEqualTo(near.address());
            }
            assertThat(near.accepted()).isEqualTo(1);
            await().untilAsserted(() ->
                    assertThat(far.handler().stats().bytesToOrigin()).isEqualTo(12));
        }
    }

    @Test
    void socks5OverHttp() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy near = Proxy.start();
                Origin far = Origin.start(SocksServer::relay);
                Connection connection = broxy.socks5Dialer(far.target())
                        .over(broxy.httpProxyDialer(addressOf(near)).build())
                        .build()
                        .dial(origin.target())) {
            assertEchoes(connection, "through both");

            assertThat(far.accepted()).isEqualTo(1);
            assertThat(connection.remoteAddress()).isEqualTo(near.address());
        }
    }

    @Test
    void socks5OverHttpInTls() throws Exception {
        Certificates certificates = Certificates.loopback();
        try (Origin https = Origin.startTls(certificates, peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n\r\n");
                    SocksServer.accept(peer);
                    peer.send(OPEN).send("220 ready");
                    peer.readAll();
                });
                Connection connection = broxy.socks5Dialer(HostPort.parse("socks.example:1080"))
                        .over(broxy.httpProxyDialer(https.target())
                                .tls(certificates.client())
                                .build())
                        .build()
                        .dial(TARGET)) {
            assertThat(read(connection, 9)).isEqualTo("220 ready");
        }
    }

    @Test
    void eachProxyHearsItsOwnCredentialsAndTheNameOfTheNext() throws Exception {
        LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();
        try (Origin both = Origin.start(peer -> {
            SocksServer.methods(peer);
            peer.send(hex("05 02"));
            seen.add(SocksServer.password(peer));
            peer.send(hex("01 00"));
            seen.add(SocksServer.request(peer).host());
            peer.send(OPEN);
            seen.add(peer.readHead());
            peer.send("HTTP/1.1 200 OK\r\n\r\n");
            peer.readAll();
        })) {
            Credentials far = Credentials.basic("far", "1");
            broxy.httpProxyDialer(HostPort.parse("far.example:3128"))
                    .credentials(far)
                    .over(broxy.socks5Dialer(both.target())
                            .credentials(Credentials.basic("near", "2"))
                            .build())
                    .build()
                    .dial(TARGET)
                    .close();

            assertThat(seen.take()).isEqualTo("near:2");
            assertThat(seen.take()).isEqualTo("far.example");
            assertThat(seen.take())
                    .startsWith("CONNECT target.example:443 HTTP/1.1\r\n")
                    .contains("\r\nProxy-Authorization: " + far.authorization() + "\r\n");
        }
    }

    @Test
    void socks5OverADialerOfOnesOwnWhateverItsConnectionsAre() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            SocksServer.accept(peer);
            peer.send(OPEN).send("220 ready");
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
        })) {
            Dialer direct = broxy.directDialer().build();
            Dialer foreign = request -> ForeignConnection.over(direct.dial(request));
            Dialer streams = request -> {
                try {
                    return broxy.asConnection(
                            new Socket(request.target().host(), request.target().port()));
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            };
            for (Dialer own : List.of(foreign, streams, request -> direct.dial(request))) {
                try (Connection connection =
                        broxy.socks5Dialer(proxy.target()).over(own).build().dial(TARGET)) {
                    assertThat(read(connection, 9)).isEqualTo("220 ready");
                    assertEchoes(connection, "x");
                }
            }
        }
    }

    @Test
    void bothKindsOverADialerWithForeignConnections() throws Exception {
        try (Origin origin = Origin.echo();
                Origin near = Origin.start(SocksServer::relay);
                Proxy far = Proxy.start()) {
            Dialer direct = broxy.directDialer().build();
            Socks5Dialer socks = broxy.socks5Dialer(near.target())
                    .over(request -> ForeignConnection.over(direct.dial(request)))
                    .build();
            try (Connection connection =
                    broxy.httpProxyDialer(addressOf(far)).over(socks).build().dial(origin.target())) {
                assertEchoes(connection, "through all");
            }
        }
    }

    // ------------------------------------------------------------------ that do not

    @Test
    void aRefusalOfTheNearProxyIsTheFailureOfTheFarOnesDial() throws Exception {
        HostPort far = HostPort.parse("far.example:3128");
        try (Origin near = Origin.start(peer -> {
            SocksServer.accept(peer);
            peer.send(hex("05 04 00 01 00 00 00 00 00 00"));
            peer.readAll();
        })) {
            DialException failure = failure(
                    broxy.httpProxyDialer(far)
                            .over(broxy.socks5Dialer(near.target()).build())
                            .build(),
                    TARGET);

            assertThat(failure.reason()).isEqualTo(Reason.UNREACHABLE);
            assertThat(failure.target()).isEqualTo(TARGET);
            assertThat(failure.proxy()).isEqualTo(far);
            assertThat(failure.proxyReply())
                    .as("the far proxy has said nothing")
                    .isNull();
            assertThat(failure.getCause()).isInstanceOfSatisfying(DialException.class, below -> {
                assertThat(below.target()).isEqualTo(far);
                assertThat(below.proxy()).isEqualTo(near.target());
                assertThat(Objects.requireNonNull(below.proxyReply()).status()).isEqualTo(4);
            });
        }
    }

    @Test
    void oneDeadlineCoversAllProxiesWhicheverIsMute() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        DialRequest soon =
                DialRequest.builder(TARGET).timeout(Duration.ofMillis(300)).build();
        try (Origin near = Origin.start(peer -> peer.readAll());
                Origin far = Origin.start(peer -> {
                    SocksServer.accept(peer);
                    peer.send(OPEN);
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n");
                    while (!over.await(20, TimeUnit.MILLISECONDS)) {
                        peer.send("X: y\r\n");
                    }
                })) {
            Dialer overMute = broxy.httpProxyDialer(HostPort.parse("far.example:3128"))
                    .timeout(Duration.ofMinutes(10))
                    .over(broxy.socks5Dialer(near.target())
                            .timeout(Duration.ofMinutes(10))
                            .build())
                    .build();
            Dialer overLive = broxy.httpProxyDialer(HostPort.parse("far.example:3128"))
                    .over(broxy.socks5Dialer(far.target()).build())
                    .build();

            assertThat(failure(overMute, soon).reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(failure(overLive, soon).reason()).isEqualTo(Reason.TIMEOUT);
            over.countDown();
        }
    }

    @Test
    void aMuteProxyBehindForeignConnectionsTakesNoMoreThanTheDialsTime() throws Exception {
        try (Origin mute = Origin.start(peer -> {
            SocksServer.methods(peer);
            peer.readAll();
        })) {
            Dialer direct = broxy.directDialer().build();
            Socks5Dialer dialer = broxy.socks5Dialer(mute.target())
                    .over(request -> ForeignConnection.over(direct.dial(request)))
                    .timeout(Duration.ofMillis(300))
                    .build();

            assertThat(failure(dialer, TARGET).reason()).isEqualTo(Reason.TIMEOUT);
        }
    }
}
