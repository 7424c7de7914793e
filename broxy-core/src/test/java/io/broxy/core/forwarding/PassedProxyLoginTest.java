package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

import io.broxy.Authenticator;
import io.broxy.CloseReason;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyHandler;
import io.broxy.RefusedException;
import io.broxy.RequestDecision;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.Tunnel;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.LoginOrigin;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies how clients log in at an upstream proxy themselves: its 407 and their credentials pass through the handler,
 * and the upstream connection stays with the client's.
 */
@ExtendWith(LeakCheck.class)
class PassedProxyLoginTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final HostPort ONE = HostPort.parse("one.example:80");
    private static final HostPort TWO = HostPort.parse("two.example:80");
    private static final HostPort SECURE = HostPort.parse("secure.example:443");

    /** A client's credentials that no log and no origin may see. */
    private static final String SECRET = "Proxy-Authorization: Basic hunter2";

    private static BiConsumer<Broxy, ProxyHandler.Builder> through(Origin upstream) {
        return (broxy, settings) -> settings.passProxyAuthentication(true)
                .dialer(broxy.httpProxyDialer(upstream.target()).build());
    }

    private static Proxy proxy(LoginOrigin upstream) throws IOException {
        return Proxy.start(through(upstream.origin()));
    }

    private static Http.Message get(Peer client, HostPort origin, String... fields) throws IOException {
        client.send(Http.get(origin, "/", fields));
        return Http.read(client);
    }

    private static Http.Message connect(Peer client, String... fields) throws IOException {
        StringBuilder head = new StringBuilder("CONNECT " + SECURE + " HTTP/1.1\r\nHost: " + SECURE + "\r\n");
        for (String field : fields) {
            head.append(field).append("\r\n");
        }
        client.send(head + "\r\n");
        return Http.read(client);
    }

    private static Http.Message ask(String method, Peer client, String... fields) throws IOException {
        return method.equals("CONNECT") ? connect(client, fields) : get(client, ONE, fields);
    }

    private static String begin(String scheme) {
        return "Proxy-" + LoginOrigin.begin(scheme);
    }

    /** What the user of an open tunnel, or of a response, is. */
    private static String user(String method, Peer client, Http.Message answer) throws IOException {
        assertThat(answer.status()).isEqualTo(200);
        return method.equals("CONNECT") ? client.readLine() : answer.body();
    }

    /** A proxy that answers each request over a connection with the next of these, and then ends. */
    private static Origin saying(List<String> requests, String... answers) throws IOException {
        return Origin.start(peer -> {
            for (String answer : answers) {
                requests.add(Http.read(peer).head());
                peer.send(answer);
            }
            peer.shutdownOutput();
            peer.readAll();
        });
    }

    // ------------------------------------------------------------------ the login

    @ParameterizedTest
    @ValueSource(strings = {"GET", "CONNECT"})
    void theChallengesOfTheProxyReachTheClient(String method) throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            Http.Message challenge = ask(method, client);

            assertThat(challenge.status()).isEqualTo(407);
            assertThat(challenge.body()).isEqualTo("who?");
            assertThat(challenge.head())
                    .contains("\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM, Basic realm=\"NTLM\"\r\n")
                    .doesNotContain("Connection: close");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "CONNECT"})
    void basicCredentialsReachTheProxy(String method) throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            assertThat(ask(method, client).status()).isEqualTo(407);

            assertThat(user(method, client, ask(method, client, "Proxy-Authorization: Basic alice")))
                    .isEqualTo("alice 1");
            assertThat(upstream.requests().get(1)).endsWith("over 1: Basic alice");
        }
    }

    @ParameterizedTest
    @CsvSource({"GET, NTLM", "GET, Negotiate", "CONNECT, NTLM", "CONNECT, Negotiate"})
    void aLoginOfSeveralLegsGoesOverOneConnection(String method, String scheme) throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            assertThat(ask(method, client).status()).isEqualTo(407);
            Http.Message challenge = ask(method, client, begin(scheme));
            assertThat(challenge.status()).isEqualTo(407);
            Http.Message answer = ask(method, client, LoginOrigin.proxyAnswer(scheme, "alice", challenge));

            assertThat(user(method, client, answer)).isEqualTo("alice 1");
            assertThat(upstream.origin().accepted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "CONNECT"})
    void aLoginOfOneLegNeedsNoChallenge(String method) throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            Http.Message answer = ask(method, client, "Proxy-Authorization: Negotiate ticket-of-alice");

            assertThat(user(method, client, answer)).isEqualTo("alice 1");
        }
    }

    /** A client knows of one connection to the proxy, so its login holds for whatever it asks for over it. */
    @Test
    void aLoginHoldsForAllThatTheClientAsksFor() throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            Http.Message challenge = get(client, ONE, begin("NTLM"));
            assertThat(get(client, ONE, LoginOrigin.proxyAnswer("NTLM", "alice", challenge))
                            .body())
                    .isEqualTo("alice 1");

            assertThat(get(client, ONE).body()).isEqualTo("alice 1");
            assertThat(get(client, TWO).body()).isEqualTo("alice 1");
            client.send(Http.post(TWO, "/", "content"));
            assertThat(Http.read(client).body()).isEqualTo("alice 1 content");
            assertThat(user("CONNECT", client, connect(client))).isEqualTo("alice 1");
            assertThat(client.send("hello").readText(5)).isEqualTo("hello");
            assertThat(upstream.origin().accepted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @CsvSource({"GET, NTLM", "CONNECT, NTLM", "GET, Basic", "CONNECT, Basic"})
    void anotherClientNeverGetsTheConnection(String method, String scheme) throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Peer alice = proxy.client();
                Peer bob = proxy.client()) {
            Http.Message forAlice = get(alice, ONE, scheme.equals("Basic") ? "X: y" : begin(scheme));
            Http.Message forBob = ask(method, bob, scheme.equals("Basic") ? "X: y" : begin(scheme));
            assertThat(List.of(forAlice.status(), forBob.status())).containsExactly(407, 407);
            String asAlice = "Proxy-Authorization: Basic alice";
            String asBob = "Proxy-Authorization: Basic bob";
            if (!scheme.equals("Basic")) {
                asAlice = LoginOrigin.proxyAnswer(scheme, "alice", forAlice);
                asBob = LoginOrigin.proxyAnswer(scheme, "bob", forBob);
            }

            assertThat(get(alice, ONE, asAlice).body()).isEqualTo("alice 1");
            assertThat(user(method, bob, ask(method, bob, asBob))).isEqualTo("bob 2");
            try (Peer carol = proxy.client()) {
                assertThat(get(carol, ONE).status()).isEqualTo(407);
            }
            await().atMost(PATIENCE).until(() -> upstream.origin().accepted() == 3);
        }
    }

    @Test
    void theConnectionEndsWithTheClient() throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream)) {
            try (Peer client = proxy.client()) {
                assertThat(get(client, ONE).status()).isEqualTo(407);
                assertThat(proxy.handler().stats().pool().leased()).isEqualTo(1);
            }
            await().atMost(PATIENCE).until(() -> upstream.origin().open() == 0);
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().pool().leased() == 0);
        }
    }

    @Test
    void aClientWhoseLoginEndsIsEndedToo() throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            get(client, ONE, "Proxy-Authorization: Negotiate ticket-of-alice");
            upstream.end(1);

            client.expectEnd();
        }
    }

    @Test
    void aChainOfTwoPassesIt() throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy far = proxy(upstream);
                Proxy near = Proxy.start((broxy, settings) -> settings.passProxyAuthentication(true)
                        .dialer(broxy.httpProxyDialer(
                                        HostPort.of("127.0.0.1", far.address().getPort()))
                                .build()));
                Peer client = near.client()) {
            Http.Message challenge = connect(client, begin("NTLM"));
            Http.Message answer = connect(client, LoginOrigin.proxyAnswer("NTLM", "alice", challenge));

            assertThat(user("CONNECT", client, answer)).isEqualTo("alice 1");
        }
    }

    /** A server of the embedder's that hands clients over for tunnels only. */
    @Test
    void aClientThatMayOnlyConnectCanLogInToo() throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Accepted<SocketChannel> accepted = Accepted.channel();
                Peer client = accepted.client()) {
            Tunnel tunnel = proxy.handler().handleConnect(accepted.end());
            Http.Message challenge = connect(client, begin("NTLM"));
            Http.Message answer = connect(client, LoginOrigin.proxyAnswer("NTLM", "alice", challenge));
            assertThat(user("CONNECT", client, answer)).isEqualTo("alice 1");
            client.send("bytes").shutdownOutput();
            assertThat(client.readAll()).isEqualTo("bytes");

            var result = tunnel.completion().get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(result.reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(result.target()).isEqualTo(SECURE);
            assertThat(result.bytesToOrigin()).isEqualTo(5);
            assertThat(result.bytesToClient()).isEqualTo("alice 1\r\nbytes".length());
        }
    }

    // ------------------------------------------------------------------ what the proxy says besides

    @Test
    void theProxysLastWordInALoginReachesTheClient() throws Exception {
        List<String> requests = new CopyOnWriteArrayList<>();
        try (Origin upstream = saying(
                        requests,
                        Http.ok("hi", "Proxy-Authentication-Info: rspauth=1", "Proxy-Authenticate: Negotiate done"));
                Proxy proxy = Proxy.start(through(upstream));
                Peer client = proxy.client()) {
            assertThat(get(client, ONE, "Proxy-Authorization: Digest x").head())
                    .contains(
                            "\r\nProxy-Authentication-Info: rspauth=1\r\n",
                            "\r\nProxy-Authenticate: Negotiate done\r\n");
            assertThat(requests.get(0)).contains("\r\nProxy-Authorization: Digest x\r\n");
        }
    }

    @Test
    void aProxyThatClosesBehindItsChallengeClosesTheClientOfSuchASchemeToo() throws Exception {
        List<String> requests = new CopyOnWriteArrayList<>();
        String challenge =
                "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        try (Origin upstream = saying(requests, challenge);
                Proxy proxy = Proxy.start(through(upstream));
                Peer client = proxy.client()) {
            assertThat(connect(client).head()).contains("\r\nConnection: close\r\n");
            client.expectEnd();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "CONNECT"})
    void withBasicTheClientGoesOnOverAnotherConnection(String method) throws Exception {
        List<String> requests = new CopyOnWriteArrayList<>();
        String challenge =
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        try (Origin upstream = saying(requests, challenge);
                Proxy proxy = Proxy.start(through(upstream));
                Peer client = proxy.client()) {
            for (int i = 0; i < 2; i++) {
                Http.Message answer = ask(method, client, "Proxy-Authorization: Basic wrong");
                assertThat(answer.status()).isEqualTo(407);
                assertThat(answer.head()).doesNotContain("Connection: close");
            }
            assertThat(upstream.accepted()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @CsvSource({"403, PROXY_REFUSED", "502, PROXY_REFUSED", "401, PROXY_AUTH"})
    void anotherRefusalOfATunnelIsTheDialersFailure(int status, DialException.Reason reason) throws Exception {
        List<String> requests = new CopyOnWriteArrayList<>();
        try (Origin upstream = saying(requests, "HTTP/1.1 " + status + " No\r\nContent-Length: 0\r\n\r\n");
                Proxy proxy = Proxy.start(through(upstream));
                Peer client = proxy.client()) {
            Http.Message answer = connect(client, "Proxy-Authorization: Basic alice", "User-Agent: x");

            assertThat(answer.status()).isEqualTo(502);
            assertThat(answer.body()).isEqualTo("502 the next proxy refused\n");
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().dialFailures(reason) == 1);
            assertThat(requests.get(0))
                    .isEqualTo(Proxy.connectHead(SECURE)
                            .replace("\r\n\r\n", "\r\nProxy-Authorization: Basic alice\r\n\r\n"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
                "HTTP/1.1 407 No\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "220 ready\r\n",
                "",
            })
    void garbageIsAnInvalidAnswer(String garbage) throws Exception {
        List<String> requests = new CopyOnWriteArrayList<>();
        try (Origin upstream = saying(requests, garbage);
                Proxy proxy = Proxy.start(through(upstream));
                Peer client = proxy.client()) {
            assertThat(connect(client, "Connection: upgrade", "Upgrade: x").status())
                    .isEqualTo(502);
        }
    }

    @Test
    void interimResponsesToConnectAreSkippedAndFramingOfItsSuccessMeansNothing() throws Exception {
        List<String> requests = new CopyOnWriteArrayList<>();
        try (Origin upstream = saying(
                        requests,
                        "HTTP/1.1 103 Early\r\n\r\nHTTP/1.0 200 Connection established\r\nContent-Length: 5\r\n\r\nfirst");
                Proxy proxy = Proxy.start(through(upstream));
                Peer client = proxy.client()) {
            client.send(Proxy.connectHead(SECURE));

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(client.readText(5)).isEqualTo("first");
            client.shutdownOutput().expectEnd();
        }
    }

    @Test
    void aMuteProxyTakesNoMoreThanTheDialsTime() throws Exception {
        try (Origin mute = Origin.start(Peer::readAll);
                Proxy proxy = Proxy.start(
                        through(mute).andThen((broxy, settings) -> settings.dialTimeout(Duration.ofMillis(300))));
                Peer client = proxy.client()) {
            assertThat(connect(client).status()).isEqualTo(504);
        }
    }

    // ------------------------------------------------------------------ the client

    /** What a client sends before its tunnel is open must not be read as a request when it is not opened. */
    @Test
    void bytesSentAheadOfATunnelEndTheClientIfItIsNotOpened() throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            client.send(Proxy.connectHead(SECURE) + Http.get(ONE, "/ahead"));

            Http.Message challenge = Http.read(client);
            assertThat(challenge.status()).isEqualTo(407);
            assertThat(challenge.head()).contains("\r\nConnection: close\r\n");
            client.expectEnd();
            assertThat(upstream.requests()).hasSize(1);
        }
    }

    @Test
    void bytesSentAheadOfATunnelReachTheTarget() throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            client.send("CONNECT " + SECURE + " HTTP/1.1\r\nHost: " + SECURE
                    + "\r\nProxy-Authorization: Negotiate ticket-of-alice\r\n\r\nahead");

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(client.readLine()).isEqualTo("alice 1");
            assertThat(client.readText(5)).isEqualTo("ahead");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "CONNECT"})
    void twoCredentialsAreABadRequest(String method) throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream);
                Peer client = proxy.client()) {
            Http.Message answer =
                    ask(method, client, "Proxy-Authorization: Basic alice", "Proxy-Authorization: Basic bob");

            assertThat(answer.status()).isEqualTo(400);
            assertThat(upstream.origin().accepted()).isZero();
        }
    }

    @Test
    void aClientThatLeavesLeavesNothingBehind() throws Exception {
        List<String> requests = new CopyOnWriteArrayList<>();
        try (Origin mute = Origin.start(peer -> {
                    requests.add(peer.readHead());
                    peer.readAll();
                });
                Proxy proxy = Proxy.start(through(mute));
                Peer client = proxy.client()) {
            client.send(Proxy.connectHead(SECURE));
            await().atMost(PATIENCE).until(() -> requests.size() == 1);
            client.reset();

            await().atMost(PATIENCE).until(() -> mute.open() == 0);
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 0);
            assertThat(proxy.handler().stats().openExchanges()).isZero();
            assertThat(proxy.handler().stats().openTunnels()).isZero();
        }
    }

    @Test
    void everythingIsCountedOnce() throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = proxy(upstream)) {
            try (Peer client = proxy.client()) {
                assertThat(connect(client).status()).isEqualTo(407);
                connect(client, "Proxy-Authorization: Negotiate ticket-of-alice");
                assertThat(client.readLine()).isEqualTo("alice 1");
                assertThat(proxy.handler().stats().openTunnels()).isEqualTo(1);
                assertThat(proxy.handler().stats().openExchanges()).isZero();
                assertThat(proxy.handler().activeTunnels()).hasSize(1);
            }
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 0);
            assertThat(proxy.handler().stats().openTunnels()).isZero();
            assertThat(proxy.handler().stats().establishedTunnels()).isEqualTo(1);
            assertThat(proxy.handler().stats().totalExchanges()).isEqualTo(2);
            assertThat(proxy.handler().stats().refused()).isZero();
            assertThat(proxy.handler().stats().dialFailures()).isZero();
        }
    }

    @Test
    void credentialsAreInNoLogAndNoFilterSeesThem() throws Exception {
        List<String> seen = new CopyOnWriteArrayList<>();
        try (CapturedLog log = CapturedLog.start();
                LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = Proxy.start(through(upstream.origin())
                        .andThen((broxy, settings) -> settings.requestFilter(request -> {
                            seen.add(request.toString());
                            return RequestDecision.pass();
                        })));
                Peer client = proxy.client()) {
            assertThat(get(client, ONE, SECRET).body()).isEqualTo("hunter2 1");
            assertThat(connect(client, SECRET).status()).isEqualTo(200);

            assertThat(seen).hasSize(2).noneMatch(text -> text.contains("hunter2"));
            assertThat(log.lines("hunter2")).isEmpty();
        }
    }

    // ------------------------------------------------------------------ where it does not hold

    @ParameterizedTest
    @ValueSource(strings = {"GET", "CONNECT"})
    void byDefaultNothingPasses(String method) throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(
                        broxy.httpProxyDialer(upstream.origin().target()).build()));
                Peer client = proxy.client()) {
            Http.Message answer = ask(method, client, SECRET);

            assertThat(answer.status()).isEqualTo(502);
            assertThat(answer.head()).doesNotContain("Proxy-Authenticate");
            assertThat(upstream.requests()).hasSize(1).noneMatch(request -> request.contains("hunter2"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "CONNECT"})
    void aProxyWithCredentialsOfTheDialersOwnGetsThoseOnly(String method) throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.passProxyAuthentication(true)
                        .dialer(broxy.httpProxyDialer(upstream.origin().target())
                                .authorization(target -> "NTLM wrong")
                                .build()));
                Peer client = proxy.client()) {
            Http.Message answer = ask(method, client, SECRET);

            assertThat(answer.status()).isEqualTo(502);
            assertThat(answer.head()).doesNotContain("Proxy-Authenticate");
            assertThat(upstream.requests()).allMatch(request -> request.endsWith(": NTLM wrong"));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anOriginGetsNoCredentialsForAProxy(boolean overSocks) throws Exception {
        List<String> requests = new CopyOnWriteArrayList<>();
        try (Origin origin =
                        saying(requests, "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n");
                Origin socks = Origin.start(SocksServer::relay);
                Proxy proxy = Proxy.start((broxy, settings) -> {
                    settings.passProxyAuthentication(true);
                    if (overSocks) {
                        settings.dialer(broxy.socks5Dialer(socks.target()).build());
                    }
                });
                Peer client = proxy.client()) {
            Http.Message answer = get(client, origin.target(), SECRET);

            assertThat(answer.status()).isEqualTo(502);
            assertThat(answer.head()).doesNotContain("Proxy-Authenticate");
            assertThat(requests).hasSize(1).noneMatch(request -> request.contains("hunter2"));
        }
    }

    @Test
    void aDirectTunnelIsDialedAsEver() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.passProxyAuthentication(true));
                Peer client = proxy.connect(origin.target())) {
            assertThat(client.send("hello").readText(5)).isEqualTo("hello");
            assertThat(proxy.handler().stats().totalExchanges()).isZero();
        }
    }

    @Test
    void anAuthenticatorIsExcluded() {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build()) {
            ProxyHandler.Builder builder = broxy.proxyHandler()
                    .authenticator(Authenticator.basic("r", Credentials.basic("u", "p")))
                    .passProxyAuthentication(true);

            assertThatIllegalStateException().isThrownBy(builder::build).withMessageContaining("Proxy-Authorization");
            builder.passProxyAuthentication(false).build().close();
        }
    }

    @Test
    void anAccessPolicyStillDecides() throws Exception {
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = Proxy.start(through(upstream.origin())
                        .andThen((broxy, settings) -> settings.accessPolicy(
                                request -> !request.target().equals(SECURE))));
                Peer client = proxy.client()) {
            assertThat(get(client, ONE, "Proxy-Authorization: Basic alice").body())
                    .isEqualTo("alice 1");
            assertThat(connect(client, "Proxy-Authorization: Basic alice").status())
                    .isEqualTo(403);
            await().atMost(PATIENCE)
                    .until(() -> proxy.handler().stats().refused(RefusedException.Reason.ACCESS_DENIED) == 1);
        }
    }

    // ------------------------------------------------------------------ several hops

    private static BiConsumer<Broxy, ProxyHandler.Builder> first(
            HostPort dead, BiConsumer<Broxy, RoutingDialer.Builder> second) {
        return (broxy, settings) -> {
            HttpProxyDialer first = broxy.httpProxyDialer(dead).build();
            RoutingDialer.Builder dialer = broxy.routingDialer()
                    .hop("first", first)
                    .rules(Rules.builder()
                            .otherwise(Route.via("first", "second"))
                            .build());
            second.accept(broxy, dialer);
            settings.passProxyAuthentication(true).dialer(dialer.build());
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "CONNECT"})
    void aLoginBeginsAtTheFirstProxyThatWorks(String method) throws Exception {
        HostPort dead = HeldPort.refusing();
        try (LoginOrigin upstream = LoginOrigin.startProxy();
                Proxy proxy = Proxy.start(first(
                        dead,
                        (broxy, dialer) -> dialer.hop(
                                "second",
                                broxy.httpProxyDialer(upstream.origin().target())
                                        .build())));
                Peer client = proxy.client()) {
            Http.Message challenge = ask(method, client, begin("NTLM"));
            Http.Message answer = ask(method, client, LoginOrigin.proxyAnswer("NTLM", "alice", challenge));

            assertThat(user(method, client, answer)).isEqualTo("alice 1");
        }
    }

    @Test
    void aTunnelGoesByTheNextHopThatIsNoSuchProxy() throws Exception {
        HostPort dead = HeldPort.refusing();
        try (Origin origin = Origin.echo();
                Origin socks = Origin.start(SocksServer::relay);
                Proxy proxy = Proxy.start(first(
                        dead,
                        (broxy, dialer) -> dialer.hop(
                                "second", broxy.socks5Dialer(socks.target()).build())));
                Peer client = proxy.connect(origin.target())) {
            assertThat(client.send("hello").readText(5)).isEqualTo("hello");
            assertThat(proxy.handler().stats().openExchanges()).isZero();
            assertThat(proxy.handler().stats().openTunnels()).isEqualTo(1);
        }
    }
}
