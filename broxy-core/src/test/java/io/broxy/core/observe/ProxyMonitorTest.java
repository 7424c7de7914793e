package io.broxy.core.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyMonitor;
import io.broxy.core.ProxyMonitor.Order;
import io.broxy.core.ProxyMonitor.Sample;
import io.broxy.core.ProxyMonitor.Usage;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies a monitor of a running proxy: its figures are those of the clients, and it ends with its engine. */
@ExtendWith(LeakCheck.class)
class ProxyMonitorTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    @Test
    void theFiguresAreThoseOfTheClients() throws Exception {
        AtomicReference<@Nullable ProxyMonitor> created = new AtomicReference<>();
        Events own = new Events();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start((broxy, settings) -> {
                    ProxyMonitor monitor = ProxyMonitor.of(broxy);
                    created.set(monitor);
                    settings.listener(monitor.listener().and(own));
                });
                Peer client = proxy.connect(origin.target())) {
            ProxyMonitor monitor = Objects.requireNonNull(created.get());
            assertThat(monitor.latest()).isNull();
            monitor.watch(proxy.handler());
            client.send("hello").readText(5);

            String target = origin.target().toString();
            await().atMost(PATIENCE)
                    .until(() -> monitor.topTargets(5, Order.BYTES).usages().contains(new Usage(target, 1, 5, 5)));
            assertThat(monitor.tunnels()).singleElement().satisfies(rate -> {
                assertThat(rate.tunnel().target()).isEqualTo(origin.target());
                assertThat(rate.tunnel().number()).isPositive();
            });
            Sample last = Objects.requireNonNull(monitor.latest());
            assertThat(last.openTunnels()).isEqualTo(1);
            assertThat(last.busiestLoop()).isBetween(0.0, 1.0);
            assertThat(last.duration()).isPositive();

            client.close();
            own.untilClosed();
            await().atMost(PATIENCE).until(() -> monitor.tunnels().isEmpty());
            assertThat(monitor.topTargets(5, Order.REQUESTS).usages()).containsExactly(new Usage(target, 1, 5, 5));
        }
        ProxyMonitor monitor = Objects.requireNonNull(created.get());
        int samples = monitor.samples().size();
        assertThat(samples).as("what was seen stays").isPositive();
        monitor.close();
        assertThat(monitor.samples()).hasSize(samples);
    }

    @Test
    void aHandlerThatIsClosedIsFollowedFurther() throws Exception {
        try (Broxy broxy = Broxy.create();
                ProxyMonitor monitor = ProxyMonitor.of(broxy)) {
            ProxyHandler handler =
                    broxy.proxyHandler().listener(monitor.listener()).build();
            monitor.watch(handler);
            handler.close();
            await().atMost(PATIENCE).until(() -> monitor.samples().size() >= 2);
            assertThat(monitor.latest())
                    .isNotNull()
                    .extracting(Sample::openConnections)
                    .isEqualTo(0L);
        }
    }

    @Test
    void theEngineClosesItsMonitors() {
        Broxy broxy = Broxy.create();
        ProxyMonitor monitor = ProxyMonitor.of(broxy);
        ProxyHandler handler = broxy.proxyHandler().build();
        monitor.watch(handler);
        assertThatIllegalStateException().isThrownBy(() -> monitor.watch(handler));
        broxy.close(); // the leak check finds the thread otherwise

        assertThatIllegalStateException().isThrownBy(() -> ProxyMonitor.of(broxy));
    }

    @Test
    void aClosedMonitorWatchesNothing() {
        try (Broxy broxy = Broxy.create()) {
            ProxyMonitor monitor = ProxyMonitor.of(broxy);
            monitor.close();
            monitor.close();
            ProxyHandler handler = broxy.proxyHandler().build();
            assertThatIllegalStateException().isThrownBy(() -> monitor.watch(handler));
            assertThatIllegalStateException().isThrownBy(monitor::dialTimes);
        }
    }
}
