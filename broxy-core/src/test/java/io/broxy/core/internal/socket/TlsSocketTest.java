package io.broxy.core.internal.socket;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.SocketsBuilder.Names;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Threads;
import io.broxy.core.testkit.TlsOrigin;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.URL;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.HandshakeCompletedEvent;
import javax.net.ssl.HandshakeCompletedListener;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies TLS sockets that a dialer connects: they behave as the JDK's own, and identify their peers. */
@ExtendWith(LeakCheck.class)
class TlsSocketTest {
    private static final Certificates CERTIFICATES = Certificates.loopback();
    private static final byte[] LOOPBACK = {127, 0, 0, 1};

    private final List<HostPort> targets = new CopyOnWriteArrayList<>();
    private final List<List<SNIServerName>> serverNames = new CopyOnWriteArrayList<>();
    private Broxy broxy;
    private Dialer dialer;
    private SSLSocketFactory factory;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(1).build();
        Dialer direct = broxy.directDialer()
                .resolver(host -> List.of(InetAddress.getByAddress(LOOPBACK)))
                .build();
        dialer = (DialRequest request) -> {
            targets.add(request.target());
            return direct.dial(request);
        };
        factory = broxy.sockets(dialer).tls(CERTIFICATES.client());
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    /** Sends back what it gets, and notes the names that the client has sent. */
    private Origin echo() throws IOException {
        return TlsOrigin.start(CERTIFICATES.server(), peer -> {
            serverNames.add(((ExtendedSSLSession) ((SSLSocket) peer.socket()).getSession()).getRequestedServerNames());
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
            peer.shutdownOutput();
        });
    }

    private static void assertEchoes(Socket socket) throws IOException {
        try (socket) {
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            socket.getOutputStream().write("there and back".getBytes(US_ASCII));
            socket.shutdownOutput();
            assertThat(socket.getInputStream().readAllBytes()).isEqualTo("there and back".getBytes(US_ASCII));
            assertThat(((SSLSocket) socket).getSession().isValid()).isTrue();
        }
    }

    private static Origin silent() throws IOException {
        return Origin.discard();
    }

    // ------------------------------------------------------------------ the ways to make one

    @Test
    void everyConnectedFormDialsAndSpeaksTls() throws Exception {
        InetAddress any = new InetSocketAddress(0).getAddress();
        InetAddress loopback = InetAddress.getByAddress(LOOPBACK);
        try (Origin origin = echo()) {
            assertEchoes(factory.createSocket("localhost", origin.port()));
            assertEchoes(factory.createSocket("localhost", origin.port(), any, 0));
            assertEchoes(factory.createSocket(loopback, origin.port()));
            assertEchoes(factory.createSocket(loopback, origin.port(), any, 0));

            HostPort name = HostPort.of("localhost", origin.port());
            assertThat(targets).containsExactly(name, name, origin.target(), origin.target());
        }
    }

    @Test
    void unconnectedSocketIsConnectedLater() throws Exception {
        try (Origin origin = echo()) {
            Socket socket = factory.createSocket();
            assertThat(socket.isConnected()).isFalse();
            socket.connect(InetSocketAddress.createUnresolved("localhost", origin.port()), Peer.PATIENCE_MILLIS);
            assertThat(socket.isConnected()).isTrue();
            assertEchoes(socket);

            assertThat(targets).containsExactly(HostPort.of("localhost", origin.port()));
        }
    }

    @Test
    void socketIsLaidOverAConnectedOne() throws Exception {
        try (Origin origin = echo()) {
            Socket below = broxy.asSocketFactory(dialer).createSocket("localhost", origin.port());
            assertEchoes(factory.createSocket(below, "localhost", origin.port(), true));
            assertThat(below.isClosed()).isTrue();

            try (Socket kept = new Socket(InetAddress.getByAddress(LOOPBACK), origin.port())) {
                assertEchoes(factory.createSocket(kept, "localhost", origin.port(), false));
                assertThat(kept.isClosed()).isFalse();
            }
        }
    }

    @Test
    void cipherSuitesAreTheContexts() {
        SSLSocketFactory jdk = CERTIFICATES.client().getSocketFactory();

        assertThat(factory.getDefaultCipherSuites()).isEqualTo(jdk.getDefaultCipherSuites());
        assertThat(factory.getSupportedCipherSuites()).isEqualTo(jdk.getSupportedCipherSuites());
    }

    // ------------------------------------------------------------------ the peer's identity

    @Test
    void nameIsSentToTheServer() throws Exception {
        InetAddress named = InetAddress.getByAddress("localhost", LOOPBACK);
        try (Origin origin = echo()) {
            assertEchoes(factory.createSocket("localhost", origin.port()));
            assertEchoes(factory.createSocket(named, origin.port()));
            assertEchoes(broxy.sockets(dialer)
                    .names(Names.ADDRESS)
                    .tls(CERTIFICATES.client())
                    .createSocket(named, origin.port()));
            assertEchoes(factory.createSocket(
                    new Socket(InetAddress.getByAddress(LOOPBACK), origin.port()), "localhost", origin.port(), true));

            assertThat(targets).last().isEqualTo(origin.target());
            assertThat(serverNames)
                    .hasSize(4)
                    .allSatisfy(names -> assertThat(names)
                            .singleElement()
                            .satisfies(name -> assertThat(new String(name.getEncoded(), US_ASCII))
                                    .isEqualTo("localhost")));
        }
    }

    @Test
    void addressIsNoNameToSend() throws Exception {
        try (Origin origin = echo()) {
            assertEchoes(factory.createSocket("127.0.0.1", origin.port()));
            assertEchoes(factory.createSocket(InetAddress.getByAddress(LOOPBACK), origin.port()));

            assertThat(serverNames)
                    .hasSize(2)
                    .allSatisfy(names -> assertThat(names).isEmpty());
        }
    }

    @Test
    void certificateMustBeValidForTheHost() throws Exception {
        try (Origin origin = echo()) {
            InetAddress other = InetAddress.getByAddress("other.example", LOOPBACK);
            Socket later = factory.createSocket();
            later.connect(new InetSocketAddress(other, origin.port()));
            Socket below = new Socket(InetAddress.getByAddress(LOOPBACK), origin.port());
            for (Socket socket : List.of(
                    later,
                    factory.createSocket("other.example", origin.port()),
                    factory.createSocket(other, origin.port()),
                    factory.createSocket(below, "other.example", origin.port(), true))) {
                try (socket) {
                    assertThatThrownBy(() -> ((SSLSocket) socket).startHandshake())
                            .isInstanceOf(SSLException.class)
                            .hasMessageContaining("other.example");
                }
            }
        }
    }

    @Test
    void identificationCanBeTurnedOff() throws Exception {
        SSLSocketFactory lenient =
                broxy.sockets(dialer).endpointIdentification(false).tls(CERTIFICATES.client());
        try (Origin origin = echo()) {
            assertEchoes(lenient.createSocket("other.example", origin.port()));

            SSLSocket own = (SSLSocket) factory.createSocket();
            SSLParameters parameters = own.getSSLParameters();
            assertThat(parameters.getEndpointIdentificationAlgorithm()).isEqualTo("HTTPS");
            parameters.setEndpointIdentificationAlgorithm("");
            own.setSSLParameters(parameters);
            own.connect(InetSocketAddress.createUnresolved("other.example", origin.port()));
            assertEchoes(own);
        }
    }

    @Test
    void untrustedCertificateIsRefused() throws Exception {
        SSLSocketFactory others = broxy.sockets(dialer).tls(SSLContext.getDefault());
        try (Origin origin = echo();
                SSLSocket socket = (SSLSocket) others.createSocket("localhost", origin.port())) {
            assertThatThrownBy(socket::startHandshake).isInstanceOf(SSLException.class);
        }
    }

    // ------------------------------------------------------------------ settings of TLS

    @Test
    void settingsFromBeforeTheConnectApplyToTheHandshake() throws Exception {
        CompletableFuture<HandshakeCompletedEvent> completed = new CompletableFuture<>();
        try (Origin origin = TlsOrigin.start(CERTIFICATES.server(), peer -> peer.send(peer.readText(1)), "TLSv1.2");
                SSLSocket socket = (SSLSocket) factory.createSocket()) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"one", "two"});
            socket.setSSLParameters(parameters);
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            socket.addHandshakeCompletedListener(completed::complete);
            assertThatThrownBy(() -> socket.setEnabledProtocols(new String[] {"TLSv0"}))
                    .isInstanceOf(IllegalArgumentException.class);

            socket.connect(InetSocketAddress.createUnresolved("localhost", origin.port()));
            assertThat(socket.getEnabledProtocols()).containsExactly("TLSv1.2");
            assertThat(socket.getSoTimeout()).isEqualTo(Peer.PATIENCE_MILLIS);
            socket.startHandshake();

            HandshakeCompletedEvent event = completed.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(event.getSocket()).isSameAs(socket);
            assertThat(event.getSession()).isEqualTo(socket.getSession());
            assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.2");
            assertThat(socket.getSession().getPeerHost()).isEqualTo("localhost");
            assertThat(socket.getApplicationProtocol()).isEmpty();
        }
    }

    @Test
    void applicationProtocolIsAgreed() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    SSLSocket secure = (SSLSocket)
                            CERTIFICATES.server().getSocketFactory().createSocket(peer.socket(), null, 0, true);
                    secure.setUseClientMode(false);
                    secure.setHandshakeApplicationProtocolSelector((own, offered) -> offered.get(1));
                    secure.startHandshake();
                    secure.getInputStream().read();
                });
                SSLSocket socket = (SSLSocket) factory.createSocket("localhost", origin.port())) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"one", "two"});
            socket.setSSLParameters(parameters);
            socket.startHandshake();

            assertThat(socket.getApplicationProtocol()).isEqualTo("two");
        }
    }

    @Test
    void selectorOfProtocolsSeesTheSocketItself() throws Exception {
        CompletableFuture<SSLSocket> seen = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    try (SSLSocket client = (SSLSocket) CERTIFICATES
                            .client()
                            .getSocketFactory()
                            .createSocket(peer.socket(), "localhost", 443, true)) {
                        SSLParameters parameters = client.getSSLParameters();
                        parameters.setApplicationProtocols(new String[] {"one"});
                        client.setSSLParameters(parameters);
                        client.startHandshake();
                    }
                });
                SSLSocket server = (SSLSocket) broxy.sockets(dialer)
                        .endpointIdentification(false)
                        .tls(CERTIFICATES.server())
                        .createSocket()) {
            server.setUseClientMode(false);
            server.setHandshakeApplicationProtocolSelector((socket, offered) -> {
                seen.complete(socket);
                return offered.get(0);
            });
            server.connect(new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), origin.port()));
            server.startHandshake();

            assertThat(seen.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isSameAs(server);
            assertThat(server.getApplicationProtocol()).isEqualTo("one");
            assertThat(server.getUseClientMode()).isFalse();
        }
    }

    @Test
    void listenerIsRemovedBeforeAndAfterTheConnect() throws Exception {
        HandshakeCompletedListener unheard = event -> {
            throw new AssertionError("it was removed");
        };
        CountDownLatch heard = new CountDownLatch(1);
        try (Origin origin = echo();
                SSLSocket socket = (SSLSocket) factory.createSocket()) {
            socket.addHandshakeCompletedListener(unheard);
            socket.removeHandshakeCompletedListener(unheard);
            assertThatThrownBy(() -> socket.removeHandshakeCompletedListener(unheard))
                    .isInstanceOf(IllegalArgumentException.class);
            socket.connect(new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), origin.port()));
            socket.addHandshakeCompletedListener(unheard);
            socket.addHandshakeCompletedListener(event -> heard.countDown());
            socket.removeHandshakeCompletedListener(unheard);
            socket.startHandshake();

            assertThat(heard.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        }
    }

    // ------------------------------------------------------------------ states

    @Test
    void unconnectedAndClosedSocketsAreLikeTheJdks() throws Exception {
        SSLSocketFactory jdk = CERTIFICATES.client().getSocketFactory();
        try (Origin origin = echo()) {
            for (SSLSocketFactory each : List.of(factory, jdk)) {
                SSLSocket socket = (SSLSocket) each.createSocket();
                assertThat(socket.isConnected()).isFalse();
                assertThat(socket.isBound()).isFalse();
                assertThat(socket.isClosed()).isFalse();
                assertThat(socket.getInetAddress()).isNull();
                assertThat(socket.getPort()).isZero();
                assertThat(socket.getRemoteSocketAddress()).isNull();
                assertThat(socket.getChannel()).isNull();
                assertThat(socket.getUseClientMode()).isTrue();
                assertThat(socket.getSession().isValid()).isFalse();
                assertThatThrownBy(socket::getInputStream).isInstanceOf(SocketException.class);
                assertThatThrownBy(socket::getOutputStream).isInstanceOf(SocketException.class);
                assertThatThrownBy(socket::startHandshake).isInstanceOf(SocketException.class);
                assertThatThrownBy(() -> socket.sendUrgentData(1)).isInstanceOf(SocketException.class);
                assertThatThrownBy(() -> socket.connect(new SocketAddress() {}))
                        .isInstanceOfAny(IllegalArgumentException.class, SocketException.class);
                socket.connect(new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), origin.port()));
                assertThatThrownBy(() -> socket.connect(
                                new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), origin.port())))
                        .isInstanceOf(SocketException.class);
                assertThat(socket.isBound()).isTrue();
                assertThat(socket.getPort()).isEqualTo(origin.port());
                assertThat(socket.getLocalPort()).isPositive();
                socket.startHandshake();
                socket.close();
                socket.close();
                assertThat(socket.isClosed()).isTrue();
                assertThatThrownBy(socket::getInputStream).isInstanceOf(SocketException.class);
                assertThatThrownBy(socket::startHandshake).isInstanceOf(SocketException.class);
                assertThatThrownBy(() -> socket.setSoTimeout(1)).isInstanceOf(SocketException.class);
                assertThat(socket.toString()).contains("SSLSocket");

                SSLSocket never = (SSLSocket) each.createSocket();
                never.close();
                assertThat(never.isClosed()).isTrue();
                assertThatThrownBy(() ->
                                never.connect(new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), origin.port())))
                        .isInstanceOf(SocketException.class);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void endOfAServersStreamIsTheEndOfReading(String protocol) throws Exception {
        try (Origin origin = TlsOrigin.start(
                        CERTIFICATES.server(), peer -> peer.send("all").shutdownOutput(), protocol);
                Socket socket = factory.createSocket("localhost", origin.port())) {
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            assertThat(socket.getInputStream().readAllBytes()).isEqualTo("all".getBytes(US_ASCII));
        }
    }

    @Test
    void readTimeoutAppliesToTheHandshake() throws Exception {
        try (Origin origin = silent();
                SSLSocket socket = (SSLSocket) broxy.sockets(dialer)
                        .readTimeout(Duration.ofMillis(30))
                        .tls(CERTIFICATES.client())
                        .createSocket("localhost", origin.port())) {
            assertThat(socket.getSoTimeout()).isEqualTo(30);
            assertThatThrownBy(socket::startHandshake)
                    .satisfiesAnyOf(
                            e -> assertThat(e).isInstanceOf(SocketTimeoutException.class),
                            e -> assertThat(e).hasCauseInstanceOf(SocketTimeoutException.class));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void closeEndsAHandshake(boolean connectedForm) throws Exception {
        CompletableFuture<Boolean> secured = new CompletableFuture<>();
        CountDownLatch hello = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
            peer.read(1);
            hello.countDown();
            peer.readAll();
        })) {
            SSLSocket socket;
            if (connectedForm) {
                socket = (SSLSocket) factory.createSocket("localhost", origin.port());
            } else {
                socket = (SSLSocket) factory.createSocket();
                socket.connect(InetSocketAddress.createUnresolved("localhost", origin.port()));
            }
            Threads.PLATFORM.start(() -> {
                try {
                    socket.startHandshake(); // which may just return, as that of the JDK's own sockets
                    secured.complete(socket.getSession().isValid());
                } catch (IOException e) {
                    secured.complete(false);
                }
            });
            assertThat(hello.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            socket.close();

            assertThat(secured.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isFalse();
            assertThat(socket.isClosed()).isTrue();
        }
    }

    @Test
    void interruptHasNoEffectOnAPlatformThread() throws Exception {
        try (Origin origin = echo()) {
            Thread.currentThread().interrupt();
            try {
                assertEchoes(factory.createSocket("localhost", origin.port()));
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
        }
    }

    // ------------------------------------------------------------------ through proxies, and for libraries

    @Test
    void socketBehindAProxyIsIdentifiedByItsName() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
                    assertThat(peer.readHead()).startsWith("CONNECT localhost:443 HTTP/1.1\r\n");
                    peer.send("HTTP/1.1 200 OK\r\n\r\n");
                    try (SSLSocket secure = TlsOrigin.accept(CERTIFICATES.server(), peer)) {
                        secure.getOutputStream().write(secure.getInputStream().read());
                    }
                });
                Socket socket = broxy.sockets(
                                broxy.httpProxyDialer(proxy.target()).build())
                        .tls(CERTIFICATES.client())
                        .createSocket("localhost", 443)) {
            socket.getOutputStream().write(7);
            assertThat(socket.getInputStream().read()).isEqualTo(7);
            assertThat(socket.getInetAddress()).isNull();
            assertThat(socket.getRemoteSocketAddress()).isEqualTo(InetSocketAddress.createUnresolved("localhost", 443));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void urlConnectionFetchesAPage(boolean lenient) throws Exception {
        try (Origin origin = Origin.startTls(CERTIFICATES, peer -> {
            assertThat(peer.readHead()).startsWith("GET /page HTTP/1.1\r\n");
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        })) {
            URL url = new URL("https://localhost:" + origin.port() + "/page");
            HttpsURLConnection client = (HttpsURLConnection) url.openConnection(Proxy.NO_PROXY);
            client.setSSLSocketFactory(
                    broxy.sockets(dialer).endpointIdentification(!lenient).tls(CERTIFICATES.client()));
            client.setReadTimeout(Peer.PATIENCE_MILLIS);

            assertThat(client.getResponseCode()).isEqualTo(200);
            try (InputStream body = client.getInputStream()) {
                assertThat(body.readAllBytes()).isEqualTo("hello".getBytes(US_ASCII));
            }
            assertThat(targets).containsExactly(HostPort.of("localhost", origin.port()));
        }
    }

    /** What the JDK's own socket over another one has by name does not matter: options are the connection's. */
    @Test
    void optionsAreThoseOfTheConnection() throws Exception {
        Map<SocketOption<Integer>, Integer> options =
                Map.of(StandardSocketOptions.SO_LINGER, 7, StandardSocketOptions.IP_TOS, 16);
        try (Origin origin = echo();
                SSLSocket socket = (SSLSocket) broxy.sockets(dialer)
                        .option(StandardSocketOptions.TCP_NODELAY, false)
                        .tls(CERTIFICATES.client())
                        .createSocket()) {
            for (Map.Entry<SocketOption<Integer>, Integer> option : options.entrySet()) {
                socket.setOption(option.getKey(), option.getValue());
            }
            socket.connect(new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), origin.port()));
            for (Map.Entry<SocketOption<Integer>, Integer> option : options.entrySet()) {
                assertThat(socket.getOption(option.getKey())).isEqualTo(option.getValue());
            }
            assertThat(socket.getTcpNoDelay()).isFalse();
            assertThat(socket.getSoLinger()).isEqualTo(7);
        }
    }
}
