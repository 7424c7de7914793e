package io.broxy.core.access;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessPolicy;
import io.broxy.Authenticator;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.RefusedException.Reason;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Client.Form;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies that a CONNECT request that the host server has parsed needs credentials like any other, unless the host
 * vouches for its client.
 */
@ExtendWith(LeakCheck.class)
class ParsedCredentialsTest {
    private static final String FIELD = "Proxy-Authorization";
    private static final Credentials USER = Credentials.basic("user", "secret");
    private static final Authenticator USERS = Authenticator.basic("here", USER);
    private static final String RIGHT = USER.authorization();
    private static final String WRONG = Credentials.basic("user", "wrong").authorization();

    private static ConnectRequest request(HostPort target, String... credentials) {
        ConnectRequest.Builder request = ConnectRequest.builder(target).field("Host", target.toString());
        for (String value : credentials) {
            request.field(FIELD, value);
        }
        return request.earlyBytes(ByteBuffer.wrap("early".getBytes(US_ASCII))).build();
    }

    private static void assertRefused(Client client, Reason reason, int status) throws Exception {
        client.peer().close();
        TunnelResult result = client.tunnel().join();
        assertThat(result.reason()).isEqualTo(CloseReason.REFUSED);
        assertThat(result.identity()).isNull();
        assertThat(result.cause()).isInstanceOfSatisfying(RefusedException.class, refusal -> {
            assertThat(refusal.reason()).isEqualTo(reason);
            assertThat(refusal.status()).isEqualTo(status);
        });
    }

    @ParameterizedTest
    @EnumSource
    void rightCredentialsOpenTheTunnelAndNameItsClient(Form form) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(USERS));
                Client client = form.serve(proxy.handler(), request(origin.target(), RIGHT))) {
            assertThat(client.peer().readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(client.peer().readText(5)).isEqualTo("early");
            client.peer().shutdownOutput().expectEnd();

            assertThat(client.tunnel().join().reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(client.tunnel().join().identity()).isEqualTo("user");
        }
    }

    @ParameterizedTest
    @EnumSource
    void withoutCredentialsTheClientGets407AndTheTunnelIsRefused(Form form) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(USERS));
                Client client = form.serve(proxy.handler(), request(origin.target()))) {
            Http.Message answer = Http.read(client.peer());
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 407 Proxy Authentication Required\r\n")
                    .contains("\r\nProxy-Authenticate: Basic realm=\"here\", charset=\"UTF-8\"\r\n")
                    .contains("\r\nConnection: close\r\n");

            assertRefused(client, Reason.AUTHENTICATION_REQUIRED, 407);
            assertThat(client.tunnel().join().target()).isEqualTo(origin.target());
            assertThat(proxy.handler().stats().refused(Reason.AUTHENTICATION_REQUIRED))
                    .isEqualTo(1);
            assertThat(origin.accepted()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Basic", "Basic !", "Basic dXNlcg==", "Bearer dXNlcjpzZWNyZXQ=", "dXNlcjpzZWNyZXQ="})
    void wrongOrMalformedOnesAreReportedAsSuchToListeners(String credentials) throws Exception {
        Queue<String> failed = new ConcurrentLinkedQueue<>();
        ProxyListener listener = new ProxyListener() {
            @Override
            public void authenticationFailed(Request request) {
                failed.add(request.method() + " " + request.target());
            }
        };
        try (Origin origin = Origin.echo();
                Proxy proxy =
                        Proxy.start(settings -> settings.authenticator(USERS).listener(listener));
                Client client = Form.CHANNEL.serve(proxy.handler(), request(origin.target(), credentials))) {
            assertThat(Http.read(client.peer()).status()).isEqualTo(407);
            assertRefused(client, Reason.AUTHENTICATION_REQUIRED, 407);
            await().untilAsserted(() -> assertThat(failed).containsExactly("CONNECT " + origin.target()));
        }
    }

    @Test
    void theNameOfTheFieldMayBeWrittenInAnyCase() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.authenticator(USERS));
                Client client = Form.CHANNEL.serve(
                        proxy.handler(),
                        ConnectRequest.builder(origin.target())
                                .field("pROXY-aUTHORIZATION", RIGHT)
                                .build())) {
            assertThat(client.peer().readHead()).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void theHostMayVouchForItsClientAndNoAuthenticatorIsAsked() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy =
                        Proxy.start(settings -> settings.authenticator(Authenticator.basic("here", (user, password) -> {
                            throw new AssertionError("it is not to be asked");
                        })));
                Client client = Form.CHANNEL.serve(proxy.handler(), vouched(origin.target()))) {
            assertThat(client.peer().readHead()).startsWith("HTTP/1.1 200 ");
            client.peer().shutdownOutput().expectEnd();
            assertThat(client.tunnel().join().identity()).isEqualTo("alice");
        }
    }

    private static ConnectRequest vouched(HostPort target) {
        return ConnectRequest.builder(target)
                .field(FIELD, WRONG)
                .authenticated("alice")
                .build();
    }

    @Test
    void withoutAnAuthenticatorNothingIsAskedFor() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Client client = Form.CHANNEL.serve(proxy.handler(), request(origin.target(), WRONG))) {
            assertThat(client.peer().readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(client.peer().readText(5)).isEqualTo("early");
            client.peer().shutdownOutput().expectEnd();
            assertThat(client.tunnel().join().identity()).isNull();
        }
    }

    @Test
    void thePolicySeesWhomTheAuthenticatorHasFound() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings ->
                        settings.authenticator(USERS).accessPolicy(AccessPolicy.identities("somebody else")));
                Client client = Form.CHANNEL.serve(proxy.handler(), request(origin.target(), RIGHT))) {
            assertThat(Http.read(client.peer()).status()).isEqualTo(403);
            assertRefused(client, Reason.ACCESS_DENIED, 403);
        }
    }

    @Test
    void anAuthenticatorThatFailsAdmitsNothing() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy =
                        Proxy.start(settings -> settings.authenticator(Authenticator.basic("here", (user, password) -> {
                            throw new IllegalStateException("the directory is away");
                        })));
                Client client = Form.CHANNEL.serve(proxy.handler(), request(origin.target(), RIGHT))) {
            assertThat(Http.read(client.peer()).status()).isEqualTo(503);
            assertRefused(client, Reason.AUTHENTICATION_FAILED, 503);
            assertThat(origin.accepted()).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({"right, right, false", "right, wrong, false", "wrong, right, false", "right, right, true"})
    void twoLinesOfCredentialsAre400InEveryKindOfRequest(String first, String second, boolean noAuthenticator)
            throws Exception {
        String one = first.equals("right") ? RIGHT : WRONG;
        String other = second.equals("right") ? RIGHT : WRONG;
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> {
                    if (!noAuthenticator) {
                        settings.authenticator(USERS);
                    }
                })) {
            String lines = FIELD + ": " + one + "\r\nX: y\r\n" + FIELD.toLowerCase(Locale.ROOT) + ": " + other;
            for (String text : List.of(
                    Proxy.connectHead(origin.target()).replaceFirst("\r\n\r\n$", "\r\n" + lines + "\r\n\r\n"),
                    Http.get(origin.target(), "/", lines))) {
                try (Peer client = proxy.client()) {
                    assertThat(Http.read(client.send(text)).head()).startsWith("HTTP/1.1 400 ");
                    client.expectEnd();
                }
            }
            try (Client client = Form.CHANNEL.serve(proxy.handler(), request(origin.target(), one, other))) {
                assertThat(Http.read(client.peer()).status()).isEqualTo(400);
                assertRefused(client, Reason.BAD_REQUEST, 400);
            }
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void aTunnelMayBeClosedWhileTheAuthenticatorIsAsked() throws Exception {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        CompletableFuture<Boolean> asked = new CompletableFuture<>();
        try (Origin origin = Origin.echo();
                Proxy proxy =
                        Proxy.start(settings -> settings.authenticator(Authenticator.basic("here", (user, password) -> {
                            asked.complete(true);
                            return answer.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                        })));
                Client client = Form.CHANNEL.serve(proxy.handler(), request(origin.target(), RIGHT))) {
            Tunnel tunnel = client.tunnel();
            asked.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            tunnel.close();
            assertThat(tunnel.join().reason()).isEqualTo(CloseReason.CLOSED);
            client.peer().expectReset();
            answer.complete(true);
            assertThat(origin.accepted()).isZero();
        }
    }
}
