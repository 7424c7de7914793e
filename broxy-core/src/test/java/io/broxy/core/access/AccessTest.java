package io.broxy.core.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AccessPolicy;
import io.broxy.AccessRequest;
import io.broxy.Authenticator;
import io.broxy.Cidr;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectionResult;
import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.RefusedException;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that access is decided before anything is resolved or dialed, for CONNECT and plain HTTP alike. */
@ExtendWith(LeakCheck.class)
class AccessTest {
    private static final Authenticator USERS = Authenticator.basic("here", Credentials.basic("user", "secret"));
    private static final String RIGHT = "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=";
    private static final String WRONG = "Proxy-Authorization: Basic dXNlcjp3cm9uZw==";

    private final Queue<AccessRequest> asked = new ConcurrentLinkedQueue<>();

    private static String connect(HostPort target, String field) {
        return Proxy.connectHead(target).replaceFirst("\r\n\r\n$", "\r\n" + field + "\r\n\r\n");
    }

    private static void assertChallenged(Http.Message answer) {
        assertThat(answer.head())
                .startsWith("HTTP/1.1 407 Proxy Authentication Required\r\n")
                .contains("\r\nProxy-Status: Broxy; error=http_request_denied\r\n")
                .contains("\r\nProxy-Authenticate: Basic realm=\"here\", charset=\"UTF-8\"\r\n");
        assertThat(answer.body()).isEqualTo("407 the proxy needs valid credentials\n");
    }

    // ------------------------------------------------------------------ credentials

    @Test
    void aRequestMayBeTriedAgainWithCredentialsOverTheSameConnection() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead()).doesNotContain("Proxy-Authorization", "Basic");
                    peer.send(Http.ok("welcome"));
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start(settings -> settings.authenticator(USERS));
                Peer client = proxy.client()) {
            for (String field : new String[] {"X: y", WRONG, "Proxy-Authorization: Bearer dXNlcjpzZWNyZXQ="}) {
                client.send(Http.get(origin.target(), "/", field));
                Http.Message answer = Http.read(client);
                assertChallenged(answer);
                assertThat(answer.head()).doesNotContain("Connection: close");
            }
            assertThat(origin.accepted()).isZero();
            assertThat(proxy.handler().stats().refused()).isEqualTo(3);
            client.send(Http.get(origin.target(), "/", RIGHT));

            assertThat(Http.read(client).body()).isEqualTo("welcome");
        }
    }

    @Test
    void aTunnelMayBeAskedForAgainWithCredentialsOverTheSameConnection() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(USERS));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(Proxy.connectHead(origin.target()));
            assertChallenged(Http.read(client));
            assertThat(origin.accepted()).isZero();

            client.send(connect(origin.target(), RIGHT) + "early");

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(client.readText(5)).isEqualTo("early");
            client.shutdownOutput().expectEnd();
            ConnectionResult end = result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(end.tunnel()).isNotNull();
            assertThat(end.tunnel().identity()).isEqualTo("user");
            assertThat(end.exchanges()).isZero();
        }
    }

    @Test
    void aTunnelsClientMayTryAgainToo() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(USERS));
                Client client = Client.Form.CHANNEL.ask(proxy.handler(), origin.target())) {
            assertChallenged(Http.read(client.peer()));
            client.peer().send(connect(origin.target(), RIGHT));

            assertThat(client.peer().readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            client.peer().shutdownOutput().expectEnd();
            Ends.assertEnded(client.tunnel().join(), CloseReason.FINISHED);
        }
    }

    @Test
    void anUnreadBodyEndsTheConnection() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(USERS));
                Peer client = proxy.client()) {
            client.send(Http.post(origin.target(), "/", Http.get(origin.target(), "/smuggled", RIGHT)));

            Http.Message answer = Http.read(client);
            assertChallenged(answer);
            assertThat(answer.head()).contains("\r\nConnection: close\r\n");
            client.expectEnd();
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void pipelinedRequestsAreEachAskedForCredentials() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(USERS));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/1", RIGHT)
                    + Http.get(origin.target(), "/2")
                    + Http.get(origin.target(), "/3", RIGHT));

            assertThat(Http.read(client).body()).isEqualTo("GET /1 ");
            assertChallenged(Http.read(client));
            assertThat(Http.read(client).body()).isEqualTo("GET /3 ");
        }
    }

    @Test
    void aHeadIsChallengedWithoutBody() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(USERS));
                Peer client = proxy.client()) {
            client.send(Http.request("HEAD", origin.target(), "/") + Http.get(origin.target(), "/", RIGHT));

            assertThat(client.readHead()).startsWith("HTTP/1.1 407 ");
            assertThat(Http.read(client).body()).isEqualTo("GET / ");
        }
    }

    private static Authenticator by(Authenticator.PasswordCheck check) {
        return Authenticator.basic("here", check);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anAuthenticatorThatFailsOrIsSilentAdmitsNoClient(boolean silent) throws Exception {
        CompletableFuture<Boolean> never = new CompletableFuture<>();
        try (Origin origin = Http.echo();
                Proxy proxy =
                        Proxy.start(settings -> settings.authenticationTimeout(Duration.ofMillis(silent ? 100 : 60_000))
                                .authenticator(by((user, password) -> {
                                    if (silent) {
                                        return never.join();
                                    }
                                    throw new IllegalStateException("the directory is away");
                                })));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(Http.get(origin.target(), "/", RIGHT));

            Http.Message answer = Http.read(client);
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.body()).doesNotContain("directory");
            client.expectEnd();
            client.close();
            never.complete(true);
            ConnectionResult end = result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(end.reason()).isEqualTo(CloseReason.REFUSED);
            assertThat(end.cause())
                    .isInstanceOfSatisfying(
                            RefusedException.class,
                            refusal -> assertThat(refusal.reason())
                                    .isEqualTo(RefusedException.Reason.AUTHENTICATION_FAILED));
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void theCallbackMayBlockAndIsNotOnTheLoop() throws Exception {
        CompletableFuture<String> thread = new CompletableFuture<>();
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(by((user, password) -> {
                    thread.complete(Thread.currentThread().getName());
                    return answer.join();
                })));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/", RIGHT));
            assertThat(thread.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).doesNotContain("loop");
            answer.complete(true);

            assertThat(Http.read(client).body()).isEqualTo("GET / ");
        }
    }

    // ------------------------------------------------------------------ the policy

    private AccessPolicy noting(AccessPolicy policy) {
        return request -> {
            asked.add(request);
            return policy.admits(request);
        };
    }

    @Test
    void thePolicyReceivesTheClientAndItsRequest() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(
                        settings -> settings.authenticator(USERS).accessPolicy(noting(AccessPolicy.methods("PUT"))));
                Peer client = proxy.client()) {
            client.send(Http.request("PUT", origin.target(), "/", RIGHT, "Content-Length: 0"));
            assertThat(Http.read(client).body()).isEqualTo("PUT / ");
            client.send(connect(origin.target(), RIGHT));

            assertThat(Http.read(client).head())
                    .startsWith("HTTP/1.1 403 Forbidden\r\nProxy-Status: Broxy; error=http_request_denied\r\n");
            client.expectEnd();
            assertThat(asked).extracting(AccessRequest::method).containsExactly("PUT", "CONNECT");
            assertThat(asked).extracting(AccessRequest::identity).containsOnly("user");
            assertThat(asked).extracting(AccessRequest::target).containsOnly(origin.target());
            assertThat(asked)
                    .allMatch(request ->
                            request.client() != null && request.client().isLoopbackAddress());
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void whatThePolicyRefusesIsNeitherResolvedNorDialed() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.accessPolicy(AccessPolicy.ports(80, 443))
                        .dialer(request -> {
                            throw new AssertionError("nothing is dialed");
                        }))) {
            for (String request : List.of(Http.get(origin.target(), "/"), Proxy.connectHead(origin.target()))) {
                try (Peer client = proxy.client()) {
                    client.send(request);
                    Http.Message answer = Http.read(client);
                    assertThat(answer.status()).isEqualTo(403);
                    assertThat(answer.body()).isEqualTo("403 the request is not allowed\n");
                    client.expectEnd();
                }
            }
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void thePolicyIsAskedOfRequestsThatTheHostServerHasRead() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.accessPolicy(AccessPolicy.identities("friend")))) {
            for (String identity : List.of("friend", "stranger")) {
                ConnectRequest request = ConnectRequest.builder(origin.target())
                        .authenticated(identity)
                        .build();
                try (Client client = Client.Form.CHANNEL.serve(proxy.handler(), request)) {
                    boolean friend = identity.equals("friend");
                    assertThat(client.peer().readHead()).startsWith(friend ? "HTTP/1.1 200 " : "HTTP/1.1 403 ");
                    client.peer().close();
                    assertThat(client.tunnel().join().reason())
                            .isEqualTo(friend ? CloseReason.FINISHED : CloseReason.REFUSED);
                    assertThat(client.tunnel().join().identity()).isEqualTo(identity);
                }
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    /** Nor is it told that it could log in, or asked for a password that would go to a server that serves it nothing. */
    @ParameterizedTest
    @ValueSource(strings = {"X: y", WRONG, RIGHT})
    void aClientThatMayNotComeFromItsAddressCannotLogIn(String field) throws Exception {
        Authenticator recording = Authenticator.basic("here", (user, password) -> {
            throw new AssertionError("the password is checked");
        });
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(recording)
                        .accessPolicy(AccessPolicy.ports(origin.port())
                                .and(AccessPolicy.clients(Cidr.parse("192.0.2.0/24")))));
                Peer plain = proxy.client();
                Peer tunnel = proxy.client()) {
            Http.Message answer = Http.read(plain.send(Http.get(origin.target(), "/", field)));

            assertThat(answer.status()).isEqualTo(403);
            assertThat(answer.head()).doesNotContain("Proxy-Authenticate");
            assertThat(Http.read(tunnel.send(connect(origin.target(), field))).status())
                    .isEqualTo(403);
            assertThat(proxy.handler().stats().refused(RefusedException.Reason.AUTHENTICATION_REQUIRED))
                    .isZero();
        }
    }

    @Test
    void anotherClientIsAskedToLogInBeforeThePolicyDecides() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(USERS)
                        .accessPolicy(AccessPolicy.clients(Cidr.parse("127.0.0.0/8"))
                                .and(AccessPolicy.identities("another"))));
                Peer client = proxy.client()) {
            assertThat(Http.read(client.send(Http.get(origin.target(), "/"))).status())
                    .isEqualTo(407);
            assertThat(Http.read(client.send(Http.get(origin.target(), "/", RIGHT)))
                            .status())
                    .isEqualTo(403);
        }
    }

    @Test
    void aPolicyThatThrowsRefuses() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.accessPolicy(request -> {
                    throw new IllegalStateException("a mistake");
                }));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(Http.read(client).status()).isEqualTo(403);
            assertThat(origin.accepted()).isZero();
        }
    }
}
