package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Program;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.WebServer;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies that clients, and curl, log in at third-party proxies through a handler. Where one is missing, tests are skipped. */
@ExtendWith(LeakCheck.class)
class PassedLoginUpstreamsTest {
    private static final String CREDENTIALS = "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ="; // user:secret
    private static final Map<RealUpstream, Daemon> DAEMONS = new EnumMap<>(RealUpstream.class);

    private static Path folder;

    @BeforeAll
    static void makeFolder(@TempDir Path made) {
        folder = made;
    }

    @AfterAll
    static void stopAll() {
        DAEMONS.values().forEach(Daemon::close);
        DAEMONS.clear();
    }

    private static Proxy proxy(RealUpstream upstream) throws Exception {
        Daemon running = DAEMONS.get(upstream);
        if (running == null) {
            running = upstream.start(folder);
            DAEMONS.put(upstream, running);
        }
        Daemon daemon = running;
        return Proxy.start((broxy, settings) -> settings.passProxyAuthentication(true)
                .dialer(upstream.dialer(broxy, daemon, broxy.directDialer().build(), null)));
    }

    private static String connect(Origin origin, String... fields) {
        StringBuilder head =
                new StringBuilder("CONNECT " + origin.target() + " HTTP/1.1\r\nHost: " + origin.target() + "\r\n");
        for (String field : fields) {
            head.append(field).append("\r\n");
        }
        return head + "\r\n";
    }

    @ParameterizedTest
    @EnumSource(names = {"SQUID", "SQUID_IN_TLS"})
    void aTunnelOpensBehindTheChallenge(RealUpstream upstream) throws Exception {
        try (Origin origin = Origin.greeting("220 ready\r\n");
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            Http.Message challenge = Http.read(client.send(connect(origin)));
            assertThat(challenge.status()).isEqualTo(407);
            assertThat(Http.value(challenge.head(), "Proxy-Authenticate")).startsWith("Basic realm=\"test\"");

            assertThat(client.send(connect(origin, CREDENTIALS)).readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(client.readLine()).isEqualTo("220 ready");
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SQUID", "SQUID_IN_TLS"})
    void aRequestIsForwardedBehindTheChallenge(RealUpstream upstream) throws Exception {
        try (WebServer server = WebServer.start();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            String request = "GET " + server.url("/bytes/100/1") + " HTTP/1.1\r\nHost: x\r\n";
            assertThat(Http.read(client.send(request + "\r\n")).status()).isEqualTo(407);
            for (int i = 0; i < 2; i++) {
                client.send(request + CREDENTIALS + "\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
                assertThat(client.read(100)).hasSize(100);
            }
            assertThat(server.asked())
                    .hasSize(2)
                    .allSatisfy(asked -> assertThat(asked.fields()).doesNotContainKey("Proxy-authorization"));
        }
    }

    /** Wrong credentials get what the proxy says of them; tinyproxy says 401, which is no answer for a client of CONNECT. */
    @ParameterizedTest
    @CsvSource({"SQUID, 407", "SQUID_IN_TLS, 407", "TINYPROXY, 502"})
    void wrongCredentialsAreRefused(RealUpstream upstream, int status) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            client.send(connect(origin, "Proxy-Authorization: Basic dXNlcjp3cm9uZw=="));

            assertThat(Http.read(client).status()).isEqualTo(status);
            assertThat(origin.accepted()).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "SQUID, --proxy-anyauth, false",
        "SQUID, --proxy-anyauth, true",
        "SQUID, --proxy-basic, true",
        "SQUID_IN_TLS, --proxy-anyauth, true",
        "TINYPROXY, --proxy-basic, true",
        "TINYPROXY, --proxy-basic, false",
    })
    void curlLogsIn(RealUpstream upstream, String scheme, boolean tunnel) throws Exception {
        try (WebServer server = WebServer.start();
                Proxy proxy = proxy(upstream)) {
            Program curl = Program.run(
                    folder,
                    "curl",
                    "--silent",
                    "--show-error",
                    "--max-time",
                    "20",
                    "--proxy",
                    "http://127.0.0.1:" + proxy.address().getPort(),
                    "--proxy-user",
                    "user:secret",
                    scheme,
                    tunnel ? "--proxytunnel" : "--http1.1",
                    "--output",
                    "/dev/null",
                    "--write-out",
                    "%{http_code} %{size_download}",
                    server.url("/bytes/100/1"));

            assertThat(curl.output()).isEqualTo("200 100");
        }
    }
}
