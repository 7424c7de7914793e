package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyAuthentication;
import io.broxy.core.Broxy;
import io.broxy.core.Negotiate;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.Dialed;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.PrivilegedExceptionAction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import javax.security.auth.Subject;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginException;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSCredential;
import org.ietf.jgss.GSSManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies that dials and forwarded requests log in by Negotiate with Kerberos: to Squid with its own helper, with tickets of a
 * real KDC. Both run for as long as this class.
 */
@ExtendWith(LeakCheck.class)
class NegotiateTest {
    private static final Path HELPER = Path.of("/usr/lib/squid/negotiate_kerberos_auth");

    /** A first ticket takes its time on a slow machine. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private static KerberosRealm realm;
    private static Daemon squid;

    @BeforeAll
    static void startServers(@TempDir Path folder) throws Exception {
        assumeTrue(Files.isExecutable(HELPER), "Squid's helper for Kerberos is not installed");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        realm = KerberosRealm.start(folder);
        Files.setPosixFilePermissions(realm.serviceKeys(), PosixFilePermissions.fromString("rw-r--r--"));
        squid = Daemon.start(folder.resolve("squid.out"), port -> prepare(folder, port));
    }

    @AfterAll
    static void stopServers() {
        if (squid != null) {
            squid.close();
        }
        if (realm != null) {
            realm.close();
        }
    }

    private static List<String> prepare(Path folder, int port) throws IOException {
        Path config = Files.writeString(folder.resolve("squid.conf"), """
                http_port 127.0.0.1:%d
                pid_filename none
                visible_hostname localhost
                cache deny all
                access_log none
                cache_log /dev/null
                coredump_dir %s
                pinger_enable off
                shutdown_lifetime 0 seconds
                auth_param negotiate program %s -k %s -s HTTP/localhost@%s -t none
                auth_param negotiate children 2 startup=1 idle=1
                auth_param negotiate keep_alive on
                acl known proxy_auth REQUIRED
                http_access allow known
                http_access deny all
                """.formatted(
                        port, folder, HELPER, realm.serviceKeys(), KerberosRealm.NAME));
        List<String> command = new ArrayList<>(realm.environment());
        command.addAll(List.of(Daemon.program("squid"), "-N", "-f", config.toString(), "-n", "broxykrb" + port));
        return command;
    }

    /** By its name, which its principal has. */
    private static HostPort proxy() {
        return HostPort.of("localhost", squid.target().port());
    }

    private static Dialer dialer(Broxy broxy, ProxyAuthentication authentication) {
        return broxy.httpProxyDialer(proxy())
                .authentication(authentication)
                .timeout(PATIENCE)
                .build();
    }

    private static void echoes(Dialer dialer, Origin origin) throws IOException {
        try (Connection connection = dialer.dial(origin.target())) {
            Dialed.write(connection, "hello");
            assertThat(Dialed.read(connection, 5)).isEqualTo("hello");
        }
    }

    private static DialException failure(Dialer dialer) {
        DialException failure = catchThrowableOfType(
                DialException.class,
                () -> dialer.dial(HostPort.parse("127.0.0.1:9")).close());
        assertThat(Objects.requireNonNull(failure).reason()).isEqualTo(Reason.PROXY_AUTH);
        return failure;
    }

    @Test
    void tunnelsOpenWithTheTicketsOfASubject() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(2).build();
                Origin origin = Origin.echo()) {
            Dialer dialer = dialer(broxy, Negotiate.create().subject(realm.login()));
            echoes(dialer, origin);
            List<CompletableFuture<Connection>> dials = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                dials.add(dialer.dialAsync(DialRequest.to(origin.target()), Runnable::run));
            }
            for (CompletableFuture<Connection> dial : dials) {
                dial.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS).close();
            }
        }
    }

    @Test
    void tunnelsOpenWithTheLoginThatTheJvmIsConfiguredFor() throws Exception {
        Configuration before = configuration();
        Configuration.setConfiguration(realm.configuration());
        try (Broxy broxy = Broxy.builder().eventLoops(1).build();
                Origin origin = Origin.echo()) {
            Dialer dialer = dialer(broxy, Negotiate.create());
            echoes(dialer, origin);
            echoes(dialer, origin);
        } finally {
            Configuration.setConfiguration(before);
        }
    }

    private static @Nullable Configuration configuration() {
        try {
            return Configuration.getConfiguration();
        } catch (SecurityException e) {
            return null; // there is none, as usual
        }
    }

    @Test
    void plainRequestsAreForwardedOverConnectionsThatAreLoggedInForTheirClient() throws Exception {
        Subject user = realm.login();
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialTimeout(PATIENCE)
                        .dialer(dialer(broxy, Negotiate.create().subject(user))));
                Peer one = proxy.client();
                Peer two = proxy.client()) {
            for (int i = 0; i < 3; i++) {
                for (Peer client : List.of(one, two)) {
                    client.send(i == 1 ? Http.post(origin.target(), "/p", "body") : Http.get(origin.target(), "/g"));
                    assertThat(Http.read(client).body()).isEqualTo(i == 1 ? "POST /p body" : "GET /g ");
                }
            }
        }
    }

    // ------------------------------------------------------------------ mutual authentication

    /** A proxy that accepts tickets itself, and says something of its own behind 200. */
    private static Origin acceptor(UnaryOperator<String> finalFields) throws Exception {
        Subject service = realm.service();
        return Origin.start(peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 407 Who\r\nProxy-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n");
            String value = String.valueOf(Http.value(peer.readHead(), "Proxy-Authorization"));
            byte[] token = Base64.getDecoder().decode(value.substring("Negotiate ".length()));
            byte[] answer = Subject.doAs(service, (PrivilegedExceptionAction<byte[]>) () -> {
                GSSContext context = GSSManager.getInstance().createContext((GSSCredential) null);
                return context.acceptSecContext(token, 0, token.length);
            });
            String fields = finalFields.apply(Base64.getEncoder().encodeToString(answer));
            peer.send("HTTP/1.1 200 OK\r\n" + fields + "\r\n");
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
        });
    }

    private static Dialer dialer(Broxy broxy, Origin proxy, boolean mutual) throws LoginException {
        Negotiate negotiate = Negotiate.create().subject(realm.login());
        return broxy.httpProxyDialer(HostPort.of("localhost", proxy.port()))
                .authentication(mutual ? negotiate.requireMutualAuthentication() : negotiate)
                .timeout(PATIENCE)
                .build();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Proxy-Authentication-Info", "Proxy-Authenticate"})
    void aProxyProvesItsIdentityByAToken(String field) throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build();
                Origin proxy = acceptor(token -> field + ": Negotiate " + token + "\r\n");
                Connection connection = dialer(broxy, proxy, true).dial(HostPort.parse("target.example:443"))) {
            Dialed.write(connection, "hello");
            assertThat(Dialed.read(connection, 5)).isEqualTo("hello");
        }
    }

    @Test
    void aTokenThatIsNotTheProxysFailsTheDialWhetherOneIsRequiredOrNot() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build();
                Origin proxy = acceptor(token -> "Proxy-Authentication-Info: Negotiate "
                        + token.substring(0, token.length() - 12) + "AAAAAAAAAAAA\r\n")) {
            assertThat(failure(dialer(broxy, proxy, false)))
                    .hasMessageContaining("Negotiate for HTTP@localhost failed");
            assertThat(failure(dialer(broxy, proxy, true))).hasMessageContaining("Negotiate for HTTP@localhost failed");
        }
    }

    @Test
    void aMissingTokenFailsTheDialWhereOneIsRequired() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build();
                Origin proxy = acceptor(token -> "")) {
            assertThat(failure(dialer(broxy, proxy, true)))
                    .hasMessageContaining("the proxy did not prove its identity (mutual authentication)");
            dialer(broxy, proxy, false)
                    .dial(HostPort.parse("target.example:443"))
                    .close();
        }
    }

    @Test
    void aProxyThatAsksForNothingFailsTheDialWhereItsTokenIsRequired() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build();
                Origin proxy = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n\r\n").readAll();
                })) {
            assertThat(failure(dialer(broxy, proxy, true))).hasMessageContaining("did not prove its identity");
        }
    }

    // ------------------------------------------------------------------ failures

    @Test
    void withoutATicketTheFailureSaysSo() {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build()) {
            assertThat(failure(dialer(broxy, Negotiate.create().subject(new Subject()))))
                    .hasMessageContaining(
                            "HTTP 407: Negotiate for HTTP@localhost failed: No valid credentials provided");
        }
    }

    @Test
    void withoutATicketCacheTheFailureSaysSo(@TempDir Path folder) {
        Configuration before = configuration();
        Configuration.setConfiguration(KerberosRealm.configuration(Map.of(
                "useTicketCache", "true", "ticketCache", folder.resolve("none").toString())));
        try (Broxy broxy = Broxy.builder().eventLoops(1).build()) {
            assertThat(failure(dialer(broxy, Negotiate.create())))
                    .hasMessageContaining("HTTP 407: there is no Kerberos ticket for the proxy (kinit gets one): ");
        } finally {
            Configuration.setConfiguration(before);
        }
    }

    @Test
    void aProxyWithoutAPrincipalIsAFailureThatNamesIt() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build()) {
            Dialer byAddress = broxy.httpProxyDialer(squid.target())
                    .authentication(Negotiate.create().subject(realm.login()))
                    .timeout(PATIENCE)
                    .build();

            assertThat(failure(byAddress))
                    .hasMessageContaining("Negotiate for HTTP@127.0.0.1 failed: ")
                    .hasMessageContaining("not found in Kerberos database");
        }
    }
}
