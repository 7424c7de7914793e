package io.broxy.core.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessPolicy;
import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.FilterRequest;
import io.broxy.HostPort;
import io.broxy.LocalResponse;
import io.broxy.RefusedException.Reason;
import io.broxy.RequestDecision;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.TlsProxy;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies what a request filter sees and decides, for CONNECT and plain HTTP alike, before anything is dialed. */
@ExtendWith(LeakCheck.class)
class RequestFilterTest {
    private static final String CREDENTIALS = "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=";

    private final Queue<FilterRequest> seen = new ConcurrentLinkedQueue<>();

    private RequestDecision pass(FilterRequest request) {
        seen.add(request);
        return RequestDecision.pass();
    }

    private static String connect(HostPort target, String... fields) {
        return "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" + String.join("\r\n", fields) + "\r\n\r\n";
    }

    // ------------------------------------------------------------------ what it sees

    @Test
    void itSeesAForwardedRequestButNotItsCredentials() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.requestFilter(this::pass)
                        .authenticator(Authenticator.basic("here", Credentials.basic("user", "secret"))));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/a?b", "X-First: 1", CREDENTIALS, "X-Last: 2"));
            assertThat(Http.read(client).body()).isEqualTo("GET /a?b ");

            assertThat(seen).singleElement().satisfies(request -> {
                assertThat(request.client()).isEqualTo(InetAddress.getLoopbackAddress());
                assertThat(request.method()).isEqualTo("GET");
                assertThat(request.target()).isEqualTo(origin.target());
                assertThat(request.uri()).isEqualTo("http://" + origin.target() + "/a?b");
                assertThat(request.isTunnel()).isFalse();
                assertThat(request.identity()).isEqualTo("user");
                assertThat(request.field("x-first")).isEqualTo("1");
                assertThat(request.field("Proxy-Authorization")).isNull();
                assertThat(request.fields())
                        .extracting(ConnectRequest.Field::name)
                        .containsExactly("Host", "X-First", "X-Last");
                assertThat(request.tls()).isNull();
                assertThat(request).hasToString("FilterRequest[GET " + origin.target() + "]");
            });
        }
    }

    @Test
    void itSeesNoCredentialsOfAnOpenProxy() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.requestFilter(this::pass));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/", "X: y", CREDENTIALS));
            assertThat(Http.read(client).body()).isEqualTo("GET / ");

            assertThat(seen.remove().fields())
                    .extracting(ConnectRequest.Field::name)
                    .containsExactly("Host", "X");
        }
    }

    @Test
    void itSeesATunnelWithTheTlsOfItsClient() throws Exception {
        try (Origin origin = Origin.echo();
                TlsProxy proxy = TlsProxy.start(settings -> settings.requestFilter(this::pass));
                Peer client = proxy.connect(origin.target())) {
            client.send("hello");
            assertThat(client.readText(5)).isEqualTo("hello");

            FilterRequest request = seen.remove();
            assertThat(request.method()).isEqualTo("CONNECT");
            assertThat(request.isTunnel()).isTrue();
            assertThat(request.target()).isEqualTo(origin.target());
            assertThat(request.tls()).isNotNull();
        }
    }

    @Test
    void itSeesATunnelWhoseRequestTheHostServerHasRead() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.requestFilter(this::pass));
                Client client = Client.Form.CHANNEL.serve(
                        proxy.handler(),
                        ConnectRequest.builder(origin.target())
                                .field("X", "y")
                                .authenticated("user")
                                .build())) {
            assertThat(client.peer().readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");

            FilterRequest request = seen.remove();
            assertThat(request.identity()).isEqualTo("user");
            assertThat(request.field("X")).isEqualTo("y");
        }
    }

    @Test
    void requestsThatAreRefusedBeforeOrAreTheProxysOwnDoNotReachIt() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.requestFilter(this::pass)
                        .localRequests(asked -> LocalResponse.of(200, "text/plain", "here"))
                        .accessPolicy(AccessPolicy.methods("GET")))) {
            for (String request : new String[] {
                "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                Proxy.connectHead(origin.target()),
                "GET http://a b HTTP/1.1\r\n\r\n",
                "OPTIONS http://x/ HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n"
            }) {
                try (Peer client = proxy.client()) {
                    client.send(request).shutdownOutput().readAll();
                }
            }

            assertThat(seen).isEmpty();
            assertThat(origin.accepted()).isZero();
        }
    }

    // ------------------------------------------------------------------ refusals

    @ParameterizedTest
    @ValueSource(strings = {"CONNECT", "GET", "HEAD", "POST"})
    void aRefusalNeedsNoDial(String method) throws Exception {
        Events events = new Events();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings ->
                        settings.listener(events).requestFilter(r -> RequestDecision.refuse(451, "not from here")));
                Peer client = proxy.client()) {
            client.send(
                    switch (method) {
                        case "CONNECT" -> Proxy.connectHead(origin.target());
                        case "POST" ->
                            Http.request("POST", origin.target(), "/", "Content-Length: 5", "Expect: 100-continue");
                        default -> Http.request(method, origin.target(), "/");
                    });

            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 451 Unavailable For Legal Reasons\r\n")
                    .contains("\r\nProxy-Status: Broxy; error=http_request_denied\r\n", "\r\nConnection: close\r\n");
            assertThat(client.readAll()).isEqualTo(method.equals("HEAD") ? "" : "451 not from here\n");
            client.close(); // else its connection lingers
            assertThat(events.untilClosed())
                    .contains("refused " + method + " " + origin.target() + " by null: FILTERED");
            awaitRefused(proxy, 1);
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void aTunnelEndsWithTheRefusal() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.requestFilter(r -> RequestDecision.refuse(403, "no")));
                Client client = Client.Form.CHANNEL.ask(proxy.handler(), origin.target())) {
            assertThat(client.peer().readAll()).startsWith("HTTP/1.1 403 Forbidden\r\n");
            Ends.assertRefused(client.tunnel().join(), Reason.FILTERED, 403);
            assertThat(client.tunnel().join().target()).isEqualTo(origin.target());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFilterThatThrowsOrDecidesNothingRefuses(boolean blocking) throws Exception {
        try (CapturedLog log = CapturedLog.start();
                Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> {
                    if (blocking) {
                        settings.blockingRequestFilter(RequestFilterTest::broken);
                    } else {
                        settings.requestFilter(RequestFilterTest::broken);
                    }
                })) {
            for (String request : new String[] {
                Proxy.connectHead(origin.target()),
                Http.get(origin.target(), "/throw"),
                Http.get(origin.target(), "/null")
            }) {
                try (Peer client = proxy.client()) {
                    assertThat(client.send(request).readAll())
                            .startsWith("HTTP/1.1 500 Internal Server Error\r\n")
                            .endsWith("500 the request could not be filtered\n")
                            .doesNotContain("secret");
                }
            }
            awaitRefused(proxy, 3);
            assertThat(origin.accepted()).isZero();
            assertThat(log.text()).contains("a request filter failed", "a secret", "the filter gave no decision");
        }
    }

    @SuppressWarnings("NullAway") // a filter that breaks its contract
    private static RequestDecision broken(FilterRequest request) throws Exception {
        if (request.uri() != null && request.uri().endsWith("/null")) {
            return null;
        }
        throw new Exception("a secret");
    }

    // ------------------------------------------------------------------ answers

    @Test
    void anAnswerIsAnExchangeThatNeedsNoOrigin() throws Exception {
        Events events = new Events();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.listener(events)
                        .requestFilter(
                                r -> RequestDecision.answer(LocalResponse.of(200, "text/plain", "from here"))))) {
            try (Peer client = proxy.client()) {
                client.send(Http.get(origin.target(), "/") + Http.get(origin.target(), "/again"));
                for (int i = 0; i < 2; i++) {
                    Http.Message answer = Http.read(client);
                    assertThat(answer.head()).startsWith("HTTP/1.1 200 OK\r\n").doesNotContain("Connection");
                    assertThat(answer.body()).isEqualTo("from here");
                }
                client.send(Http.request("HEAD", origin.target(), "/"));
                assertThat(client.readHead()).contains("\r\nContent-Length: 9\r\n");
                client.send(Http.post(origin.target(), "/", "a body that is not read"));
                assertThat(client.readAll())
                        .contains("\r\nConnection: close\r\n")
                        .endsWith("\r\n\r\nfrom here");
            }
            assertThat(events.untilClosed())
                    .contains("exchange ended HEAD " + origin.target() + " by null: 200 FINISHED")
                    .contains("closed: FINISHED, exchanges 4");
            assertThat(proxy.handler().stats().totalExchanges()).isEqualTo(4);
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void aTunnelMayBeAnsweredWithAnythingButASuccess() throws Exception {
        try (CapturedLog log = CapturedLog.start();
                Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.requestFilter(
                        r -> RequestDecision.answer(LocalResponse.builder(r.field("X-Status") == null ? 200 : 302)
                                .field("Location", "http://login.test/")
                                .build())))) {
            try (Peer client = proxy.client()) {
                assertThat(client.send(connect(origin.target(), "X-Status: 302"))
                                .readAll())
                        .startsWith("HTTP/1.1 302 ")
                        .contains("\r\nLocation: http://login.test/\r\n", "\r\nConnection: close\r\n");
            }
            try (Peer client = proxy.client()) {
                assertThat(client.send(Proxy.connectHead(origin.target())).readAll())
                        .startsWith("HTTP/1.1 500 ");
            }
            awaitRefused(proxy, 2);
            assertThat(log.text()).contains("a request filter answered CONNECT with 200");
        }
    }

    // ------------------------------------------------------------------ another dialer

    /** Opens connections to one place, whatever is asked for. Threading: thread-safe. */
    private record Detour(Dialer dialer, HostPort place, Queue<DialRequest> dials) implements Dialer {
        @Override
        public Connection dial(DialRequest request) throws DialException {
            dials.add(request);
            return dialer.dial(request.toBuilder().target(place).build());
        }
    }

    @Test
    void anotherDialerMayDialATarget() throws Exception {
        Queue<DialRequest> dials = new ConcurrentLinkedQueue<>();
        try (Origin usual = Http.echo();
                Origin other = Origin.start(peer -> {
                    while (true) {
                        Http.read(peer);
                        peer.send(Http.ok("other"));
                    }
                });
                Proxy proxy = Proxy.start((broxy, settings) -> {
                    Dialer detour = new Detour(broxy.directDialer().build(), other.target(), dials);
                    settings.requestFilter(r -> "other".equals(r.field("X-Way"))
                            ? RequestDecision.pass().by(detour)
                            : RequestDecision.pass());
                });
                Peer client = proxy.client()) {
            for (int i = 0; i < 2; i++) { // the second time over pooled connections, which do not mix
                client.send(Http.get(usual.target(), "/"));
                assertThat(Http.read(client).body()).isEqualTo("GET / ");
                client.send(Http.get(usual.target(), "/", "X-Way: other"));
                assertThat(Http.read(client).body()).isEqualTo("other");
            }
            assertThat(usual.accepted()).isEqualTo(1);
            assertThat(other.accepted()).isEqualTo(1);

            client.send(connect(usual.target(), "X-Way: other"));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
            client.send(Http.get(usual.target(), "/"));
            assertThat(Http.read(client).body()).isEqualTo("other");
            assertThat(dials).extracting(DialRequest::target).containsExactly(usual.target(), usual.target());
        }
    }

    @Test
    void noDialerReachesTheProxyItselfOrWhatThePolicyRefuses() throws Exception {
        Queue<DialRequest> dials = new ConcurrentLinkedQueue<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start((broxy, settings) -> {
                    Dialer direct = broxy.directDialer().build();
                    Dialer recording = request -> {
                        dials.add(request);
                        return direct.dial(request);
                    };
                    settings.addressPolicy(AddressPolicy.publicOnly())
                            .requestFilter(r -> RequestDecision.pass().by(recording));
                })) {
            HostPort own = HostPort.of("127.0.0.1", proxy.address().getPort());
            for (HostPort target : new HostPort[] {own, origin.target()}) {
                for (String request : new String[] {Proxy.connectHead(target), Http.get(target, "/")}) {
                    try (Peer client = proxy.client()) {
                        client.send(request).shutdownOutput();
                        assertThat(client.readAll()).startsWith("HTTP/1.1 403 Forbidden\r\n");
                    }
                }
            }
            assertThat(dials).extracting(DialRequest::target).doesNotContain(own);
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void changesOfFieldsHaveNoEffectOnATunnel() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings ->
                        settings.requestFilter(r -> RequestDecision.pass().set("X", "y")));
                Client client = Client.Form.CHANNEL.ask(proxy.handler(), origin.target())) {
            assertThat(client.peer().readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            client.peer().send("hello");
            assertThat(client.peer().readText(5)).isEqualTo("hello");
            client.peer().shutdownOutput().expectEnd();
            Ends.assertEnded(client.tunnel().join(), CloseReason.FINISHED);
        }
    }

    /** A refusal counts when its connection has ended. */
    private static void awaitRefused(Proxy proxy, int count) {
        await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                .until(() -> proxy.handler().stats().refused(Reason.FILTERED) == count);
    }
}
