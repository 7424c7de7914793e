package io.broxy.core.internal.socket;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Threads;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.URL;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.SocketFactory;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Specifies the {@code java.net} sockets of a factory that connects them through a dialer. */
@ExtendWith(LeakCheck.class)
class SocketFactoryTest {
    private final List<DialRequest> requests = new CopyOnWriteArrayList<>();
    private Broxy broxy;
    private Dialer dialer;
    private SocketFactory factory;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(1).build();
        DirectDialer direct = broxy.directDialer()
                .resolver(host -> {
                    if (host.equals("db.example") || host.equals("localhost")) {
                        return List.of(InetAddress.getLoopbackAddress());
                    }
                    throw new UnknownHostException(host);
                })
                .build();
        dialer = request -> {
            requests.add(request);
            return direct.dial(request);
        };
        factory = SocketVariant.PLAIN.factory(broxy, dialer);
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    // ------------------------------------------------------------------ connecting

    @ParameterizedTest
    @EnumSource
    void nameGoesToTheDialerAsItIs(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (Origin origin = variant.echo()) {
            assertEchoes(factory.createSocket("db.example", origin.port()));
            Socket later = factory.createSocket();
            later.connect(InetSocketAddress.createUnresolved("DB.example", origin.port()));
            assertEchoes(later);

            assertThat(requests)
                    .extracting(DialRequest::target)
                    .containsExactly(
                            HostPort.of("db.example", origin.port()), HostPort.of("db.example", origin.port()));
        }
    }

    @Test
    void addressIsDialedWhateverNameLedToIt() throws Exception {
        factory = SocketVariant.PLAIN_BY_ADDRESS.factory(broxy, dialer);
        try (Origin origin = Origin.echo()) {
            InetAddress named = InetAddress.getByAddress("elsewhere.example", new byte[] {127, 0, 0, 1});

            assertEchoes(factory.createSocket(named, origin.port()));

            assertThat(requests).extracting(DialRequest::target).containsExactly(origin.target());
        }
    }

    @ParameterizedTest
    @EnumSource
    void localAddressIsTheDialersChoice(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (Origin origin = variant.echo()) {
            InetAddress any = new InetSocketAddress(0).getAddress();
            InetAddress loopback = InetAddress.getLoopbackAddress();

            assertEchoes(factory.createSocket("db.example", origin.port(), any, 0));
            assertEchoes(factory.createSocket(loopback, origin.port(), any, 0));
            assertThatThrownBy(() -> factory.createSocket("db.example", origin.port(), loopback, 0))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("set on its dialer");
            assertThatThrownBy(() -> factory.createSocket(loopback, origin.port(), any, 1_234))
                    .isInstanceOf(SocketException.class);

            assertThat(requests).hasSize(2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void connectedSocketKnowsItsAddresses(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (Origin origin = variant.echo();
                Socket socket = factory.createSocket("db.example", origin.port())) {
            assertThat(socket.isConnected()).isTrue();
            assertThat(socket.isBound()).isTrue();
            assertThat(socket.getRemoteSocketAddress()).isEqualTo(origin.address());
            assertThat(socket.getLocalAddress()).isEqualTo(InetAddress.getLoopbackAddress());
            assertThat(socket.getLocalPort()).isPositive();
            assertThat(socket.getChannel()).isNull();
        }
    }

    @ParameterizedTest
    @EnumSource
    void timeOutOfConnectIsThatOfTheDial(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (BlackHole hole = BlackHole.open();
                Socket socket = factory.createSocket()) {
            InetSocketAddress address = new InetSocketAddress(
                    InetAddress.getLoopbackAddress(), hole.target().port());

            assertThatThrownBy(() -> socket.connect(address, 100))
                    .isInstanceOf(SocketTimeoutException.class)
                    .cause()
                    .isInstanceOfSatisfying(
                            DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TIMEOUT));

            assertThat(requests).extracting(DialRequest::timeout).containsExactly(Duration.ofMillis(100));
        }
    }

    @ParameterizedTest
    @EnumSource
    void withoutATimeOutTheDialerHasItsOwn(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (Origin origin = variant.echo()) {
            assertEchoes(factory.createSocket("db.example", origin.port()));

            assertThat(requests.get(0).timeout()).isNull();
        }
    }

    @ParameterizedTest
    @EnumSource
    void failedConnectFailsAsSocketsDo(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        int closed = HeldPort.refusing().port();

        assertThatThrownBy(() -> factory.createSocket("db.example", closed)).isInstanceOf(ConnectException.class);
        assertThatThrownBy(() -> factory.createSocket("nowhere.example", 443))
                .isInstanceOf(UnknownHostException.class)
                .hasCauseInstanceOf(DialException.class);
        assertThatThrownBy(() -> factory.createSocket("no host name", 443)).isInstanceOf(UnknownHostException.class);
        assertThatThrownBy(() -> factory.createSocket("2130706433", 443)).isInstanceOf(UnknownHostException.class);
    }

    @Test
    void failureThatSocketsDoNotKnowIsTheDialException() {
        Dialer refusing = request -> {
            throw new DialException(Reason.PROXY_AUTH, request.target(), Duration.ZERO, List.of(), null);
        };

        for (SocketVariant variant : SocketVariant.values()) {
            assertThatThrownBy(() -> variant.factory(broxy, refusing).createSocket("db.example", 443))
                    .isInstanceOf(DialException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("io.broxy.core.testkit.Threads#available")
    void closeEndsAConnect(Threads threads) throws Exception {
        for (SocketVariant variant : SocketVariant.values()) {
            assertCloseEndsAConnect(variant, threads);
        }
    }

    private void assertCloseEndsAConnect(SocketVariant variant, Threads threads) throws Exception {
        CountDownLatch dialing = new CountDownLatch(1);
        DirectDialer direct =
                broxy.directDialer().timeout(Duration.ofMinutes(1)).build();
        Socket socket = variant.factory(broxy, request -> {
                    dialing.countDown();
                    return direct.dial(request);
                })
                .createSocket();
        try (BlackHole hole = BlackHole.open()) {
            CompletableFuture<Throwable> failure = new CompletableFuture<>();
            CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
            InetSocketAddress address =
                    new InetSocketAddress(hole.target().host(), hole.target().port());
            threads.start(() -> {
                try {
                    socket.connect(address);
                    failure.completeExceptionally(new AssertionError("it connected"));
                } catch (IOException e) {
                    failure.complete(e);
                }
                interrupted.complete(Thread.currentThread().isInterrupted());
            });
            assertThat(dialing.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            socket.close();

            assertThat(failure.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isInstanceOf(SocketException.class)
                    .hasMessage("Socket closed");
            assertThat(interrupted.get()).as("interrupt status").isFalse();
            assertThat(socket.isClosed()).isTrue();
        }
    }

    // ------------------------------------------------------------------ options

    @ParameterizedTest
    @EnumSource
    void optionsThatAreSetBeforeAreThoseOfTheConnection(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (Origin origin = variant.echo();
                Socket socket = factory.createSocket()) {
            assertThat(socket.getSoTimeout()).isZero();
            assertThat(socket.getSoLinger()).isEqualTo(-1);
            socket.setTcpNoDelay(false);
            socket.setKeepAlive(false);
            socket.setSoTimeout(1_234);
            socket.setSoLinger(true, 7);
            socket.setTrafficClass(16);
            assertThat(socket.getSoTimeout()).isEqualTo(1_234);

            socket.connect(InetSocketAddress.createUnresolved("db.example", origin.port()));

            assertThat(socket.getTcpNoDelay()).isFalse();
            assertThat(socket.getKeepAlive()).isFalse();
            assertThat(socket.getSoTimeout()).isEqualTo(1_234);
            assertThat(socket.getSoLinger()).isEqualTo(7);
            assertThat(socket.getTrafficClass()).isEqualTo(16);
        }
    }

    @ParameterizedTest
    @EnumSource
    void namedOptionsCanBeSetBeforeAndAfter(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (Origin origin = variant.echo();
                Socket socket = factory.createSocket()) {
            socket.setOption(StandardSocketOptions.TCP_NODELAY, false);
            socket.setOption(StandardSocketOptions.SO_LINGER, 7);
            assertThat(socket.getOption(StandardSocketOptions.SO_LINGER)).isEqualTo(7);
            socket.setOption(StandardSocketOptions.SO_LINGER, -1);
            assertThat(socket.getOption(StandardSocketOptions.SO_LINGER)).isEqualTo(-1);
            assertThat(socket.getTcpNoDelay()).isFalse();

            socket.connect(InetSocketAddress.createUnresolved("db.example", origin.port()));

            assertThat(socket.getOption(StandardSocketOptions.TCP_NODELAY)).isFalse();
            assertThat(socket.getOption(StandardSocketOptions.SO_LINGER)).isEqualTo(-1);
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
            assertThat(socket.getTcpNoDelay()).isTrue();
            socket.setReceiveBufferSize(100_000);
            assertThat(socket.getOption(StandardSocketOptions.SO_RCVBUF)).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyOptionThatIsNamedIsSupported(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (Origin origin = variant.echo();
                Socket socket = factory.createSocket("db.example", origin.port())) {
            assertThat(socket.supportedOptions()).contains(StandardSocketOptions.TCP_NODELAY);
            for (SocketOption<?> option : socket.supportedOptions()) {
                assertThat(socket.getOption(option)).isInstanceOf(option.type());
            }
            assertThatThrownBy(() -> socket.getOption(StandardSocketOptions.IP_MULTICAST_TTL))
                    .isInstanceOf(UnsupportedOperationException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void dialersOptionsStayWhereNoneIsSet(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (Origin origin = variant.echo();
                Socket socket = factory.createSocket("db.example", origin.port())) {
            assertThat(socket.getTcpNoDelay()).isTrue();
            assertThat(socket.getKeepAlive()).isTrue();
        }
    }

    // ------------------------------------------------------------------ the stream

    @ParameterizedTest
    @EnumSource
    void readTimesOutAndGoesOn(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        CountDownLatch timedOut = new CountDownLatch(1);
        try (Origin origin = variant.origin(peer -> {
                    assertThat(timedOut.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                            .isTrue();
                    peer.send("late");
                });
                Socket socket = factory.createSocket("db.example", origin.port())) {
            SocketVariant.shaken(socket).setSoTimeout(20);
            assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            timedOut.countDown();

            assertThat(socket.getInputStream().readAllBytes()).isEqualTo("late".getBytes(US_ASCII));
        }
    }

    @ParameterizedTest
    @EnumSource
    void closeEndsARead(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (Origin origin = variant.origin(peer -> peer.readAll())) {
            Socket socket = factory.createSocket("db.example", origin.port());
            CountDownLatch reading = new CountDownLatch(1);
            CompletableFuture<Throwable> failure = new CompletableFuture<>();
            InputStream in = socket.getInputStream();
            Threads.PLATFORM.start(() -> {
                reading.countDown();
                try {
                    int end = in.read();
                    if (variant.isTls() && end < 0) { // as the JDK's own TLS sockets mostly do
                        throw new SocketException("Socket closed");
                    }
                    failure.completeExceptionally(new AssertionError("it read " + end));
                } catch (IOException e) {
                    failure.complete(e);
                }
            });
            reading.await();
            socket.close();

            assertThat(failure.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isInstanceOf(IOException.class);
            assertThat(socket.isClosed()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void eachDirectionEndsByItself(SocketVariant variant) throws Exception {
        factory = variant.factory(broxy, dialer);
        try (Origin origin = variant.origin(peer -> {
                    assertThat(peer.readAll()).isEqualTo("all");
                    peer.send("of it");
                });
                Socket socket = factory.createSocket("db.example", origin.port())) {
            socket.getOutputStream().write("all".getBytes(US_ASCII));
            socket.shutdownOutput();

            assertThat(socket.getInputStream().readAllBytes()).isEqualTo("of it".getBytes(US_ASCII));
        }
    }

    // ------------------------------------------------------------------ clients of the factory

    @Test
    void tlsIsLaidOverASocket() throws Exception {
        Certificates certificates = Certificates.loopback();
        try (Origin origin = Origin.startTls(certificates, peer -> {
            peer.send(peer.readText(5));
            peer.expectEnd();
        })) {
            Socket plain = factory.createSocket("db.example", origin.port());
            SSLSocketFactory layer = certificates.client().getSocketFactory();
            try (SSLSocket tls = (SSLSocket) layer.createSocket(plain, "localhost", origin.port(), true)) {
                SSLParameters parameters = tls.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                tls.setSSLParameters(parameters);
                tls.setSoTimeout(Peer.PATIENCE_MILLIS);
                tls.getOutputStream().write("hello".getBytes(US_ASCII));

                assertThat(tls.getInputStream().readNBytes(5)).isEqualTo("hello".getBytes(US_ASCII));
                assertThat(tls.getSession().isValid()).isTrue();
            }
            assertThat(plain.isClosed()).isTrue();
        }
    }

    @Test
    void httpClientFetchesAPageOverTls() throws Exception {
        Certificates certificates = Certificates.loopback();
        try (Origin origin = Origin.startTls(certificates, peer -> {
            assertThat(peer.readHead()).startsWith("GET /page HTTP/1.1\r\n");
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        })) {
            URL url = new URL("https://localhost:" + origin.port() + "/page");
            HttpsURLConnection client = (HttpsURLConnection) url.openConnection(java.net.Proxy.NO_PROXY);
            client.setSSLSocketFactory(
                    new LayeredFactory(factory, certificates.client().getSocketFactory()));
            client.setReadTimeout(Peer.PATIENCE_MILLIS);

            assertThat(client.getResponseCode()).isEqualTo(200);
            try (InputStream body = client.getInputStream()) {
                assertThat(body.readAllBytes()).isEqualTo("hello".getBytes(US_ASCII));
            }
            assertThat(requests)
                    .extracting(DialRequest::target)
                    .containsExactly(HostPort.of("localhost", origin.port()));
        }
    }

    /** TLS over the sockets of another factory. */
    private static final class LayeredFactory extends SSLSocketFactory {
        private final SocketFactory sockets;
        private final SSLSocketFactory tls;

        LayeredFactory(SocketFactory sockets, SSLSocketFactory tls) {
            this.sockets = sockets;
            this.tls = tls;
        }

        @Override
        public Socket createSocket() throws IOException {
            return sockets.createSocket(); // the client connects it and lays TLS over it itself
        }

        @Override
        public Socket createSocket(Socket socket, String host, int port, boolean autoClose) throws IOException {
            return tls.createSocket(socket, host, port, autoClose);
        }

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return tls.createSocket(sockets.createSocket(host, port), host, port, true);
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress local, int localPort) throws IOException {
            return tls.createSocket(sockets.createSocket(host, port, local, localPort), host, port, true);
        }

        @Override
        public Socket createSocket(InetAddress host, int port) throws IOException {
            return createSocket(host.getHostAddress(), port);
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) throws IOException {
            return createSocket(host.getHostAddress(), port, local, localPort);
        }

        @Override
        public String[] getDefaultCipherSuites() {
            return tls.getDefaultCipherSuites();
        }

        @Override
        public String[] getSupportedCipherSuites() {
            return tls.getSupportedCipherSuites();
        }
    }

    private static void assertEchoes(Socket socket) throws IOException {
        try (socket) {
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            socket.getOutputStream().write("there and back".getBytes(US_ASCII));
            socket.shutdownOutput();
            assertThat(socket.getInputStream().readAllBytes()).isEqualTo("there and back".getBytes(US_ASCII));
        }
    }
}
