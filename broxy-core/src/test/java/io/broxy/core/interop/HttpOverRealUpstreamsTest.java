package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.ProxyReply;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.WebServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies that plain HTTP passes through third-party proxies; one that is not installed is skipped. */
@ExtendWith(LeakCheck.class)
class HttpOverRealUpstreamsTest {
    private static final int TEN_MEBIBYTES = 10 << 20;
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
        return Proxy.start((broxy, settings) -> settings.viaPseudonym("here")
                .dialer(upstream.dialer(broxy, daemon, broxy.directDialer().build())));
    }

    private static HttpURLConnection open(Proxy proxy, String url) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create(url).toURL().openConnection(new java.net.Proxy(java.net.Proxy.Type.HTTP, proxy.address()));
        connection.setReadTimeout(Peer.PATIENCE_MILLIS);
        return connection;
    }

    @ParameterizedTest
    @EnumSource
    void tenMebibytesGoUpAndComeDownByteForByte(RealUpstream upstream) throws Exception {
        try (WebServer server = WebServer.start();
                Proxy proxy = proxy(upstream)) {
            HttpURLConnection up = open(proxy, server.url("/digest"));
            up.setDoOutput(true);
            up.setFixedLengthStreamingMode(TEN_MEBIBYTES);
            String sent;
            try (OutputStream out = up.getOutputStream()) {
                sent = Payload.write(out, TEN_MEBIBYTES, 1);
            }
            try (InputStream in = up.getInputStream()) {
                assertThat(in.readAllBytes()).asString().isEqualTo(sent);
            }

            HttpURLConnection down = open(proxy, server.url("/chunks/" + TEN_MEBIBYTES + "/1"));
            down.setRequestProperty("Connection", "close"); // the JDK would keep it for ten seconds
            try (InputStream in = down.getInputStream()) {
                assertThat(Payload.read(in)).isEqualTo(sent);
            }

            assertThat(server.asked()).hasSize(2).allSatisfy(asked -> {
                assertThat(asked.fields()).doesNotContainKey("Proxy-authorization");
                assertThat(String.valueOf(asked.fields().get("Via"))).contains("1.1 here");
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void requestAfterRequestTakesTheSameRoute(RealUpstream upstream) throws Exception {
        try (WebServer server = WebServer.start();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            for (int i = 0; i < 3; i++) {
                client.send("GET " + server.url("/bytes/100/" + i) + " HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n").containsIgnoringCase("length: 100\r\n");
                assertThat(client.read(100)).hasSize(100);
            }
            assertThat(server.asked()).hasSize(3);
        }
    }

    /** What an HTTP proxy says about a target is an answer as any other; where there is none the proxy says it itself. */
    @ParameterizedTest
    @EnumSource
    void aTargetThatTheUpstreamDoesNotReachIsReported(RealUpstream upstream) throws Exception {
        try (Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            int closed = HeldPort.refusing().port();
            client.send("GET http://127.0.0.1:" + closed + "/ HTTP/1.1\r\nHost: x\r\n\r\n");

            String head = client.readHead();
            if (upstream.protocol() == ProxyReply.Protocol.HTTP) {
                assertThat(head).matches("(?s)HTTP/1\\.1 50[0-9] .*").contains("Via: ");
            } else {
                boolean precise = upstream.protocol() == ProxyReply.Protocol.SOCKS5;
                String error = precise ? "connection_refused" : "destination_unavailable";
                assertThat(head)
                        .startsWith("HTTP/1.1 502 Bad Gateway\r\n")
                        .contains("Proxy-Status: Broxy; error=" + error + "\r\n");
            }
        }
    }
}
