package io.broxy.core.dialing;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.Dialer;
import io.broxy.core.Broxy;
import io.broxy.core.NamedSockets;
import io.broxy.core.NamedTlsSockets;
import io.broxy.core.SocketRegistration;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.naming.Context;
import javax.naming.ldap.InitialLdapContext;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies sockets that are registered by a name, and how libraries get them by the name of a class. */
@ExtendWith(LeakCheck.class)
class NamedSocketsTest {
    private static final Certificates CERTIFICATES = Certificates.loopback();

    private final ConcurrentLinkedQueue<String> dialed = new ConcurrentLinkedQueue<>();
    private Broxy broxy;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(1).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    private Dialer dialer(String name) {
        Dialer direct = broxy.directDialer().build();
        return request -> {
            dialed.add(name);
            return direct.dial(request);
        };
    }

    private SocketRegistration register(String name) {
        return broxy.sockets(dialer(name)).register(name, CERTIFICATES.client());
    }

    private static void assertEchoes(Socket socket) throws IOException {
        try (socket) {
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            socket.getOutputStream().write("there and back".getBytes(US_ASCII));
            socket.shutdownOutput();
            assertThat(socket.getInputStream().readAllBytes()).isEqualTo("there and back".getBytes(US_ASCII));
        }
    }

    private static Origin tlsEcho() throws IOException {
        return Origin.startTls(CERTIFICATES, peer -> {
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
            peer.shutdownOutput();
        });
    }

    // ------------------------------------------------------------------ which registration

    @Test
    void everyFormOfSocketComesFromTheRegistration() throws Exception {
        InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        InetAddress any = new InetSocketAddress(0).getAddress();
        register("corp");
        register("other");
        try (Origin origin = Origin.echo();
                Origin secure = tlsEcho()) {
            for (SocketFactory factory : List.of(new NamedSockets("corp"), new NamedTlsSockets("corp"))) {
                int port = factory instanceof SSLSocketFactory ? secure.port() : origin.port();
                assertEchoes(factory.createSocket("127.0.0.1", port));
                assertEchoes(factory.createSocket("127.0.0.1", port, any, 0));
                assertEchoes(factory.createSocket(loopback, port));
                assertEchoes(factory.createSocket(loopback, port, any, 0));
                Socket later = factory.createSocket();
                later.connect(new InetSocketAddress(loopback, port));
                assertEchoes(later);
            }
            assertThat(dialed).hasSize(10).containsOnly("corp");

            assertEchoes(new NamedTlsSockets("corp")
                    .createSocket(new Socket(loopback, secure.port()), "127.0.0.1", secure.port(), true));
        }
    }

    @Test
    void cipherSuitesAreThoseOfTheContext() {
        register("corp");
        SSLSocketFactory own = CERTIFICATES.client().getSocketFactory();

        assertThat(new NamedTlsSockets("corp").getDefaultCipherSuites()).isEqualTo(own.getDefaultCipherSuites());
        assertThat(new NamedTlsSockets("corp").getSupportedCipherSuites()).isEqualTo(own.getSupportedCipherSuites());
    }

    @Test
    void withoutANameItIsTheOnlyRegistrationOrTheDefault() throws Exception {
        try (Origin origin = Origin.echo()) {
            register("corp");
            assertEchoes(new NamedSockets().createSocket("127.0.0.1", origin.port()));
            register("default");
            assertEchoes(NamedSockets.getDefault().createSocket("127.0.0.1", origin.port()));

            assertThat(dialed).containsExactly("corp", "default");
            assertThat(NamedTlsSockets.getDefault()).isInstanceOf(NamedTlsSockets.class);
        }
    }

    @Test
    void unknownNameFailsAndTheNamesAreListed() {
        register("one");
        register("two");

        assertThatThrownBy(() -> new NamedSockets("three").createSocket())
                .isInstanceOf(SocketException.class)
                .hasMessage("no sockets are registered as \"three\"; registered: one, two");
        assertThatThrownBy(() -> new NamedTlsSockets("three").createSocket("db.example", 443))
                .isInstanceOf(SocketException.class)
                .hasMessage("no sockets are registered as \"three\"; registered: one, two");
        assertThatThrownBy(() -> new NamedSockets().createSocket())
                .isInstanceOf(SocketException.class)
                .hasMessageContaining("nor exactly one")
                .hasMessageEndingWith("registered: one, two");
        assertThatThrownBy(() -> new NamedTlsSockets("three").getDefaultCipherSuites())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageEndingWith("registered: one, two");
    }

    @Test
    void withoutAnyRegistrationTheErrorSaysSo() {
        assertThatThrownBy(() -> new NamedSockets().createSocket())
                .isInstanceOf(SocketException.class)
                .hasMessageEndingWith("registered: none");
    }

    // ------------------------------------------------------------------ the life of a registration

    @Test
    void takenNameIsRefusedUntilItIsFree() throws Exception {
        SocketRegistration first = register("corp");
        assertThat(first.name()).isEqualTo("corp");
        assertThatThrownBy(() -> register("corp"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("\"corp\"");
        first.close();
        SocketRegistration second = register("corp");
        first.close(); // ends nothing of the second one

        new NamedSockets("corp").createSocket().close();
        second.close();
        assertThatThrownBy(() -> new NamedSockets("corp").createSocket()).isInstanceOf(SocketException.class);
    }

    @Test
    void blankNameIsRefused() {
        assertThatThrownBy(() -> register(" ")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void factoryOutlivesARegistrationAndItsSocketsDoToo() throws Exception {
        NamedSockets factory = new NamedSockets("corp");
        try (Origin origin = Origin.echo()) {
            SocketRegistration registration = register("corp");
            Socket open = factory.createSocket("127.0.0.1", origin.port());
            registration.close();
            assertEchoes(open);
            assertThatThrownBy(factory::createSocket).isInstanceOf(SocketException.class);
            register("corp");
            assertEchoes(factory.createSocket("127.0.0.1", origin.port()));
        }
    }

    @Test
    void endOfTheEngineEndsItsRegistrations() {
        Broxy other = Broxy.builder().eventLoops(1).build();
        other.sockets(dialer("corp")).register("corp");
        other.close();

        assertThatThrownBy(() -> new NamedSockets("corp").createSocket()).isInstanceOf(SocketException.class);
        assertThatThrownBy(() -> other.sockets(dialer("corp")).register("corp"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        register("corp"); // the failed one has not taken the name
    }

    @Test
    void oneOfManyRegistrationsOfANameSucceeds() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            Callable<Integer> registering = () -> {
                try {
                    register("corp");
                    return 1;
                } catch (IllegalStateException e) {
                    return 0;
                }
            };
            int succeeded = 0;
            for (Future<Integer> each :
                    threads.invokeAll(List.of(registering, registering, registering, registering))) {
                succeeded += each.get();
            }
            assertThat(succeeded).isEqualTo(1);
        } finally {
            threads.shutdownNow();
            threads.awaitTermination(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Test
    void defaultContextIsTheJvms() throws Exception {
        broxy.sockets(dialer("corp")).register("corp");

        assertThat(new NamedTlsSockets("corp").getDefaultCipherSuites())
                .isEqualTo(SSLContext.getDefault().getSocketFactory().getDefaultCipherSuites());
    }

    // ------------------------------------------------------------------ settings

    @Test
    void settingsAreThoseOfTheBuilder() throws Exception {
        broxy.sockets(dialer("corp"))
                .readTimeout(Duration.ofNanos(1_500_001))
                .option(StandardSocketOptions.TCP_NODELAY, false)
                .option(StandardSocketOptions.SO_LINGER, 3)
                .register("corp", CERTIFICATES.client());
        try (Origin origin = Origin.discard()) {
            for (SocketFactory factory : List.of(new NamedSockets("corp"), new NamedTlsSockets("corp"))) {
                try (Socket socket = factory.createSocket()) {
                    assertThat(socket.getSoTimeout()).isEqualTo(2);
                    assertThat(socket.getTcpNoDelay()).isFalse();
                    socket.connect(origin.address());
                    assertThat(socket.getSoTimeout()).isEqualTo(2);
                    assertThat(socket.getTcpNoDelay()).isFalse();
                    assertThat(socket.getSoLinger()).isEqualTo(3);
                    assertThat(socket.getKeepAlive()).isTrue();
                }
            }
        }
    }

    @Test
    void builderMayBeUsedFurther() throws Exception {
        var builder = broxy.sockets(dialer("corp"));
        SocketFactory first = builder.plain();
        SocketFactory second = builder.readTimeout(Duration.ofSeconds(1)).plain();
        try (Socket one = first.createSocket();
                Socket two = second.createSocket()) {
            assertThat(one.getSoTimeout()).isZero();
            assertThat(two.getSoTimeout()).isEqualTo(1_000);
        }
    }

    @Test
    @SuppressWarnings({"unchecked", "rawtypes"}) // a value of another type
    void wrongSettingsAreRefused() {
        var builder = broxy.sockets(dialer("corp"));
        assertThatThrownBy(() -> builder.readTimeout(Duration.ofSeconds(-1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.readTimeout(Duration.ofDays(30))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.option(StandardSocketOptions.SO_SNDBUF, -1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.option((java.net.SocketOption) StandardSocketOptions.SO_SNDBUF, "many"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.option(StandardSocketOptions.IP_MULTICAST_TTL, 1))
                .isInstanceOf(UnsupportedOperationException.class);
    }

    // ------------------------------------------------------------------ a library that wants a class name

    /** Answers an LDAP bind (RFC 4511 section 4.2), and reads the rest. */
    private static void ldap(Peer peer) throws IOException {
        int length = peer.read(2)[1];
        byte[] request = peer.read(length);
        byte id = request[2];
        peer.send(new byte[] {0x30, 12, 2, 1, id, 0x61, 7, 10, 1, 0, 4, 0, 4, 0});
        peer.readAll();
    }

    @Test
    void ldapClientConnectsThroughTheDialer() throws Exception {
        register("default");
        try (Origin origin = Origin.start(NamedSocketsTest::ldap);
                Origin secure = Origin.startTls(CERTIFICATES, NamedSocketsTest::ldap)) {
            bind("ldap://127.0.0.1:" + origin.port(), NamedSockets.class, "");
            bind("ldap://127.0.0.1:" + origin.port(), NamedSockets.class, "5000");
            bind("ldaps://localhost:" + secure.port(), NamedTlsSockets.class, "");
            bind("ldaps://localhost:" + secure.port(), NamedTlsSockets.class, "5000");

            assertThat(dialed).hasSize(4);
        }
    }

    private static void bind(String url, Class<?> factory, String timeoutMillis) throws Exception {
        Properties settings = new Properties();
        settings.setProperty(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
        settings.setProperty(Context.PROVIDER_URL, url);
        settings.setProperty(Context.SECURITY_AUTHENTICATION, "simple");
        settings.setProperty(Context.SECURITY_PRINCIPAL, "cn=test");
        settings.setProperty(Context.SECURITY_CREDENTIALS, "only-for-tests");
        settings.setProperty("java.naming.ldap.factory.socket", factory.getName());
        if (!timeoutMillis.isEmpty()) {
            settings.setProperty("com.sun.jndi.ldap.connect.timeout", timeoutMillis);
        }
        new InitialLdapContext(settings, null).close();
    }
}
