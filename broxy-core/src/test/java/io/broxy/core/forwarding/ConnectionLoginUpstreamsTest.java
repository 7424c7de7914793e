package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyHandler;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.ForeignConnection;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.LoginOrigin;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies that a login that is bound to a connection (RFC 4559) stays with its client through other proxies too, and
 * that a login at the next proxy serves one client's plain HTTP or one tunnel only.
 */
@ExtendWith(LeakCheck.class)
class ConnectionLoginUpstreamsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final HostPort ONE = HostPort.parse("one.example:80");
    private static final HostPort TWO = HostPort.parse("two.example:80");
    private static final HostPort DENIED = HostPort.parse("denied.example:443");

    private static Http.Message get(Peer client, HostPort origin, String... fields) throws IOException {
        client.send(Http.get(origin, "/", fields));
        return Http.read(client);
    }

    private static String logIn(Peer client, HostPort origin, String scheme, String user) throws IOException {
        Http.Message challenge = get(client, origin, LoginOrigin.begin(scheme));
        assertThat(challenge.status()).isEqualTo(401);
        return get(client, origin, LoginOrigin.answer(scheme, user, challenge)).body();
    }

    private static HostPort address(Proxy proxy) {
        return HostPort.of("127.0.0.1", proxy.address().getPort());
    }

    private static BiConsumer<Broxy, ProxyHandler.Builder> through(HostPort proxy) {
        return (broxy, settings) -> settings.dialer(broxy.httpProxyDialer(proxy).build());
    }

    /** Two clients at once, each leg of one between two of the other. */
    private static void assertTwoClientsStayApart(Proxy proxy, HostPort origin) throws IOException {
        try (Peer alice = proxy.client();
                Peer bob = proxy.client()) {
            Http.Message forAlice = get(alice, origin, LoginOrigin.begin("NTLM"));
            Http.Message forBob = get(bob, origin, LoginOrigin.begin("Negotiate"));
            String alices = get(alice, origin, LoginOrigin.answer("NTLM", "alice", forAlice))
                    .body();
            String bobs = get(bob, origin, LoginOrigin.answer("Negotiate", "bob", forBob))
                    .body();
            assertThat(alices).startsWith("alice ");
            assertThat(bobs).startsWith("bob ");
            for (int i = 0; i < 3; i++) {
                assertThat(get(bob, origin).body()).isEqualTo(bobs);
                assertThat(get(alice, origin).body()).isEqualTo(alices);
            }
            try (Peer anonymous = proxy.client()) {
                assertThat(get(anonymous, origin).status()).isEqualTo(401);
            }
        }
    }

    // ------------------------------------------------------------------ the client's login

    /** The next proxy is played by the origin, which so sees each of its clients' connections. */
    @Test
    void aConnectionToAnHttpProxyIsOneClients() throws IOException {
        try (LoginOrigin upstream = LoginOrigin.start();
                Proxy proxy = Proxy.start(through(upstream.origin().target()))) {
            assertTwoClientsStayApart(proxy, ONE);
            assertThat(upstream.requests()).allMatch(request -> request.startsWith("GET http://one.example/ "));
        }
    }

    @Test
    void aChainOfTwoKeepsClientsApart() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy far = Proxy.start();
                Proxy near = Proxy.start(through(address(far)))) {
            assertTwoClientsStayApart(near, login.origin().target());
        }
    }

    @Test
    void soDoesASocksProxy() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Origin socks = Origin.start(SocksServer::relay);
                Proxy proxy = Proxy.start((broxy, settings) ->
                        settings.dialer(broxy.socks5Dialer(socks.target()).build()))) {
            assertTwoClientsStayApart(proxy, login.origin().target());
        }
    }

    /** Such a connection takes threads, and is not watched while the client asks for nothing. */
    @Test
    void soDoesADialerOfForeignConnections() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(request ->
                        ForeignConnection.over(broxy.directDialer().build().dial(request))))) {
            assertTwoClientsStayApart(proxy, login.origin().target());
        }
    }

    @Test
    void aForeignConnectionThatHasEndedEndsTheClientWhenItAsks() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(request ->
                        ForeignConnection.over(broxy.directDialer().build().dial(request))));
                Peer client = proxy.client()) {
            HostPort origin = login.origin().target();
            logIn(client, origin, "NTLM", "alice");
            login.end(1);

            client.send(Http.get(origin, "/"));
            client.expectEnd();
            assertThat(login.origin().accepted()).isEqualTo(1);
        }
    }

    /** By way of the next proxy, a login at one origin is none at another. */
    @Test
    void eachOriginBehindAProxyHasItsConnection() throws IOException {
        try (LoginOrigin upstream = LoginOrigin.start();
                Proxy proxy = Proxy.start(through(upstream.origin().target()));
                Peer client = proxy.client()) {
            assertThat(logIn(client, ONE, "NTLM", "alice")).isEqualTo("alice 1");
            assertThat(get(client, TWO).status()).isEqualTo(401);
            assertThat(logIn(client, TWO, "NTLM", "carol")).isEqualTo("carol 2");
            assertThat(get(client, ONE).body()).isEqualTo("alice 1");
        }
    }

    @Test
    void theClientIsOfferedLoginsOnlyIfEveryProxySupportsThem() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy far = Proxy.start();
                Proxy near = Proxy.start(through(address(far)));
                Proxy past = Proxy.start(through(login.origin().target()));
                Peer client = near.client();
                Peer other = past.client()) {
            assertThat(get(client, login.origin().target()).head())
                    .containsOnlyOnce("\r\nProxy-Support: Session-Based-Authentication\r\n");
            assertThat(get(other, ONE).head()).doesNotContain("Proxy-Support");
        }
    }

    @Test
    void theNextProxyEndsItWithTheClient() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy far = Proxy.start();
                Proxy near = Proxy.start(through(address(far)));
                Peer client = near.client()) {
            logIn(client, login.origin().target(), "NTLM", "alice");
            login.end(1);
            client.expectEnd();
        }
    }

    /** A client that the proxy considers another user does not get the login, even over the same connection. */
    @Test
    void anotherIdentityOfOneConnectionDoesNotGetIt() throws IOException {
        Authenticator users = Authenticator.basic("here", (user, password) -> password.equals("secret"));
        String one = "Proxy-Authorization: Basic b25lOnNlY3JldA==";
        String two = "Proxy-Authorization: Basic dHdvOnNlY3JldA==";
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(users));
                Peer client = proxy.client()) {
            HostPort origin = login.origin().target();
            assertThat(get(client, origin, one, "Authorization: Negotiate ticket-of-alice")
                            .body())
                    .isEqualTo("alice 1");
            assertThat(get(client, origin, two).status()).isEqualTo(401);
            assertThat(get(client, origin, one).body()).isEqualTo("alice 1");
        }
    }

    /** The hop that was tried first works again in the middle of a login; the login continues where it started. */
    @Test
    void aLoginGoesOnOverTheHopWhereItBegan() throws IOException {
        AtomicBoolean down = new AtomicBoolean(true);
        try (LoginOrigin first = LoginOrigin.start();
                LoginOrigin second = LoginOrigin.start();
                Proxy proxy = Proxy.start((broxy, settings) -> {
                    Dialer toFirst = request -> {
                        if (down.get()) {
                            throw new DialException(
                                    DialException.Reason.REFUSED, request.target(), Duration.ZERO, List.of(), null);
                        }
                        return broxy.directDialer().build().dial(request);
                    };
                    settings.dialer(broxy.routingDialer()
                            .hop(
                                    "first",
                                    broxy.httpProxyDialer(first.origin().target())
                                            .over(toFirst)
                                            .build())
                            .hop(
                                    "second",
                                    broxy.httpProxyDialer(second.origin().target())
                                            .build())
                            .rules(Rules.builder()
                                    .otherwise(Route.via("first", "second"))
                                    .build())
                            .penalty(Duration.ZERO)
                            .build());
                });
                Peer client = proxy.client()) {
            Http.Message challenge = get(client, ONE, LoginOrigin.begin("NTLM"));
            down.set(false);

            assertThat(get(client, ONE, LoginOrigin.answer("NTLM", "alice", challenge))
                            .body())
                    .isEqualTo("alice 1");
            assertThat(first.requests()).isEmpty();
            assertThat(get(client, TWO).status()).isEqualTo(401);
            assertThat(first.requests()).hasSize(1);
        }
    }

    /** What a client holds counts, so that a pool's cap is one. */
    @Test
    void itCountsAsLeased() throws IOException {
        try (LoginOrigin login = LoginOrigin.start();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.connPool(
                                broxy.connPool().maxOpenPerKey(1).build())
                        .dialTimeout(Duration.ofMillis(300)));
                Peer other = proxy.client()) {
            HostPort origin = login.origin().target();
            try (Peer client = proxy.client()) {
                logIn(client, origin, "NTLM", "alice");
                assertThat(get(other, origin).status()).isBetween(500, 599);
                assertThat(get(client, origin).body()).isEqualTo("alice 1");
            }
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().pool().leased() == 0);
            assertThat(get(other, origin).status()).isEqualTo(401);
        }
    }

    // ------------------------------------------------------------------ this proxy's login at the next one

    /** A proxy that records the client of each connection, and closes a connection after a number of answers. */
    private static Origin noting(List<String> requests, int answers) throws IOException {
        AtomicInteger connections = new AtomicInteger();
        return Origin.start(peer -> {
            int number = connections.incrementAndGet();
            for (int i = 0; i < answers; i++) {
                String head = Http.read(peer).head();
                requests.add(number + " " + Http.value(head, "Proxy-Authorization"));
                peer.send(Http.ok("answer " + number));
            }
        });
    }

    private static void awaitIdle(Proxy proxy, int count) {
        await().atMost(PATIENCE).until(() -> proxy.handler().stats().pool().idle() == count);
    }

    @ParameterizedTest
    @CsvSource({"Negotiate,2", "NTLM,2", "Custom,2", "Basic,1", "Bearer,1"})
    void aLoginAtTheNextProxyServesOneClient(String scheme, int connections) throws IOException {
        List<String> requests = Collections.synchronizedList(new ArrayList<>());
        try (Origin upstream = noting(requests, Integer.MAX_VALUE);
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.httpProxyDialer(upstream.target())
                        .authorization(target -> scheme + " abc")
                        .build()));
                Peer alice = proxy.client();
                Peer bob = proxy.client()) {
            String alices = get(alice, ONE).body();
            awaitIdle(proxy, connections == 1 ? 1 : 0);
            String bobs = get(bob, ONE).body();
            awaitIdle(proxy, connections == 1 ? 1 : 0);
            assertThat(List.of(alices, bobs)).containsExactly("answer 1", "answer " + connections);
            assertThat(get(alice, ONE).body()).isEqualTo("answer 1");
            assertThat(upstream.accepted()).isEqualTo(connections);
            assertThat(requests).allMatch(request -> request.endsWith(" " + scheme + " abc"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Proxy-Authenticate: Negotiate done", "Proxy-Authenticate: Basic realm=\"a\", NTLM"})
    void soDoesAConnectionThatTheNextProxySaysIsLoggedIn(String field) throws IOException {
        try (Origin upstream = Origin.start(peer -> {
                    while (true) {
                        Http.read(peer);
                        peer.send(Http.ok("answer", field));
                    }
                });
                Proxy proxy = Proxy.start(through(upstream.target()));
                Peer alice = proxy.client();
                Peer bob = proxy.client()) {
            for (int i = 0; i < 2; i++) {
                assertThat(get(alice, ONE).head()).doesNotContain("Proxy-Authenticate", "Connection: close");
                assertThat(get(bob, ONE).head()).doesNotContain("Proxy-Authenticate", "Connection: close");
            }
            assertThat(upstream.accepted()).isEqualTo(2);
        }
    }

    /** It is made anew without the client, which therefore needs not end. */
    @Test
    void theClientGoesOnWhenTheNextProxyEndsItsLogin() throws IOException {
        List<String> requests = Collections.synchronizedList(new ArrayList<>());
        try (Origin upstream = noting(requests, 1);
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.httpProxyDialer(upstream.target())
                        .authorization(target -> "Negotiate abc")
                        .build()));
                Peer client = proxy.client()) {
            for (int i = 1; i <= 3; i++) {
                Http.Message answer = get(client, ONE);
                assertThat(answer.body()).isEqualTo("answer " + i);
                assertThat(answer.head()).doesNotContain("Connection: close");
            }
        }
    }

    // ------------------------------------------------------------------ tunnels

    private static Origin refusing(String challenge) throws IOException {
        return Origin.start(peer -> {
            while (true) {
                peer.readHead();
                peer.send("HTTP/1.1 " + challenge + "Content-Length: 2\r\n\r\nno");
            }
        });
    }

    private static DialException refusal(HttpProxyDialer dialer) {
        CompletableFuture<Connection> dial =
                dialer.dialAsync(DialRequest.builder(DENIED).build(), Runnable::run);
        return dial.handle((connection, failure) -> {
                    assertThat(connection).isNull();
                    return (DialException) failure;
                })
                .orTimeout(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                .join();
    }

    /** A refused dial's connection is used for another only if nothing was said that could have logged it in. */
    @ParameterizedTest
    @CsvSource({
        "Basic abc, 403 No, 1",
        "Bearer abc, 407 Who|Proxy-Authenticate: Basic realm=\"NTLM\", 1",
        "Negotiate abc, 403 No, 3",
        "NTLM abc, 502 No, 3",
        "Basic abc, 407 Who|Proxy-Authenticate: Negotiate, 3",
        "Basic abc, '407 Who|Proxy-Authenticate: Basic realm=\"a\", ntlm abc', 3",
        "Basic abc, 401 Who|WWW-Authenticate: NTLM, 3"
    })
    void aRefusedTunnelsConnection(String authorization, String answer, int connections) throws Exception {
        try (Broxy broxy = Broxy.create();
                Origin upstream = refusing(answer.replace("|", "\r\n") + "\r\n");
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer dialer = broxy.httpProxyDialer(upstream.target())
                    .authorization(target -> authorization)
                    .pool(pool)
                    .build();
            for (int i = 0; i < 3; i++) {
                assertThat(refusal(dialer).proxyReply()).isNotNull();
                await().atMost(PATIENCE).until(() -> pool.stats().leased() == 0);
            }
            assertThat(upstream.accepted()).isEqualTo(connections);
            assertThat(pool.stats().idle()).isEqualTo(connections == 1 ? 1 : 0);
        }
    }

    /** Other credentials are another hop, so that no user has the other's connections. */
    @Test
    void credentialsOfTwoUsersDoNotMeet() throws IOException {
        List<String> requests = Collections.synchronizedList(new ArrayList<>());
        try (Origin upstream = noting(requests, Integer.MAX_VALUE);
                Proxy proxy = Proxy.start((broxy, settings) -> settings.addressPolicy(AddressPolicy.any())
                        .dialer(broxy.routingDialer()
                                .hop(
                                        "one",
                                        broxy.httpProxyDialer(upstream.target())
                                                .credentials(Credentials.basic("one", "a"))
                                                .build())
                                .hop(
                                        "two",
                                        broxy.httpProxyDialer(upstream.target())
                                                .credentials(Credentials.basic("two", "b"))
                                                .build())
                                .rules(Rules.builder()
                                        .domain("one.example", Route.via("one"))
                                        .otherwise(Route.via("two"))
                                        .build())
                                .build()));
                Peer client = proxy.client()) {
            assertThat(get(client, ONE).body()).isEqualTo("answer 1");
            assertThat(get(client, TWO).body()).isEqualTo("answer 2");
            assertThat(get(client, ONE).body()).isEqualTo("answer 1");
        }
    }
}
