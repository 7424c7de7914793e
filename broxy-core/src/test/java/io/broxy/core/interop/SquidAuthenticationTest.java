package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.ProxyAuthentication;
import io.broxy.core.Broxy;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Specifies that dials and forwarded requests log in to Squid with the helpers of its own for Basic and Digest. One Squid runs for
 * the whole class; its nonces are good for few requests, so that stale ones come as a matter of course.
 */
@ExtendWith(LeakCheck.class)
class SquidAuthenticationTest {
    private static final Path HELPERS = Path.of("/usr/lib/squid");
    private static final Credentials USER = Credentials.basic("user", "secret word");
    private static final Credentials WRONG = Credentials.basic("user", "guessed");

    private static Daemon squid;

    @BeforeAll
    static void startSquid(@TempDir Path folder) throws Exception {
        assumeTrue(
                Files.isExecutable(HELPERS.resolve("digest_file_auth"))
                        && Files.isExecutable(HELPERS.resolve("basic_ncsa_auth")),
                "Squid's helpers are not installed");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        squid = Daemon.start(folder.resolve("log"), port -> prepare(folder, port));
    }

    @AfterAll
    static void stopSquid() {
        if (squid != null) {
            squid.close();
        }
    }

    private static List<String> prepare(Path folder, int port) throws IOException {
        Path digestUsers = Files.writeString(folder.resolve("digest"), "user:secret word\n");
        Path basicUsers = Files.writeString(folder.resolve("basic"), "user:" + SALTED + "\n");
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
                auth_param digest program %s %s
                auth_param digest children 1 startup=1 idle=1
                auth_param digest realm digest, of a test
                auth_param digest nonce_max_count 5
                auth_param basic program %s %s
                auth_param basic children 1 startup=1 idle=1
                auth_param basic realm test
                acl known proxy_auth REQUIRED
                http_access allow known
                http_access deny all
                """.formatted(
                        port,
                        folder,
                        HELPERS.resolve("digest_file_auth"),
                        digestUsers,
                        HELPERS.resolve("basic_ncsa_auth"),
                        basicUsers));
        return List.of(Daemon.program("squid"), "-N", "-f", config.toString(), "-n", "broxyauth" + port);
    }

    /** {@code openssl passwd -apr1 -salt broxytst 'secret word'}. */
    private static final String SALTED = "$apr1$broxytst$Z/9s1njG0N/LORRPDz0Ym.";

    private static Dialer dialer(Broxy broxy, ProxyAuthentication authentication) {
        return broxy.httpProxyDialer(squid.target())
                .authentication(authentication)
                .build();
    }

    private static void echoes(Dialer dialer, Origin origin) throws IOException {
        try (Connection connection = dialer.dial(origin.target())) {
            Dialed.write(connection, "hello");
            assertThat(Dialed.read(connection, 5)).isEqualTo("hello");
        }
    }

    private static void isRefused(Dialer dialer, Origin origin) {
        DialException failure = catchThrowableOfType(
                DialException.class, () -> dialer.dial(origin.target()).close());

        assertThat(Objects.requireNonNull(failure).reason()).isEqualTo(Reason.PROXY_AUTH);
        assertThat(Objects.requireNonNull(failure.proxyReply()).status()).isEqualTo(407);
    }

    @Test
    void tunnelsOpenWithBasicCredentials() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build();
                Origin origin = Origin.echo()) {
            echoes(dialer(broxy, ProxyAuthentication.basic(USER)), origin);
            isRefused(dialer(broxy, ProxyAuthentication.basic(WRONG)), origin);
        }
    }

    @Test
    void tunnelsOpenWithDigestCredentialsOneAfterTheOtherAndManyAtOnce() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(2).build();
                Origin origin = Origin.echo()) {
            Dialer dialer = dialer(broxy, ProxyAuthentication.digest(USER));
            for (int i = 0; i < 12; i++) {
                echoes(dialer, origin);
            }
            List<CompletableFuture<Connection>> dials = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                dials.add(dialer.dialAsync(DialRequest.to(origin.target()), Runnable::run));
            }
            for (CompletableFuture<Connection> dial : dials) {
                dial.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS).close();
            }
            isRefused(dialer(broxy, ProxyAuthentication.digest(WRONG)), origin);
        }
    }

    @Test
    void plainRequestsAreForwardedWithDigestCredentials() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(
                        (broxy, settings) -> settings.dialer(dialer(broxy, ProxyAuthentication.digest(USER))));
                Peer client = proxy.client()) {
            for (int i = 0; i < 12; i++) {
                client.send(
                        i % 2 == 0
                                ? Http.get(origin.target(), "/a?b=" + i)
                                : Http.post(origin.target(), "/p", "body" + i));
                assertThat(Http.read(client).body()).isEqualTo(i % 2 == 0 ? "GET /a?b=" + i + " " : "POST /p body" + i);
            }
        }
    }

    @Test
    void plainRequestsWithWrongCredentialsAreABadGateway() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(
                        (broxy, settings) -> settings.dialer(dialer(broxy, ProxyAuthentication.digest(WRONG))));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(Http.read(client).status()).isEqualTo(502);
            assertThat(origin.accepted()).isZero();
        }
    }
}
