package io.broxy.core.access;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessRequest;
import io.broxy.Authenticator;
import io.broxy.ConnPool;
import io.broxy.ConnectRequest;
import io.broxy.ConnectionResult;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.ExchangeResult;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyListener;
import io.broxy.ProxyReply;
import io.broxy.ProxyUri;
import io.broxy.RefusedException;
import io.broxy.Socks5Dialer;
import io.broxy.SystemProxies;
import io.broxy.TunnelResult;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Specifies that a password is sent where it belongs and appears nowhere else. Each test uses a password for one
 * purpose, and searches all output for it, plain and in base64.
 */
@ExtendWith(LeakCheck.class)
class SecretsTest {
    private static final String SECRET = "sesame-4711";
    private static final Credentials RIGHT = Credentials.basic("alice", SECRET);

    /** A user name of a length that leaves the base64 form of the password unchanged. */
    private static final List<String> TRACES = List.of(
            SECRET,
            RIGHT.authorization().substring("Basic ".length()),
            Base64.getEncoder().encodeToString(SECRET.getBytes(UTF_8)).substring(0, 12));

    /** Whatever a listener, a policy or an authenticator may print. */
    private final List<String> shown = new CopyOnWriteArrayList<>();

    private final ProxyListener listener = new ProxyListener() {
        private void show(@Nullable Object... all) {
            for (@Nullable Object one : all) {
                shown.add(text(one));
            }
        }

        @Override
        public void connectionOpened(Client client) {
            show(client);
        }

        @Override
        public void connectionClosed(Client client, ConnectionResult result) {
            show(client, result, result.cause());
        }

        @Override
        public void requestRefused(Request request, RefusedException refusal) {
            show(request, refusal);
        }

        @Override
        public void authenticationFailed(Request request) {
            show(request);
        }

        @Override
        public void dialFailed(Request request, DialException failure) {
            show(request, failure);
        }

        @Override
        public void tunnelEnded(Request request, TunnelResult result) {
            show(request, result, result.cause());
        }

        @Override
        public void exchangeEnded(Request request, ExchangeResult result) {
            show(request, result, result.cause());
        }
    };

    /** The form in a log: an exception with all of its causes. */
    private static String text(@Nullable Object shown) {
        if (!(shown instanceof Throwable failure)) {
            return String.valueOf(shown);
        }
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    private static void assertNoTrace(String where, String text) {
        assertThat(TRACES)
                .as("in %s", where)
                .noneSatisfy(trace -> assertThat(text).contains(trace));
    }

    private static void exchange(Peer client, String request, String status) throws IOException {
        client.send(request);
        String head = client.readHead();
        assertThat(head).startsWith("HTTP/1.1 " + status + " ");
        assertNoTrace("an answer", head);
    }

    /** Everything that a client can do with credentials, one after another. */
    private void clientsCome(Proxy proxy, Origin pages, HostPort nobody) throws IOException {
        String right = "Proxy-Authorization: " + RIGHT.authorization() + "\r\n";
        String wrong =
                "Proxy-Authorization: " + Credentials.basic("bob", SECRET).authorization() + "\r\n";
        String bearer = "Proxy-Authorization: Bearer " + SECRET + "\r\n";
        String own = "Authorization: Bearer " + SECRET + "\r\nCookie: id=" + SECRET + "\r\n";
        for (String fields : List.of(wrong, bearer, "Proxy-Authorization: " + SECRET + "\r\n")) {
            try (Peer client = proxy.client()) {
                exchange(client, "CONNECT " + pages.target() + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n", "407");
            }
        }
        String uri = "http://" + pages.target() + "/" + SECRET + "?token=" + SECRET;
        try (Peer client = proxy.client()) {
            exchange(client, "GET " + uri + " HTTP/1.1\r\nHost: x\r\n" + own + right + "\r\n", "200");
        }
        try (Peer client = proxy.client()) {
            exchange(client, "GET http://" + nobody + "/ HTTP/1.1\r\nHost: x\r\n" + own + right + "\r\n", "502");
        }
        try (Peer client = proxy.client()) {
            exchange(client, "CONNECT " + nobody + " HTTP/1.1\r\nHost: x\r\n" + right + "\r\n", "502");
        }
        try (Peer client = proxy.client()) { // what is malformed around a secret
            exchange(client, "CONNECT u:" + SECRET + "@" + nobody + " HTTP/1.1\r\nHost: x\r\n\r\n", "400");
        }
        try (Peer client = proxy.client()) {
            exchange(client, "GET http://u:" + SECRET + "@" + nobody + "/ HTTP/1.1\r\nHost: x\r\n\r\n", "400");
        }
        try (Peer client = proxy.client()) {
            exchange(
                    client,
                    "GET " + uri + " HTTP/1.1\r\nHost: x\r\nProxy-Authorization : " + SECRET + "\r\n\r\n",
                    "400");
        }
        try (Peer client = proxy.client()) {
            exchange(client, "CONNECT " + pages.target() + " HTTP/1.1\r\nHost: x\r\n" + right + "\r\n", "200");
            client.send("GET / HTTP/1.1\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void nothingThatAHandlerTellsShowsWhatItsClientsSend(@TempDir Path folder) throws Exception {
        HostPort nobody = HeldPort.refusing();
        Path file = folder.resolve("flight.jfr");
        List<String> heads = new CopyOnWriteArrayList<>();
        try (CapturedLog log = CapturedLog.startWithAccess();
                Recording recording = new Recording();
                Origin pages = Origin.start(peer -> {
                    heads.add(peer.readHead());
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                });
                Proxy proxy = Proxy.start(settings -> settings.listener(listener)
                        .authenticator(new ShowingAuthenticator(Authenticator.basic("here", RIGHT)))
                        .accessPolicy(request -> shown.add(text(request))))) {
            everyLogger(log);
            recording.setToDisk(true);
            for (String event : List.of("Dial", "Lease", "Tunnel", "Exchange")) {
                recording.enable("io.broxy." + event);
            }
            recording.start();
            clientsCome(proxy, pages, nobody);
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> proxy.handler().stats().openConnections() == 0);
            shown.add(text(proxy.handler().stats()));
            shown.add(text(proxy.handler()));
            recording.stop();
            recording.dump(file);
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> log.lines("kind=").size() == 10);

            assertThat(log.lines("DEBUG")).as("the debug log is on").isNotEmpty();
            assertNoTrace("the log", log.text());
        }
        assertThat(shown).hasSizeGreaterThan(20);
        assertNoTrace("what was shown", String.join("\n", shown));
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        assertThat(events).isNotEmpty();
        assertNoTrace("the recording's events", events.toString());
        assertNoTrace("the recording", new String(Files.readAllBytes(file), ISO_8859_1));
        assertThat(heads).hasSize(2);
        assertThat(heads.get(0)).contains("Authorization: Bearer " + SECRET).doesNotContain("Proxy-Authorization");
    }

    private static void everyLogger(CapturedLog log) {
        for (String name : List.of(
                "io.broxy.core.internal.proxy.DefaultProxyHandler",
                "io.broxy.core.internal.pool.EnginePool",
                "io.broxy.core.internal.pool.Leasing",
                "io.broxy.core.internal.loop.EventLoop",
                "io.broxy.core.internal.net.LingeringClose",
                "io.broxy.core.internal.dial.FutureDial",
                "io.broxy.core.internal.observe.EventQueue")) {
            log.andAll(name);
        }
    }

    /** Shows what it is asked, apart from the secret itself. */
    private final class ShowingAuthenticator implements Authenticator {
        private final Authenticator behind;

        ShowingAuthenticator(Authenticator behind) {
            this.behind = behind;
        }

        @Override
        public @Nullable String authenticate(AccessRequest request, @Nullable String authorization) throws Exception {
            shown.add(text(request));
            return behind.authenticate(request, authorization);
        }

        @Override
        public List<String> challenges() {
            shown.add(text(behind));
            return behind.challenges();
        }
    }

    @Test
    void noFailureOfADialThroughAProxyShowsItsCredentials() throws Exception {
        String answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        try (CapturedLog log = CapturedLog.start();
                Origin refusing = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(answer);
                });
                Origin garbling = Origin.greeting("nonsense\r\n\r\n");
                Broxy broxy = Broxy.create()) {
            everyLogger(log);
            ConnPool pool = broxy.connPool().build();
            HttpProxyDialer http = broxy.httpProxyDialer(refusing.target())
                    .credentials(RIGHT)
                    .pool(pool)
                    .build();
            Socks5Dialer socks =
                    broxy.socks5Dialer(garbling.target()).credentials(RIGHT).build();
            DialRequest request = DialRequest.builder(HostPort.of("somewhere.example", 443))
                    .attribute("token", SECRET)
                    .build();
            Throwable refused = catchThrowable(() -> http.dial(request));
            Throwable garbled = catchThrowable(() -> socks.dial(request));

            assertThat(refused).isInstanceOf(DialException.class);
            assertThat(garbled).isInstanceOf(DialException.class);
            ProxyReply reply = ((DialException) refused).proxyReply();
            for (Object one : new Object[] {
                refused, garbled, reply, http, socks, http.key(), pool, pool.stats(), request, RIGHT, broxy
            }) {
                assertNoTrace(one == null ? "null" : one.getClass().getName(), text(one));
            }
            assertNoTrace("the log", log.text());
        }
    }

    @Test
    void noTextOfAValueShowsASecret() {
        ProxyUri uri = ProxyUri.parse("http://alice:" + SECRET + "@proxy.example:3128");
        SystemProxies proxies = SystemProxies.ofEnvironment(Map.of("HTTPS_PROXY", "http://alice:" + SECRET + "@p:1"));
        ConnectRequest.Field field = new ConnectRequest.Field("Proxy-Authorization", RIGHT.authorization());
        ConnectRequest request = ConnectRequest.builder(HostPort.of("somewhere.example", 443))
                .field("Proxy-Authorization", RIGHT.authorization())
                .field("X-Token", SECRET)
                .build();
        Throwable bad = catchThrowable(() -> ProxyUri.parse("http://alice:" + SECRET + "@:x"));
        Throwable colon = catchThrowable(() -> Credentials.basic("a:b", SECRET));
        Throwable control = catchThrowable(() -> Credentials.basic("alice", SECRET + "\n"));
        Throwable target = catchThrowable(() -> HostPort.parse("alice:" + SECRET + "@host:1"));

        for (Object one : new Object[] {
            uri,
            uri.credentials(),
            proxies,
            proxies.hops(),
            proxies.rules(),
            field,
            request,
            bad,
            colon,
            control,
            target,
            Authenticator.basic("here", RIGHT)
        }) {
            assertThat(one).isNotNull();
            assertNoTrace(one.getClass().getName(), text(one));
        }
    }
}
