package io.broxy.core.frontend;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessRequest;
import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.Cidr;
import io.broxy.ClientHandle;
import io.broxy.ClientTls;
import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.ServerTls;
import io.broxy.TlsOutcome;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.EngineBuffers;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.TlsProxy;
import io.broxy.core.testkit.WebServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies what clients get that speak TLS to the proxy: tunnels, forwarded requests, and a defined end for all else. */
@ExtendWith(LeakCheck.class)
class TlsFrontendTest {
    private static final int MOST_RECORDS = 64 << 10;
    private static final byte[] TLS_1_1_HELLO = clientHello(2);

    /** A ClientHello of one cipher suite and no extensions, for this minor version. */
    private static byte[] clientHello(int minor) {
        ByteBuffer hello = ByteBuffer.allocate(50);
        hello.put((byte) 22).put((byte) 3).put((byte) 1).putShort((short) 45);
        hello.put((byte) 1).put((byte) 0).putShort((short) 41);
        hello.put((byte) 3).put((byte) minor).put(new byte[32]).put((byte) 0);
        hello.putShort((short) 2).putShort((short) 0x002f).put((byte) 1).put((byte) 0);
        return hello.array();
    }

    private static String digest(byte[] bytes) throws IOException {
        return Payload.read(new ByteArrayInputStream(bytes));
    }

    private static void awaitOutcome(TlsProxy proxy, TlsOutcome outcome) {
        await().untilAsserted(() -> {
            assertThat(proxy.stats().tlsHandshakes(outcome)).isEqualTo(1);
            assertThat(proxy.stats().openTlsHandshakes()).isZero();
            assertThat(proxy.stats().openConnections()).isZero();
        });
    }

    // ------------------------------------------------------------------ what works

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aTunnelCarriesMegabytesBothWays(String version) throws Exception {
        int count = 3 << 20;
        CompletableFuture<String> atOrigin = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    atOrigin.complete(digest(peer.read(count)));
                    peer.send(Payload.bytes(count, 2));
                });
                TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.connect(origin.target(), version)) {
            client.send(Payload.bytes(count, 1));

            assertThat(atOrigin.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isEqualTo(digest(Payload.bytes(count, 1)));
            assertThat(client.read(count)).isEqualTo(Payload.bytes(count, 2));
            client.expectEnd();
            assertThat(proxy.stats().tlsHandshakes(TlsOutcome.COMPLETED)).isEqualTo(1);
        }
    }

    @Test
    void requestsAreForwardedOneAfterAnother() throws Exception {
        try (WebServer origin = WebServer.start();
                TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.client()) {
            for (int i = 0; i < 3; i++) {
                client.send("GET " + origin.url("/bytes/5/1") + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ").contains("ength: 5\r\n");
                client.read(5);
            }
            assertThat(proxy.stats().tlsHandshakes(TlsOutcome.COMPLETED)).isEqualTo(1);
        }
    }

    @Test
    void aServerThatSpeaksFirstIsHeard() throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("220 ready\r\n"));
                TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.connect(origin.target())) {
            assertThat(client.readLine()).isEqualTo("220 ready");
        }
    }

    @Test
    void refusalsComeWithinTls() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> settings.accessPolicy(request -> false));
                Peer client =
                        proxy.client().send("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")) {
            assertThat(client.readAll()).startsWith("HTTP/1.1 403 Forbidden\r\n");
        }
    }

    @Test
    void aTunnelOfTls13IsHalfClosedFromEitherSide() throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("behind: " + peer.readAll()));
                TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.connect(origin.target(), "TLSv1.3")) {
            client.send("request").shutdownOutput();

            assertThat(client.readAll()).isEqualTo("behind: request");
        }
    }

    @Test
    void aStreamThatIsCutDoesNotLookComplete() throws Exception {
        CompletableFuture<Throwable> atOrigin = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    peer.read(4);
                    try {
                        peer.expectReset();
                        atOrigin.complete(new AssertionError("was reset"));
                    } catch (AssertionError e) {
                        atOrigin.complete(e);
                    }
                });
                TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer below = proxy.unsecured()) {
            SSLSocket secure =
                    TlsProxy.secure(below.socket(), Certificates.loopback().client());
            Peer client = new Peer(secure).send(Proxy.connectHead(origin.target()));
            client.readHead();
            client.send("part");
            below.socket().shutdownOutput(); // no close_notify before it

            assertThat(atOrigin.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .hasMessage("was reset");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void idleTunnelsHoldNoBuffer(String version) throws Exception {
        byte[] message = Payload.bytes(40_000, 3);
        List<Peer> clients = new ArrayList<>();
        try (Origin origin = Origin.echo();
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            for (int i = 0; i < 20; i++) {
                clients.add(proxy.connect(origin.target(), version));
                assertThat(clients.get(i).send(message).read(message.length)).isEqualTo(message);
            }
            await().untilAsserted(() ->
                    assertThat(EngineBuffers.held(proxy.plain().broxy())).isZero());

            for (Peer client : clients) {
                assertThat(client.send("still here").readText(10)).isEqualTo("still here");
                client.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void sessionsAreResumed(String version) throws Exception {
        SSLContext context = Certificates.loopback().client();
        try (Origin origin = Origin.start(peer -> peer.send("hello"));
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            long[] created = new long[2];
            for (int i = 0; i < 2; i++) {
                try (Peer client = proxy.client(context, version).send(Proxy.connectHead(origin.target()))) {
                    client.readHead();
                    assertThat(client.readAll()).isEqualTo("hello"); // a ticket of TLS 1.3 has come by then
                    created[i] = ((SSLSocket) client.socket()).getSession().getCreationTime();
                }
                await().until(() ->
                        System.currentTimeMillis() > created[0]); // a session of its own would have another time
            }
            assertThat(created[1]).isEqualTo(created[0]);
        }
    }

    // ------------------------------------------------------------------ the client's identity

    @Test
    void policiesAndListenersSeeTheSession() throws Exception {
        BlockingQueue<AccessRequest> asked = new LinkedBlockingQueue<>();
        BlockingQueue<ProxyListener.Client> opened = new LinkedBlockingQueue<>();
        try (TlsProxy proxy = TlsProxy.start(settings -> settings.accessPolicy(request -> !asked.add(request))
                        .listener(new ProxyListener() {
                            @Override
                            public void connectionOpened(Client client) {
                                opened.add(client);
                            }
                        }));
                Peer client = proxy.client("TLSv1.3")) {
            client.send("CONNECT a.example:1 HTTP/1.1\r\nHost: a.example:1\r\nX-Team: blue\r\n\r\n")
                    .readHead();

            AccessRequest request = asked.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            ClientTls tls = new ClientTls(
                    "TLSv1.3", ((SSLSocket) client.socket()).getSession().getCipherSuite(), "localhost", List.of());
            assertThat(request.tls()).isEqualTo(tls);
            assertThat(request.fields()).extracting("name", "value").contains(tuple("X-Team", "blue"));
            assertThat(opened.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS).tls())
                    .isEqualTo(tls);
        }
    }

    @Test
    void aCertificateIsAnIdentityForWhichNoPasswordIsAsked(@TempDir Path folder) throws Exception {
        Certificates own = Certificates.make(folder.resolve("client.p12"));
        ServerTls tls = ServerTls.builder(Certificates.loopback().serverFor(own))
                .parameters(needed())
                .identity(TlsFrontendTest::subject)
                .build();
        Queue<String> identities = new ConcurrentLinkedQueue<>();
        try (Origin origin = Origin.start(peer -> peer.send("hello"));
                TlsProxy proxy = TlsProxy.start(
                        tls,
                        settings -> settings.authenticator(Authenticator.basic("test", (user, password) -> false))
                                .accessPolicy(request -> identities.add(String.valueOf(request.identity()))));
                Peer client = proxy.client(Certificates.loopback().clientWith(own))) {
            client.send(Proxy.connectHead(origin.target()));

            assertThat(client.readHead()).startsWith("HTTP/1.1 200");
            assertThat(client.readAll()).isEqualTo("hello");
            assertThat(identities).containsExactly("CN=localhost");
        }
    }

    private static SSLParameters needed() {
        SSLParameters parameters = new SSLParameters();
        parameters.setNeedClientAuth(true);
        return parameters;
    }

    private static String subject(SSLSession session) {
        try {
            return ((X509Certificate) session.getPeerCertificates()[0])
                    .getSubjectX500Principal()
                    .getName();
        } catch (SSLException e) {
            throw new AssertionError("the client has shown a certificate", e);
        }
    }

    @Test
    void aClientWithoutANeededCertificateIsRefused(@TempDir Path folder) throws Exception {
        Certificates own = Certificates.make(folder.resolve("client.p12"));
        ServerTls tls = ServerTls.builder(Certificates.loopback().serverFor(own))
                .parameters(needed())
                .build();
        try (TlsProxy proxy = TlsProxy.start(tls, settings -> {})) {
            assertThatThrownBy(() -> {
                        try (Peer client = proxy.client(Certificates.loopback().client(), "TLSv1.2")) {
                            client.readHead();
                        }
                    })
                    .isInstanceOf(IOException.class);
            awaitOutcome(proxy, TlsOutcome.FAILED);
            assertThat(proxy.stats().refused(RefusedException.Reason.TLS)).isEqualTo(1);
        }
    }

    @Test
    void anIdentityFunctionThatThrowsFailsTheConnection() throws Exception {
        ServerTls tls = ServerTls.builder(Certificates.loopback().server())
                .identity(session -> {
                    throw new IllegalStateException("a bug of the embedder");
                })
                .build();
        try (TlsProxy proxy = TlsProxy.start(tls, settings -> {})) {
            assertThatThrownBy(() -> {
                        try (Peer client = proxy.client()) {
                            client.send("GET / HTTP/1.1\r\n\r\n").readHead();
                        }
                    })
                    .isInstanceOf(IOException.class);
            awaitOutcome(proxy, TlsOutcome.FAILED);
        }
    }

    @Test
    void theContextIsAskedForAtEachHandshake(@TempDir Path folder) throws Exception {
        Certificates renewed = Certificates.make(folder.resolve("renewed.p12"));
        AtomicReference<SSLContext> current =
                new AtomicReference<>(Certificates.loopback().server());
        try (TlsProxy proxy = TlsProxy.start(ServerTls.builder(current::get).build(), settings -> {})) {
            proxy.client().close();
            current.set(renewed.server());

            proxy.client(renewed.client()).close();
            await().untilAsserted(() -> assertThat(proxy.stats().tlsHandshakes(TlsOutcome.COMPLETED))
                    .isEqualTo(2));
        }
    }

    // ------------------------------------------------------------------ what is refused

    @Test
    void plainHttpGetsAResponseThatSaysWhatIsMissing() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.unsecured().send("CONNECT a.example:1 HTTP/1.1\r\nHost: a.example:1\r\n\r\n")) {
            assertThat(client.readAll())
                    .startsWith("HTTP/1.1 400 Bad Request\r\n")
                    .endsWith("\r\n\r\n400 this port speaks TLS: use it as an https proxy\n");
            client.close();
            awaitOutcome(proxy, TlsOutcome.NOT_TLS);
            assertThat(proxy.stats().refused(RefusedException.Reason.TLS)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(bytes = {0, 4, 5, (byte) 0x80, (byte) 0xff})
    void otherProtocolsAreClosed(byte first) throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.unsecured().send(new byte[] {first, 1, 0})) {
            client.expectEnd();
            client.close();
            awaitOutcome(proxy, TlsOutcome.NOT_TLS);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void anOlderVersionGetsAnAlert(int minor) throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.unsecured().send(clientHello(minor))) {
            assertThat(client.read(7)).startsWith(21, 3).endsWith(2, 70); // alert, fatal, protocol_version
            client.expectEnd();
            client.close();
            awaitOutcome(proxy, TlsOutcome.FAILED);
        }
    }

    @Test
    void garbageAfterTheFirstByteGetsAnAlert() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.unsecured().send(new byte[] {22, 3, 1, 0, 4, 99, 0, 0, 0})) {
            assertThat(client.read(2)).startsWith(21, 3);
            client.close();
            awaitOutcome(proxy, TlsOutcome.FAILED);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void garbageAfterAHelloGetsAnAlertThatTheClientCanRead(String version) throws Exception {
        SSLEngine engine = Certificates.loopback().client().createSSLEngine();
        engine.setUseClientMode(true);
        engine.setEnabledProtocols(new String[] {version});
        engine.beginHandshake();
        ByteBuffer hello = ByteBuffer.allocate(MOST_RECORDS);
        engine.wrap(ByteBuffer.allocate(0), hello);
        byte[] both = Arrays.copyOf(hello.array(), hello.position() + 6);
        System.arraycopy(new byte[] {23, 3, 3, 0, 1, 99}, 0, both, hello.position(), 6);
        try (TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.unsecured().send(both)) {
            ByteBuffer answer = ByteBuffer.wrap(client.readAll().getBytes(ISO_8859_1));

            assertThatThrownBy(() -> readAnswer(engine, answer))
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("fatal alert");
            client.close();
            awaitOutcome(proxy, TlsOutcome.FAILED);
        }
    }

    private static void readAnswer(SSLEngine engine, ByteBuffer records) throws SSLException {
        while (records.hasRemaining()) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> engine.getDelegatedTask().run();
                case NEED_WRAP -> engine.wrap(ByteBuffer.allocate(0), ByteBuffer.allocate(MOST_RECORDS));
                default -> engine.unwrap(records, ByteBuffer.allocate(MOST_RECORDS));
            }
        }
    }

    /** A record and what is in it, in hexadecimal digits. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "16 03 01 00 05 67 61 72 62 61", // no message of a handshake
                "16 00 00 00 05 67 61 72 62 61", // no version
                "16 03 01 00 04 02 00 00 00", // a message that is a server's
                "16 03 01 00 04 01 00 00 00", // an empty ClientHello
                "16 03 01 00 06 01 00 00 02 03 03", // a cut one
                "16 03 05 00 04 01 00 00 00", // an unknown version
                "16 fe fd 00 00 00 00 00 00 00 00 00 00", // DTLS
            })
    void aMalformedHelloGetsAnAlert(String record) throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.unsecured().send(HexFormat.of().parseHex(record.replace(" ", "")))) {
            assertThat(client.read(7)).startsWith(21, 3, 3, 0, 2, 2);
            client.expectEnd();
            client.close();
            awaitOutcome(proxy, TlsOutcome.FAILED);
        }
    }

    /** One that announces more than it sends is not known to be malformed. */
    @ParameterizedTest
    @ValueSource(strings = {"16 03 01 00 0a 01 00", "16 03 01 00 04 01 00 00 04", "16 47 45 54 20 2f 20 48 54 54 50"})
    void aHelloWithoutAnEndIsResetInTime(String record) throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> settings.headTimeout(Duration.ofMillis(200)));
                Peer client = proxy.unsecured().send(HexFormat.of().parseHex(record.replace(" ", "")))) {
            client.expectReset();
            awaitOutcome(proxy, TlsOutcome.TIMEOUT);
        }
    }

    @Test
    void aRecordThatIsLargerThanAllowedGetsAnAlert() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.unsecured().send(new byte[] {22, 3, 1, (byte) 0xff, (byte) 0xff, 1, 0, 0, 0})) {
            assertThat(client.read(2)).startsWith(21, 3);
            client.close();
            awaitOutcome(proxy, TlsOutcome.FAILED);
        }
    }

    @Test
    void aSilentClientIsClosedInTime() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> settings.headTimeout(Duration.ofMillis(200)));
                Peer client = proxy.unsecured()) {
            client.expectReset();
            awaitOutcome(proxy, TlsOutcome.TIMEOUT);
        }
    }

    @Test
    void aHandshakeThatStopsIsClosedInTime() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> settings.headTimeout(Duration.ofMillis(200)));
                Peer client = proxy.unsecured().send(new byte[] {22, 3, 1, 1, 0, 1})) {
            assertThatThrownBy(() -> client.read(1)).isInstanceOf(IOException.class);
            awaitOutcome(proxy, TlsOutcome.TIMEOUT);
        }
    }

    @Test
    void aClientThatGoesWithinTheHandshakeIsCounted() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.unsecured().send(new byte[] {22, 3, 1, 1, 0, 1})) {
            await().untilAsserted(
                            () -> assertThat(proxy.stats().openTlsHandshakes()).isEqualTo(1));
            client.reset();
            awaitOutcome(proxy, TlsOutcome.ABANDONED);
        }
    }

    @Test
    void aClosedHandlerEndsHandshakes() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.unsecured().send(new byte[] {22, 3, 1, 1, 0, 1})) {
            await().untilAsserted(
                            () -> assertThat(proxy.stats().openTlsHandshakes()).isEqualTo(1));
            proxy.plain().handler().close();
            assertThatThrownBy(() -> client.read(1)).isInstanceOf(IOException.class);
            awaitOutcome(proxy, TlsOutcome.ABANDONED);
        }
    }

    @Test
    void pastTheLimitOfHandshakesClientsAreReset() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> settings.maxTlsHandshakes(1));
                Peer slow = proxy.unsecured().send(new byte[] {22, 3, 1, 1, 0, 1})) {
            await().untilAsserted(
                            () -> assertThat(proxy.stats().openTlsHandshakes()).isEqualTo(1));
            try (Peer further = proxy.unsecured().send(TLS_1_1_HELLO)) {
                further.expectReset();
            }
            assertThat(proxy.stats().tlsHandshakes(TlsOutcome.LIMIT)).isEqualTo(1);
            slow.close();
            awaitOutcome(proxy, TlsOutcome.ABANDONED);
            proxy.client().close();
        }
    }

    @Test
    void renegotiationEndsTheConnection() throws Exception {
        try (TlsProxy proxy = TlsProxy.start(settings -> {});
                Peer client = proxy.client("TLSv1.2")) {
            ((SSLSocket) client.socket()).startHandshake();

            assertThatThrownBy(() -> client.read(1)).isInstanceOf(IOException.class);
            await().untilAsserted(
                            () -> assertThat(proxy.stats().openConnections()).isZero());
        }
    }

    // ------------------------------------------------------------------ how clients come

    @Test
    void bytesThatTheHostServerHasReadComeFirst() throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("behind: " + peer.readText(5)));
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            byte[] head = Proxy.connectHead(origin.target()).getBytes(US_ASCII);
            ByteBuffer read = ByteBuffer.wrap(head, 0, 10);
            ClientHandle handle = proxy.handler().handle(accepted.end(), read);
            Arrays.fill(head, 0, 10, (byte) 0); // the host server's buffer is its own again
            accepted.client().send(Proxy.connectHead(origin.target()).substring(10) + "early");

            assertThat(accepted.client().readHead()).startsWith("HTTP/1.1 200");
            assertThat(accepted.client().readAll()).isEqualTo("behind: early");
            accepted.client().close();
            assertThat(handle.completion().get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .extracting(ConnectionResult::reason)
                    .isEqualTo(CloseReason.FINISHED);
        }
    }

    @Test
    void aHelloThatTheHostServerHasReadComesFirst() throws Exception {
        try (Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            proxy.handler()
                    .overTls(ServerTls.of(Certificates.loopback().server()))
                    .handle(accepted.end(), ByteBuffer.wrap(TLS_1_1_HELLO, 0, 20));
            accepted.client().send(Arrays.copyOfRange(TLS_1_1_HELLO, 20, TLS_1_1_HELLO.length));

            assertThat(accepted.client().read(7)).startsWith(21, 3).endsWith(2, 70);
        }
    }

    @Test
    void aSocketWithoutAChannelIsServed() throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("hello"));
                Proxy proxy = Proxy.start();
                Accepted<Socket> accepted = Accepted.socket()) {
            proxy.handler()
                    .overTls(ServerTls.of(Certificates.loopback().server()))
                    .handle(accepted.end());
            Peer client = new Peer(TlsProxy.secure(
                    accepted.client().socket(), Certificates.loopback().client()));
            client.send(Proxy.connectHead(origin.target())).readHead();

            assertThat(client.readAll()).isEqualTo("hello");
        }
    }

    @Test
    void aBalancersHeaderComesBeforeTheHandshake() throws Exception {
        BlockingQueue<AccessRequest> asked = new LinkedBlockingQueue<>();
        try (TlsProxy proxy = TlsProxy.start(settings -> settings.proxyProtocol(Cidr.parse("127.0.0.0/8"))
                        .accessPolicy(request -> !asked.add(request)));
                Peer below = proxy.unsecured().send("PROXY TCP4 192.0.2.7 192.0.2.1 1000 443\r\n")) {
            Peer client = new Peer(
                    TlsProxy.secure(below.socket(), Certificates.loopback().client()));
            client.send("CONNECT a.example:1 HTTP/1.1\r\nHost: a.example:1\r\n\r\n")
                    .readHead();

            AccessRequest request = asked.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(request.client()).extracting(InetAddress::getHostAddress).isEqualTo("192.0.2.7");
            assertThat(request.tls()).extracting(ClientTls::serverName).isEqualTo("localhost");
        }
    }

    @Test
    void aFullHandlerClosesClientsBeforeTheirHandshake() throws Exception {
        try (TlsProxy proxy =
                        TlsProxy.start(settings -> settings.maxConnections(1).addressPolicy(AddressPolicy.any()));
                Peer first = proxy.client();
                Peer second = proxy.unsecured()) {
            second.expectEnd();
            second.close();
            first.close();
            await().untilAsserted(() -> assertThat(proxy.stats().refused(RefusedException.Reason.LIMIT))
                    .isEqualTo(1));
        }
    }
}
