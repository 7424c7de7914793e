package io.broxy.core.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.ActiveTunnel;
import io.broxy.ConnectionResult;
import io.broxy.DialResult;
import io.broxy.ExchangeResult;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.RequestDecision;
import io.broxy.RequestId;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies by what listeners, filters and active tunnels name the same request, and the times that listeners get. */
@ExtendWith(LeakCheck.class)
class RequestIdsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    /** What a listener was notified of. Threading: immutable. */
    private record Event(String name, ProxyListener.Request request, Instant end) {}

    private final List<Event> events = new CopyOnWriteArrayList<>();
    private final List<DialResult> dials = new CopyOnWriteArrayList<>();
    private final List<RequestId> filtered = new CopyOnWriteArrayList<>();
    private final List<ProxyListener.Client> closed = new CopyOnWriteArrayList<>();

    private final ProxyListener listener = new ProxyListener() {
        private void note(String name, Request request, Instant end) {
            events.add(new Event(name, request, end));
        }

        @Override
        public void requestRefused(Request request, RefusedException refusal) {
            note("refused", request, request.start());
        }

        @Override
        public void dialSucceeded(Request request, DialResult result) {
            dials.add(result);
            note("dialed", request, result.start().plus(result.duration()));
        }

        @Override
        public void tunnelEstablished(Request request) {
            note("established", request, request.start());
        }

        @Override
        public void tunnelEnded(Request request, TunnelResult result) {
            note("tunnel", request, request.client().start().plus(result.duration()));
        }

        @Override
        public void exchangeEnded(Request request, ExchangeResult result) {
            note("exchange", request, request.start().plus(result.duration()));
        }

        @Override
        public void connectionClosed(Client client, ConnectionResult result) {
            closed.add(client);
        }
    };

    private List<String> names() {
        return events.stream()
                .map(event -> event.name() + " " + event.request().id().request())
                .toList();
    }

    private static InetSocketAddress address(Origin origin) {
        return new InetSocketAddress(origin.target().address(), origin.target().port());
    }

    private Proxy proxy() throws Exception {
        return Proxy.start(settings -> settings.listener(listener).requestFilter(request -> {
            filtered.add(request.id());
            return RequestDecision.pass();
        }));
    }

    @Test
    void theRequestsOfAConnectionAreCountedAndTheirTimesFitTogether() throws Exception {
        Instant before = Instant.now().minusMillis(1);
        try (Origin web = Http.echo();
                Origin echo = Origin.echo();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            for (int i = 0; i < 2; i++) {
                client.send(Http.get(web.target(), "/"));
                Http.read(client);
            }
            client.send(Proxy.connectHead(echo.target())).readHead();
            client.send("hello").readText(5);
            ActiveTunnel active = proxy.handler().activeTunnels().get(0);
            client.close();
            await().atMost(PATIENCE).until(() -> closed.size() == 1);

            assertThat(names())
                    .containsExactly("dialed 1", "exchange 1", "exchange 2", "dialed 3", "established 3", "tunnel 3");
            assertThat(filtered)
                    .containsExactlyElementsOf(List.of(
                            events.get(0).request().id(),
                            events.get(2).request().id(),
                            events.get(5).request().id()));
            long number = closed.get(0).number();
            assertThat(filtered).extracting(RequestId::connection).containsOnly(number);
            assertThat(filtered.get(2)).hasToString(number + "-3");
            assertThat(active.number()).isEqualTo(number);
            assertThat(active.peer()).isEqualTo(address(echo));
            assertThat(dials.get(0).peer()).isEqualTo(address(web));
            assertThat(dials.get(1).peer()).isEqualTo(address(echo));

            Instant last = closed.get(0).start();
            assertThat(last).isBetween(before, Instant.now());
            for (Event event : events) {
                Instant start = event.request().start();
                assertThat(start).as(event.name()).isAfterOrEqualTo(last);
                assertThat(event.end())
                        .as(event.name())
                        .isBetween(start, Instant.now().plusMillis(1));
                last = start;
            }
            assertThat(dials.get(1).start())
                    .isBetween(events.get(3).request().start(), events.get(5).end());
        }
    }

    @Test
    void aRequestWithoutAHeadHasAnIdToo() throws Exception {
        try (Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send("nonsense\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 400 ");
            await().atMost(PATIENCE).until(() -> !events.isEmpty());
            ProxyListener.Request request = events.get(0).request();
            assertThat(names()).containsExactly("refused 1");
            assertThat(request.id().connection()).isEqualTo(request.client().number());
            assertThat(request.start()).isAfterOrEqualTo(request.client().start());
        }
    }

    @Test
    void laterConnectionsHaveHigherNumbers() throws Exception {
        try (Origin echo = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer first = proxy.connect(echo.target());
                Peer second = proxy.connect(echo.target())) {
            first.send("a").readText(1);
            second.send("b").readText(1);
            List<ActiveTunnel> active = proxy.handler().activeTunnels();
            assertThat(active).hasSize(2);
            assertThat(active.get(1).number()).isGreaterThan(active.get(0).number());
            assertThat(active.get(0).client()).isEqualTo(first.socket().getLocalSocketAddress());
        }
    }
}
