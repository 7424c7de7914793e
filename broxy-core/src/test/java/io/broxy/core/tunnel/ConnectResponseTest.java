package io.broxy.core.tunnel;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.ConnectRequest;
import io.broxy.ConnectResponse;
import io.broxy.Connection;
import io.broxy.Credentials;
import io.broxy.DialException;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.LocalResponse;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.RequestDecision;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Specifies the responses that a host server gets to write, and that they are those of a client that is handed over. */
@ExtendWith(LeakCheck.class)
class ConnectResponseTest {
    private static final HostPort REFUSING = HeldPort.refusing();
    private static final InetSocketAddress CLIENT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 45_678);

    /** A handler, a request, and the status of the response. */
    private record Row(
            String name,
            int status,
            BiConsumer<ProxyHandler.Builder, HostPort> settings,
            Function<HostPort, ConnectRequest> request) {
        Row(String name, int status, BiConsumer<ProxyHandler.Builder, HostPort> settings) {
            this(name, status, settings, ConnectRequest::to);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static ConnectRequest with(HostPort target, String... credentials) {
        ConnectRequest.Builder request = ConnectRequest.builder(target);
        for (String value : credentials) {
            request.field("Proxy-Authorization", value);
        }
        return request.build();
    }

    private static String basic(String password) {
        return Credentials.basic("bob", password).authorization();
    }

    private static final Authenticator BOB = Authenticator.basic("here", Credentials.basic("bob", "right"));

    private static Stream<Row> rows() {
        return Stream.of(
                new Row("the access policy refuses", 403, (to, target) -> to.accessPolicy(request -> false)),
                new Row("the address is denied", 403, (to, target) -> to.addressPolicy(AddressPolicy.publicOnly())),
                new Row("no credentials", 407, (to, target) -> to.authenticator(BOB)),
                new Row(
                        "wrong credentials",
                        407,
                        (to, target) -> to.authenticator(BOB),
                        target -> with(target, basic("wrong"))),
                new Row(
                        "several credentials",
                        400,
                        (to, target) -> to.authenticator(BOB),
                        target -> with(target, basic("right"), basic("right"))),
                new Row(
                        "the authenticator fails",
                        503,
                        (to, target) -> to.authenticator(Authenticator.basic("here", (user, password) -> {
                            throw new IllegalStateException("no database");
                        })),
                        target -> with(target, basic("right"))),
                new Row(
                        "the filter refuses",
                        451,
                        (to, target) -> to.requestFilter(request -> RequestDecision.refuse(451, "not here"))),
                new Row(
                        "the filter answers",
                        302,
                        (to, target) -> to.requestFilter(request -> RequestDecision.answer(LocalResponse.builder(302)
                                .field("Location", "http://portal.example/")
                                .field("Date", "Mon, 30 Nov 2026 00:00:00 GMT")
                                .build()))),
                new Row(
                        "the filter is late",
                        503,
                        (to, target) -> to.filterTimeout(Duration.ofMillis(30)).blockingRequestFilter(request -> {
                            LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
                            return RequestDecision.pass();
                        })),
                new Row("the target refuses", 502, (to, target) -> {}),
                new Row("no such name", 502, (to, target) -> to.dialer(failing(true))),
                new Row("the dialer breaks its contract", 500, (to, target) -> to.dialer(failing(false))),
                new Row(
                        "the credentials are right, and the target refuses",
                        502,
                        (to, target) -> to.authenticator(BOB),
                        target -> with(target, basic("right"))));
    }

    /** Fails because of the target, or by itself. */
    private static Dialer failing(boolean contract) {
        return request -> {
            if (contract) {
                throw DialException.builder(DialException.Reason.RESOLVE, request.target())
                        .build();
            }
            throw new IllegalStateException("broken");
        };
    }

    /** What remains of a client that was refused. */
    private record Remains(String message, List<String> events, List<String> log, List<Long> counts) {}

    @ParameterizedTest
    @MethodSource("rows")
    void aRefusalIsThatOfAClientThatIsHandedOver(Row row) throws Exception {
        Remains handedOver = play(row, (proxy, request) -> {
            try (Client client = Client.Form.CHANNEL.serve(proxy.handler(), request)) {
                String message = client.peer().readAll();
                client.peer().close();
                client.tunnel().join();
                return message;
            }
        });

        Remains opened = play(row, (proxy, request) -> {
            ConnectResponse response = open(proxy, request);
            assertThat(response.status()).isEqualTo(row.status);
            assertThat(response.isOpen()).isFalse();
            response.close();
            return text(response.message());
        });

        assertThat(opened).isEqualTo(handedOver);
        assertThat(opened.message()).startsWith("HTTP/1.1 " + row.status + " ");
    }

    /** Plays with a handler of the row. */
    private interface Play {
        String play(Proxy proxy, ConnectRequest request) throws Exception;
    }

    private static Remains play(Row row, Play play) throws Exception {
        Events events = new Events();
        try (CapturedLog log = CapturedLog.startWithAccess();
                Proxy proxy = Proxy.start(builder -> {
                    row.settings.accept(builder, REFUSING);
                    builder.listener(events);
                })) {
            String message = play.play(proxy, row.request.apply(REFUSING));
            List<String> all = events.untilClosed();
            await().until(() -> !log.lines("kind=").isEmpty());
            List<String> lines = log.lines("kind=").stream()
                    .map(line -> line.substring(line.indexOf("kind="))
                            .replaceAll("client=[^ ]+", "client=C")
                            .replaceAll("ms=\\d+", "ms=N"))
                    .toList();
            return new Remains(message, all, lines, counts(proxy.handler().stats()));
        }
    }

    private static List<Long> counts(ProxyStats stats) {
        return List.of(
                stats.openConnections(),
                stats.totalConnections(),
                stats.openTunnels(),
                stats.establishedTunnels(),
                stats.refused(),
                stats.dialFailures(),
                stats.bytesToOrigin(),
                stats.bytesToClient());
    }

    private static ConnectResponse open(Proxy proxy, ConnectRequest request) throws Exception {
        return proxy.handler().open(request, CLIENT).get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private static String text(ByteBuffer bytes) {
        return ISO_8859_1.decode(bytes).toString();
    }

    @Test
    void theFieldsAreThoseOfTheMessageButForItsFraming() throws Exception {
        try (Proxy proxy = Proxy.start(builder -> builder.authenticator(BOB))) {
            ConnectResponse response = open(proxy, ConnectRequest.to(REFUSING));

            assertThat(response.fields())
                    .containsExactly(
                            new ConnectRequest.Field("Proxy-Status", "Broxy; error=http_request_denied"),
                            new ConnectRequest.Field("Content-Type", "text/plain"),
                            new ConnectRequest.Field("Proxy-Authenticate", "Basic realm=\"here\", charset=\"UTF-8\""));
            assertThat(text(response.body())).isEqualTo("407 the proxy needs valid credentials\n");
            assertThat(text(response.message())).endsWith("\r\n\r\n" + text(response.body()));
            assertThat(response).hasToString("ConnectResponse[407]");
        }
    }

    @Test
    void aTargetThatDoesNotAnswerInTimeIs504() throws Exception {
        try (BlackHole hole = BlackHole.open();
                Proxy proxy = Proxy.start(builder -> builder.dialTimeout(Duration.ofMillis(50)))) {
            ConnectResponse response = open(proxy, ConnectRequest.to(hole.target()));

            assertThat(response.status()).isEqualTo(504);
            assertThat(response.fields())
                    .contains(new ConnectRequest.Field("Proxy-Status", "Broxy; error=connection_timeout"));
        }
    }

    @Test
    void eachLimitOfConnectionsIs503UntilAPlaceIsFree() throws Exception {
        for (boolean ofClient : new boolean[] {false, true}) {
            try (BlackHole hole = BlackHole.open();
                    Proxy proxy =
                            Proxy.start(builder -> limit(builder, ofClient).dialTimeout(Duration.ofMinutes(1)))) {
                ConnectRequest request = ConnectRequest.to(hole.target());
                CompletableFuture<ConnectResponse> first = proxy.handler().open(request, CLIENT);

                assertThat(open(proxy, request).status()).isEqualTo(503);
                assertThat(open(proxy, request).fields()).contains(new ConnectRequest.Field("Retry-After", "2"));

                assertThat(proxy.handler().stats().openConnections()).isEqualTo(1);
                first.cancel(true);
                await().until(() -> proxy.handler().stats().openConnections() == 0);
                assertThat(open(proxy, ConnectRequest.to(REFUSING)).status()).isEqualTo(502);
            }
        }
    }

    private static ProxyHandler.Builder limit(ProxyHandler.Builder builder, boolean ofClient) {
        return ofClient ? builder.maxConnectionsPerClient(1) : builder.maxConnections(1);
    }

    @Test
    void passwordGuessesOfOneNetworkAreThrottled() throws Exception {
        try (Proxy proxy = Proxy.start(builder -> builder.authenticator(BOB))) {
            List<CompletableFuture<ConnectResponse>> guesses = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                guesses.add(proxy.handler().open(with(REFUSING, basic("guess " + i)), CLIENT));
            }

            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> guesses.stream()
                            .anyMatch(guess -> guess.isDone() && guess.join().status() == 429));
            InetSocketAddress neighbour = new InetSocketAddress("192.0.2.1", 1);
            assertThat(proxy.handler()
                            .open(with(REFUSING, basic("right")), neighbour)
                            .get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                            .status())
                    .isEqualTo(502);
            guesses.forEach(guess -> guess.cancel(true));
            await().until(() -> proxy.handler().stats().openConnections() == 0);
        }
    }

    @Test
    void aHandlerThatDrainsOrIsClosedGives503() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            assertThat(proxy.handler().drain(Duration.ZERO)).isTrue();
            assertThat(text(open(proxy, ConnectRequest.to(REFUSING)).message()))
                    .contains("503 the proxy takes no new tunnels");

            proxy.handler().close();
            assertThat(open(proxy, ConnectRequest.to(REFUSING)).status()).isEqualTo(503);

            proxy.broxy().close();
            assertThat(open(proxy, ConnectRequest.to(REFUSING)).status()).isEqualTo(503);
            assertThat(proxy.handler().stats().openConnections()).isZero();
        }
    }

    @Test
    void aDialThatTheHandlersCloseOrDrainEndsIs503() throws Exception {
        for (boolean close : new boolean[] {true, false}) {
            try (BlackHole hole = BlackHole.open();
                    Proxy proxy = Proxy.start(builder -> builder.dialTimeout(Duration.ofMinutes(1)))) {
                CompletableFuture<ConnectResponse> response =
                        proxy.handler().open(ConnectRequest.to(hole.target()), CLIENT);
                await().until(() -> proxy.handler().stats().openTunnels() == 1);

                if (close) {
                    proxy.handler().close();
                } else {
                    assertThat(proxy.handler().drain(Duration.ofMillis(1))).isFalse();
                }

                assertThat(response.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                                .status())
                        .isEqualTo(503);
                await().until(() -> proxy.handler().stats().openConnections() == 0);
            }
        }
    }

    @Test
    void policiesSeeTheAddressThatTheHostServerNames() throws Exception {
        List<InetAddress> seen = new ArrayList<>();
        try (Proxy proxy = Proxy.start(builder -> builder.accessPolicy(request -> {
            seen.add(request.client());
            return false;
        }))) {
            assertThat(open(proxy, ConnectRequest.to(REFUSING)).status()).isEqualTo(403);
            assertThat(seen).containsExactly(CLIENT.getAddress());
        }
    }

    @Test
    void anUnresolvedAddressIsMisuse() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            assertThatThrownBy(() -> proxy.handler()
                            .open(ConnectRequest.to(REFUSING), InetSocketAddress.createUnresolved("client.example", 1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("not resolved");
            assertThat(proxy.handler().stats().totalConnections()).isZero();
        }
    }

    @Test
    void aRefusalCannotBeRelayed() throws Exception {
        try (Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            ConnectResponse response = open(proxy, ConnectRequest.to(REFUSING));
            Connection client = proxy.broxy().asConnection(accepted.end());

            assertThatThrownBy(() -> response.relay(client))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("502");

            client.write(response.message());
            client.close();
            assertThat(accepted.client().readAll()).isEqualTo(text(response.message()));
        }
    }
}
