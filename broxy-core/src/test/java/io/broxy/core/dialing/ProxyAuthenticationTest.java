package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyAuthentication;
import io.broxy.ProxyChallenge;
import io.broxy.ProxyReply;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Dialed;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how a dialer answers the challenges of an HTTP proxy, leg by leg, and which connections the legs use. */
@ExtendWith(LeakCheck.class)
class ProxyAuthenticationTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");
    private static final Credentials USER = Credentials.basic("user", "secret-word");
    private static final String OPEN = "HTTP/1.1 200 OK\r\n\r\n";

    /** What came, in its order: the number of the connection and the credentials, or "-" for none. */
    private final List<String> legs = new CopyOnWriteArrayList<>();

    private final AtomicInteger connections = new AtomicInteger();

    private Broxy broxy;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(2).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    // ------------------------------------------------------------------ proxies

    /** Answers the credentials of a leg, or null for none. */
    @FunctionalInterface
    private interface Answers {
        String answer(int connection, @Nullable String credentials) throws IOException;
    }

    /** A proxy that answers leg after leg, closes behind a response that says so, and echoes behind its 200. */
    private Origin proxy(Answers answers) throws IOException {
        return Origin.start(peer -> {
            int connection = connections.incrementAndGet();
            while (true) {
                String credentials = Http.value(peer.readHead(), "Proxy-Authorization");
                legs.add(connection + " " + (credentials == null ? "-" : credentials));
                String answer = answers.answer(connection, credentials);
                peer.send(answer.replace("\r\nConnection: close-silently", ""));
                if (answer.contains(" 200 ")) {
                    peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                    return;
                }
                if (answer.contains("Connection: close") || answer.startsWith("HTTP/1.0")) {
                    return;
                }
            }
        });
    }

    private static String challenge(String... lines) {
        return "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n" + String.join("\r\n", lines)
                + "\r\n\r\nbody";
    }

    private static String digest(String nonce) {
        return challenge("Proxy-Authenticate: Digest realm=\"r\", qop=\"auth\", nonce=\"" + nonce + "\"");
    }

    private static String closing(String challenge) {
        return challenge.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    }

    /** Ends behind the challenge without a word about it. */
    private static String endingSilently(String challenge) {
        return challenge.replace("\r\n\r\n", "\r\nConnection: close-silently\r\n\r\n");
    }

    /** An NTLM proxy, whose challenge is good for its connection only. */
    private Origin ntlm() throws IOException {
        return proxy((connection, credentials) -> {
            if (credentials == null) {
                return challenge("Proxy-Authenticate: Negotiate", "Proxy-Authenticate: NTLM");
            }
            if (credentials.equals("NTLM type1")) {
                return challenge("Proxy-Authenticate: NTLM type2/" + connection);
            }
            return credentials.equals("NTLM type3/" + connection) ? OPEN : challenge("Proxy-Authenticate: NTLM");
        });
    }

    /** What a library for NTLM does: three messages, of which the last answers the proxy's. */
    private static final class Ntlm implements ProxyAuthentication.Session {
        @Override
        public @Nullable String first() {
            return null;
        }

        @Override
        public @Nullable String answer(ProxyReply reply) {
            for (ProxyChallenge challenge : ProxyChallenge.of(reply)) {
                if (challenge.is("NTLM")) {
                    String token = challenge.token68();
                    return token == null ? "NTLM type1" : "NTLM " + token.replace("type2", "type3");
                }
            }
            return null;
        }
    }

    // ------------------------------------------------------------------ dialers

    private HttpProxyDialer.Builder dialer(Origin proxy, ProxyAuthentication authentication) {
        return broxy.httpProxyDialer(proxy.target()).authentication(authentication);
    }

    private static ProxyAuthentication of(ProxyAuthentication.Session session) {
        return request -> session;
    }

    private static DialException failure(Dialer dialer) {
        return failure(dialer, DialRequest.to(TARGET));
    }

    private static DialException failure(Dialer dialer, DialRequest request) {
        DialException failure = catchThrowableOfType(
                DialException.class, () -> dialer.dial(request).close());
        return Objects.requireNonNull(failure, "the dial did not fail");
    }

    private static void echoes(Dialer dialer) throws IOException {
        try (Connection connection = dialer.dial(TARGET)) {
            Dialed.write(connection, "hello");
            assertThat(Dialed.read(connection, 5)).isEqualTo("hello");
        }
    }

    private static void assertShowsNoSecret(DialException failure) {
        for (Throwable at = failure; at != null; at = at.getCause()) {
            assertThat(at.toString())
                    .doesNotContain("secret")
                    .doesNotContain("type")
                    .doesNotContain("Digest ");
        }
    }

    // ------------------------------------------------------------------ digest

    @Test
    void aChallengeIsAnsweredOverTheSameConnectionAndItsNonceUsedAgain() throws Exception {
        try (Origin proxy = proxy((connection, credentials) -> credentials == null ? digest("n") : OPEN)) {
            Dialer dialer = dialer(proxy, ProxyAuthentication.digest(USER)).build();
            echoes(dialer);
            echoes(dialer);

            assertThat(legs).hasSize(3);
            assertThat(legs.get(0)).isEqualTo("1 -");
            assertThat(legs.get(1))
                    .startsWith("1 Digest username=\"user\", realm=\"r\", nonce=\"n\", uri=\"target.example:443\"")
                    .contains("nc=00000001");
            assertThat(legs.get(2)).startsWith("2 Digest ").contains("nc=00000002");
        }
    }

    @Test
    void serverFirstBytesBehindTheAcceptanceAreNotLost() throws Exception {
        try (Origin proxy = proxy((connection, credentials) -> credentials == null ? digest("n") : OPEN + "220 ready");
                Connection connection =
                        dialer(proxy, ProxyAuthentication.digest(USER)).build().dial(TARGET)) {
            assertThat(Dialed.read(connection, 9)).isEqualTo("220 ready");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aProxyThatClosesBehindItsChallengeIsDialedAnew(boolean silently) throws Exception {
        String challenge = silently ? endingSilently(digest("n")) : closing(digest("n"));
        try (Origin proxy = proxy((connection, credentials) -> credentials == null ? challenge : OPEN)) {
            echoes(dialer(proxy, ProxyAuthentication.digest(USER)).build());

            assertThat(legs).hasSize(2);
            assertThat(legs.get(1)).startsWith("2 Digest ").contains("nc=00000001");
        }
    }

    @Test
    void soIsAProxyOfHttp10AndOneWhoseChallengeHasNoEndOrALongBody() throws Exception {
        String line = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n";
        for (String challenge : List.of(
                "HTTP/1.0 407 No\r\n" + line + "Content-Length: 4\r\n\r\nbody",
                "HTTP/1.1 407 No\r\n" + line + "\r\nbody until the end of the connection",
                "HTTP/1.1 407 No\r\n" + line + "Content-Length: 100000\r\n\r\n" + "x".repeat(100_000))) {
            legs.clear();
            connections.set(0);
            try (Origin proxy = Origin.start(peer -> {
                int connection = connections.incrementAndGet();
                String credentials = Http.value(peer.readHead(), "Proxy-Authorization");
                legs.add(connection + " " + (credentials == null ? "-" : "Digest"));
                peer.send(credentials == null ? challenge : OPEN);
                if (credentials != null) {
                    peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                }
            })) {
                echoes(dialer(proxy, ProxyAuthentication.digest(USER)).build());

                assertThat(legs).as(challenge.substring(0, 30)).containsExactly("1 -", "2 Digest");
            }
        }
    }

    /** Error pages are longer than what a {@link ProxyReply} keeps. */
    @Test
    void aBodyOfSomeLengthDoesNotCostTheConnection() throws Exception {
        String page = "x".repeat(3 * ProxyReply.MAX_BODY);
        String challenge = "HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n" + Integer.toHexString(page.length()) + "\r\n" + page
                + "\r\n0\r\n\r\n";
        try (Origin proxy = proxy((connection, credentials) -> credentials == null ? challenge : OPEN)) {
            echoes(dialer(proxy, ProxyAuthentication.digest(USER)).build());

            assertThat(proxy.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aStaleNonceIsReplaced() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (Origin proxy = proxy((connection, credentials) -> {
            if (credentials == null) {
                return digest("old");
            }
            boolean old = credentials.contains("nonce=\"old\"");
            return old && asked.incrementAndGet() > 1 ? digest("new").replace("nonce=", "stale=true, nonce=") : OPEN;
        })) {
            Dialer dialer = dialer(proxy, ProxyAuthentication.digest(USER)).build();
            echoes(dialer);
            echoes(dialer);
            echoes(dialer);

            assertThat(legs).hasSize(5);
            assertThat(legs.get(3)).startsWith("2 Digest ").contains("nonce=\"new\"", "nc=00000001");
            assertThat(legs.get(4)).startsWith("3 Digest ").contains("nonce=\"new\"", "nc=00000002");
        }
    }

    @Test
    void wrongCredentialsFailAfterOneTryWithTheProxysReply() throws Exception {
        try (Origin proxy = proxy((connection, credentials) -> digest("n" + legs.size()))) {
            Dialer dialer = dialer(proxy, ProxyAuthentication.digest(USER)).build();
            for (int i = 1; i <= 2; i++) {
                DialException failure = failure(dialer);

                assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
                assertThat(Objects.requireNonNull(failure.proxyReply()).status())
                        .isEqualTo(407);
                assertThat(failure.proxy()).isEqualTo(proxy.target());
                assertThat(legs).hasSize(2 * i);
                assertShowsNoSecret(failure);
            }
        }
    }

    @Test
    void aSchemeThatTheProxyDoesNotOfferFailsAtOnce() throws Exception {
        try (Origin proxy = proxy((connection, credentials) -> challenge("Proxy-Authenticate: Basic realm=r"))) {
            assertThat(failure(dialer(proxy, ProxyAuthentication.digest(USER)).build())
                            .reason())
                    .isEqualTo(Reason.PROXY_AUTH);
            assertThat(legs).containsExactly("1 -");
        }
    }

    @Test
    void aProxyThatWantsNoCredentialsGetsNone() throws Exception {
        try (Origin proxy = proxy((connection, credentials) -> OPEN)) {
            echoes(dialer(proxy, ProxyAuthentication.digest(USER)).build());
            echoes(dialer(proxy, ProxyAuthentication.digest(USER)).build());

            assertThat(legs).containsExactly("1 -", "2 -");
        }
    }

    @Test
    void manyDialsAtOnceShareTheNonce() throws Exception {
        try (Origin proxy = proxy((connection, credentials) -> credentials == null ? digest("n") : OPEN)) {
            Dialer dialer = dialer(proxy, ProxyAuthentication.digest(USER)).build();
            echoes(dialer);
            List<CompletableFuture<Connection>> dials = new CopyOnWriteArrayList<>();
            for (int i = 0; i < 30; i++) {
                dials.add(dialer.dialAsync(DialRequest.to(TARGET), Runnable::run));
            }
            for (CompletableFuture<Connection> dial : dials) {
                dial.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS).close();
            }

            assertThat(legs).hasSize(32);
            assertThat(legs.stream().map(leg -> leg.replaceAll(".*nc=([0-9a-f]+).*", "$1")))
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void basicIsSentWithTheFirstRequestAndNeverTwice() throws Exception {
        try (Origin proxy = proxy((connection, credentials) -> challenge("Proxy-Authenticate: Basic realm=r"))) {
            assertThat(failure(dialer(proxy, ProxyAuthentication.basic(USER)).build())
                            .reason())
                    .isEqualTo(Reason.PROXY_AUTH);
            assertThat(legs).containsExactly("1 " + USER.authorization());
        }
    }

    // ------------------------------------------------------------------ logins of connections

    @Test
    void threeLegsOfNtlmUseOneConnection() throws Exception {
        try (Origin proxy = ntlm()) {
            Dialer dialer = dialer(proxy, request -> new Ntlm()).build();
            echoes(dialer);
            echoes(dialer);

            assertThat(legs)
                    .containsExactly("1 -", "1 NTLM type1", "1 NTLM type3/1", "2 -", "2 NTLM type1", "2 NTLM type3/2");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aProxyThatClosesWithinALoginOfTheConnectionFailsTheDialClearly(boolean silently) throws Exception {
        String challenge = challenge("Proxy-Authenticate: NTLM type2/1");
        String ending = silently ? endingSilently(challenge) : closing(challenge);
        try (Origin proxy = proxy(
                (connection, credentials) -> credentials == null ? challenge("Proxy-Authenticate: NTLM") : ending)) {
            DialException failure = failure(dialer(proxy, request -> new Ntlm()).build());

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertThat(failure)
                    .hasMessageContaining("HTTP 407: the proxy ended the connection, to which the login is bound");
            assertThat(legs).containsExactly("1 -", "1 NTLM type1");
            assertShowsNoSecret(failure);
        }
    }

    /** The first challenge has no token yet, so that the login begins on the next connection. */
    @Test
    void aProxyMayCloseBeforeALoginOfTheConnectionBegins() throws Exception {
        try (Origin proxy = proxy((connection, credentials) -> {
            if (credentials == null) {
                return closing(challenge("Proxy-Authenticate: NTLM"));
            }
            return credentials.equals("NTLM type1") ? challenge("Proxy-Authenticate: NTLM type2/" + connection) : OPEN;
        })) {
            echoes(dialer(proxy, request -> new Ntlm()).build());

            assertThat(legs).containsExactly("1 -", "2 NTLM type1", "2 NTLM type3/2");
        }
    }

    @Test
    void aConnectionThatALoginIsBoundToDoesNotGoBackToThePool() throws Exception {
        try (Origin proxy = ntlm();
                ConnPool pool = broxy.connPool().build()) {
            Dialer dialer = dialer(proxy, of(new ProxyAuthentication.Session() {
                        @Override
                        public String first() {
                            return "NTLM type1";
                        }

                        @Override
                        public @Nullable String answer(ProxyReply reply) {
                            return null;
                        }
                    }))
                    .pool(pool)
                    .build();
            failure(dialer);
            failure(dialer);

            assertThat(legs).containsExactly("1 NTLM type1", "2 NTLM type1");
        }
    }

    @Test
    void aRefusedDigestConnectionGoesBackToThePool() throws Exception {
        try (Origin proxy = proxy((connection, credentials) -> digest("n" + legs.size()));
                ConnPool pool = broxy.connPool().build()) {
            Dialer dialer =
                    dialer(proxy, ProxyAuthentication.digest(USER)).pool(pool).build();
            failure(dialer);
            failure(dialer);

            assertThat(legs).hasSize(4).allMatch(leg -> leg.startsWith("1 "));
        }
    }

    /** An idle connection that has died takes no part in the login, which begins anew over another one. */
    @Test
    void anIdleConnectionThatHasDiedIsReplacedAndTheSessionBeginsAnew() throws Exception {
        AtomicInteger sessions = new AtomicInteger();
        CountDownLatch idle = new CountDownLatch(1);
        try (Origin proxy = Origin.start(peer -> {
                    int connection = connections.incrementAndGet();
                    for (int i = 0; i < 2; i++) {
                        String head = peer.readHead();
                        legs.add(connection + " " + Http.value(head, "Proxy-Authorization"));
                        if (connection == 1 && i == 1) {
                            return; // just as it is used again
                        }
                        peer.send(connection == 1 ? "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n" : OPEN);
                    }
                    idle.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                });
                ConnPool pool = broxy.connPool().build()) {
            Dialer dialer = dialer(proxy, request -> {
                        int session = sessions.incrementAndGet();
                        return new ProxyAuthentication.Session() {
                            @Override
                            public String first() {
                                return "Bearer " + session;
                            }

                            @Override
                            public @Nullable String answer(ProxyReply reply) {
                                return null;
                            }
                        };
                    })
                    .pool(pool)
                    .build();
            assertThat(failure(dialer).reason()).isEqualTo(Reason.PROXY_REFUSED);
            dialer.dial(TARGET).close();
            idle.countDown();

            assertThat(legs).containsExactly("1 Bearer 1", "1 Bearer 2", "2 Bearer 3");
        }
    }

    // ------------------------------------------------------------------ a user's scheme

    @Test
    void aSessionSeesTheRequestTheChallengeAndTheAcceptance() throws Exception {
        List<Object> seen = new CopyOnWriteArrayList<>();
        DialRequest.Client client = new DialRequest.Client(
                InetSocketAddress.createUnresolved("client", 1), InetSocketAddress.createUnresolved("here", 2));
        try (Origin proxy = proxy((connection, credentials) -> credentials == null
                ? challenge("Proxy-Authenticate: A, B x", "proxy-authenticate: C y=z", "X-Other: 1")
                : "HTTP/1.1 200 OK\r\nProxy-Authentication-Info: mutual\r\n\r\n")) {
            Dialer dialer = dialer(proxy, request -> {
                        seen.add(request);
                        return new ProxyAuthentication.Session() {
                            @Override
                            public @Nullable String first() {
                                return null;
                            }

                            @Override
                            public String answer(ProxyReply reply) {
                                seen.add(ProxyChallenge.of(reply).stream()
                                        .map(ProxyChallenge::scheme)
                                        .toList());
                                seen.add(reply.status());
                                return "D";
                            }

                            @Override
                            public void accepted(ProxyReply reply) {
                                seen.add(reply.status());
                                seen.add(reply.fields().get(0).value());
                            }
                        };
                    })
                    .build();
            dialer.dial(DialRequest.builder(TARGET).client(client).build()).close();

            assertThat(seen)
                    .containsExactly(
                            new ProxyAuthentication.Request(
                                    proxy.target(), TARGET, "CONNECT", "target.example:443", client),
                            List.of("A", "B", "C"),
                            407,
                            200,
                            "mutual");
        }
    }

    @Test
    void aSessionThatDoesNotTrustTheProxyFailsTheDial() throws Exception {
        IOException distrust = new IOException("the proxy is an impostor");
        try (Origin proxy = proxy((connection, credentials) -> OPEN)) {
            DialException failure = failure(dialer(proxy, of(new ProxyAuthentication.Session() {
                        @Override
                        public String first() {
                            return "A";
                        }

                        @Override
                        public @Nullable String answer(ProxyReply reply) {
                            return null;
                        }

                        @Override
                        public void accepted(ProxyReply reply) throws IOException {
                            throw distrust;
                        }
                    }))
                    .build());

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertThat(failure).hasCause(distrust).hasMessageContaining("(the proxy is an impostor)");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"throws", "forbidden", "no session"})
    void aSessionThatFailsFailsTheDial(String kind) throws Exception {
        IOException thrown = new IOException("no ticket");
        try (Origin proxy = proxy((connection, credentials) -> challenge("Proxy-Authenticate: A"))) {
            ProxyAuthentication.Session session = new ProxyAuthentication.Session() {
                @Override
                public @Nullable String first() {
                    return null;
                }

                @Override
                public String answer(ProxyReply reply) throws IOException {
                    if (kind.equals("throws")) {
                        throw thrown;
                    }
                    return "A secret\r\nX: y";
                }
            };
            DialException failure = failure(dialer(proxy, kind.equals("no session") ? nothing() : of(session))
                    .build());

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertShowsNoSecret(failure);
            if (kind.equals("throws")) {
                assertThat(failure).hasCause(thrown).hasMessageContaining("(HTTP 407: no ticket)");
            }
        }
    }

    @SuppressWarnings("NullAway") // what a faulty implementation gives
    private static ProxyAuthentication nothing() {
        return request -> null;
    }

    @Test
    void aLoginWithoutEndIsEnded() throws Exception {
        AtomicInteger answers = new AtomicInteger();
        try (Origin proxy = proxy((connection, credentials) -> challenge("Proxy-Authenticate: A"))) {
            DialException failure = failure(dialer(proxy, of(new ProxyAuthentication.Session() {
                        @Override
                        public @Nullable String first() {
                            return null;
                        }

                        @Override
                        public String answer(ProxyReply reply) {
                            return "A " + answers.incrementAndGet();
                        }
                    }))
                    .build());

            assertThat(failure.reason()).isEqualTo(Reason.PROXY_AUTH);
            assertThat(Objects.requireNonNull(failure.proxyReply()).status()).isEqualTo(407);
            assertThat(answers).hasValue(8);
            assertThat(legs).hasSize(9);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"first", "answer", "accepted"})
    void theTimeoutDoesNotWaitForASession(String blocking) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (Origin proxy =
                proxy((connection, credentials) -> credentials == null ? challenge("Proxy-Authenticate: A") : OPEN)) {
            ProxyAuthentication.Session session = new ProxyAuthentication.Session() {
                @Override
                public @Nullable String first() throws IOException {
                    block("first");
                    return null;
                }

                @Override
                public String answer(ProxyReply reply) throws IOException {
                    block("answer");
                    return "A";
                }

                @Override
                public void accepted(ProxyReply reply) throws IOException {
                    block("accepted");
                }

                private void block(String where) throws IOException {
                    try {
                        if (where.equals(blocking) && !release.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                            throw new IOException("not released");
                        }
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                }
            };
            DialRequest request =
                    DialRequest.builder(TARGET).timeout(Duration.ofMillis(300)).build();
            DialException failure = failure(dialer(proxy, of(session)).build(), request);
            release.countDown();

            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
        }
    }

    @Test
    void theTimeoutCoversALegThatIsNotAnswered() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
            peer.readHead();
            peer.send(digest("n"));
            peer.readAll();
        })) {
            DialException failure = failure(
                    dialer(proxy, ProxyAuthentication.digest(USER)).build(),
                    DialRequest.builder(TARGET).timeout(Duration.ofMillis(300)).build());

            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
        }
    }
}
