package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how a handler forwards plain HTTP through upstream proxies and by rules. */
@ExtendWith(LeakCheck.class)
@SuppressWarnings("StringConcatToTextBlock") // whose lines would not end with CRLF
class ForwardingUpstreamsTest {
    private static final HostPort ONE = HostPort.parse("one.example:80");
    private static final HostPort TWO = HostPort.parse("two.example:8080");
    private static final Credentials CREDENTIALS = Credentials.basic("user", "secret");

    private static Http.Message exchange(Peer client, String request) throws IOException {
        client.send(request);
        return Http.read(client);
    }

    @Test
    void anHttpProxyGetsTheAbsoluteFormWithItsCredentials() throws IOException {
        try (Origin upstream = Origin.start(peer -> {
                    String added = "Via: 1.1 here\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n";
                    assertThat(peer.readHead())
                            .isEqualTo("GET http://one.example/a?b HTTP/1.1\r\nHost: one.example\r\nX: y\r\n" + added
                                    + "\r\n");
                    peer.send(Http.ok(
                            "first",
                            "Via: 1.1 there",
                            "Proxy-Authenticate: Basic",
                            "Proxy-Status: there",
                            "Keep-Alive: timeout=600"));
                    Http.Message second = Http.read(peer);
                    assertThat(second.head())
                            .startsWith("POST http://two.example:8080/ HTTP/1.1\r\nHost: two.example:8080\r\n");
                    assertThat(second.body()).isEqualTo("body");
                    peer.send(Http.ok("second"));
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start((broxy, settings) -> settings.viaPseudonym("here")
                        .dialer(broxy.httpProxyDialer(upstream.target())
                                .credentials(CREDENTIALS)
                                .build()));
                Peer client = proxy.client()) {
            client.send(Http.get(
                    ONE, "/a?b", "X: y", "Proxy-Authorization: Basic the-clients", "Proxy-Connection: keep-alive"));

            Http.Message answer = Http.read(client);
            assertThat(answer.head())
                    .contains("\r\nVia: 1.1 there\r\n", "\r\nProxy-Status: there\r\n")
                    .doesNotContain("Proxy-Authenticate");
            assertThat(answer.body()).isEqualTo("first");
            assertThat(exchange(client, Http.post(TWO, "/", "body")).body()).isEqualTo("second");
            assertThat(upstream.accepted()).isEqualTo(1);
        }
    }

    @Test
    void anUpstreamThatWantsOtherCredentialsIsABadGateway() throws IOException {
        try (Origin upstream = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(
                            "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"there\"\r\nContent-Length: 0\r\n\r\n");
                    peer.readAll();
                });
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.httpProxyDialer(upstream.target())
                        .credentials(CREDENTIALS)
                        .build()));
                Peer client = proxy.client()) {
            Http.Message answer = exchange(client, Http.get(ONE, "/"));
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=destination_unavailable\r\n")
                    .doesNotContain("Proxy-Authenticate");
            assertThat(answer.body()).isEqualTo("502 the next proxy refused\n");
            assertThat(proxy.handler().stats().dialFailures()).isEqualTo(1);
        }
    }

    @Test
    void credentialsThatDoNotComeAreAGatewayTimeout() throws Exception {
        CompletableFuture<String> never = new CompletableFuture<>();
        try (Origin upstream = Origin.start(peer -> assertThat(peer.readAll()).isEmpty());
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialTimeout(Duration.ofMillis(300))
                        .dialer(broxy.httpProxyDialer(upstream.target())
                                .authorization(target -> never.join())
                                .build()));
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(ONE, "/")).status()).isEqualTo(504);
            never.complete("Basic too-late");
        }
    }

    @Test
    void anotherBroxyPassesItOn() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    Http.Message request = Http.read(peer);
                    assertThat(request.head())
                            .startsWith("POST /a HTTP/1.1\r\nHost: 127.0.0.1:")
                            .contains("\r\nVia: 1.1 near\r\nVia: 1.1 far\r\n")
                            .doesNotContain("Proxy-Authorization");
                    assertThat(request.body()).isEqualTo("body");
                    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n");
                    peer.expectEnd();
                });
                Proxy far = Proxy.start(settings -> settings.viaPseudonym("far"));
                Proxy near = Proxy.start((broxy, settings) -> settings.viaPseudonym("near")
                        .dialer(broxy.httpProxyDialer(
                                        HostPort.of("127.0.0.1", far.address().getPort()))
                                .credentials(CREDENTIALS)
                                .build()));
                Peer client = near.client()) {
            Http.Message answer = exchange(client, Http.post(origin.target(), "/a", "body"));

            assertThat(answer.head()).containsSubsequence("\r\nVia: 1.1 far\r\n", "\r\nVia: 1.1 near\r\n");
            assertThat(answer.body()).isEqualTo("more");
            assertThat(far.handler().stats().totalConnections()).isEqualTo(1);
        }
    }

    @Test
    void aSocksProxyConnectsToTheOrigin() throws IOException {
        try (Origin origin = Http.echo();
                Origin socks = Origin.start(SocksServer::relay);
                Proxy proxy = Proxy.start((broxy, settings) ->
                        settings.dialer(broxy.socks5Dialer(socks.target()).build()));
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(origin.target(), "/a")).body()).isEqualTo("GET /a ");
            assertThat(exchange(client, Http.get(origin.target(), "/b")).body()).isEqualTo("GET /b ");
            assertThat(socks.accepted()).isEqualTo(1);
            assertThat(exchange(client, Http.post(origin.target(), "/c", "d")).body())
                    .isEqualTo("POST /c d");
            assertThat(socks.accepted())
                    .as("a POST goes over no connection that may be ending")
                    .isEqualTo(2);
        }
    }

    @Test
    void eachRequestFollowsItsRule() throws IOException {
        try (Origin origin = Http.echo();
                Origin upstream = Http.echo();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.routingDialer()
                        .hop("up", broxy.httpProxyDialer(upstream.target()).build())
                        .rules(Rules.builder()
                                .domain("one.example", Route.via("up"))
                                .domain("two.example", Route.deny())
                                .otherwise(Route.direct())
                                .build())
                        .build()));
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(ONE, "/")).body()).isEqualTo("GET http://one.example/ ");
            assertThat(exchange(client, Http.get(origin.target(), "/")).body()).isEqualTo("GET / ");
            Http.Message denied = exchange(client, Http.get(TWO, "/"));
            assertThat(denied.status()).isEqualTo(403);
            assertThat(exchange(client, Http.get(ONE, "/again")).body()).isEqualTo("GET http://one.example/again ");
            assertThat(upstream.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aHopThatFailsIsFollowedByTheNext() throws IOException {
        HostPort nobody = HeldPort.refusing();
        try (Origin silent = Origin.start(peer -> peer.readHead()); // and ends without an answer
                Origin good = Http.echo();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.routingDialer()
                        .hop("nobody", broxy.httpProxyDialer(nobody).build())
                        .hop("silent", broxy.httpProxyDialer(silent.target()).build())
                        .hop("good", broxy.httpProxyDialer(good.target()).build())
                        .rules(Rules.always(Route.via("nobody", "silent", "good")))
                        .build()));
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(ONE, "/")).body()).isEqualTo("GET http://one.example/ ");
            assertThat(silent.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aBodyIsNotSentToAnotherHop() throws IOException {
        try (Origin silent = Origin.start(peer -> Http.read(peer));
                Origin good = Http.echo();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.routingDialer()
                        .hop("silent", broxy.httpProxyDialer(silent.target()).build())
                        .hop("good", broxy.httpProxyDialer(good.target()).build())
                        .rules(Rules.always(Route.via("silent", "good")))
                        .build()));
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.post(ONE, "/", "body")).status()).isEqualTo(502);
            assertThat(good.accepted()).isZero();
            assertThat(exchange(client, Http.post(ONE, "/", "body")).body()) // the first hop is known to be bad now
                    .isEqualTo("POST http://one.example/ body");
        }
    }
}
