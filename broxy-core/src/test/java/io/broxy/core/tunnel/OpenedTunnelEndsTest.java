package io.broxy.core.tunnel;

import static io.broxy.core.tunnel.HostServer.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectResponse;
import io.broxy.Tunnel;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.tunnel.HostServer.Kind;
import io.broxy.core.tunnel.HostServer.Pair;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how tunnels end that a host server has opened and not relayed yet. */
@ExtendWith(LeakCheck.class)
class OpenedTunnelEndsTest {
    @Test
    void cancelingTheFutureEndsTheDial() throws Exception {
        try (BlackHole hole = BlackHole.open();
                Proxy proxy = Proxy.start(builder -> builder.dialTimeout(Duration.ofMinutes(1)))) {
            CompletableFuture<ConnectResponse> response =
                    proxy.handler().open(ConnectRequest.to(hole.target()), CLIENT);
            await().until(() -> proxy.handler().stats().openTunnels() == 1);

            response.cancel(true);

            await().until(() -> proxy.handler().stats().openConnections() == 0);
            assertThat(proxy.handler().stats().openTunnels()).isZero();
            assertThat(proxy.handler().stats().dialFailures()).isZero();
        }
    }

    @Test
    void aResponseThatComesAfterTheCancelIsClosed() throws Exception {
        try (Origin origin = Origin.discard();
                Proxy proxy = Proxy.start()) {
            for (int i = 0; i < 50; i++) {
                CompletableFuture<ConnectResponse> response =
                        proxy.handler().open(ConnectRequest.to(origin.target()), CLIENT);
                try {
                    response.get(20L * i, TimeUnit.MICROSECONDS).close();
                } catch (TimeoutException e) {
                    if (!response.cancel(true)) {
                        response.join().close();
                    }
                }
            }
            await().until(() -> proxy.handler().stats().openConnections() == 0);
            await().until(() -> origin.open() == 0);
            assertThat(proxy.handler().stats().openTunnels()).isZero();
        }
    }

    @Test
    void aDrainWaitsForATunnelThatIsToBeRelayed() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Pair pair = Kind.CHANNEL.come(proxy)) {
            ConnectResponse response = HostServer.open(proxy, origin.target());
            CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(() -> {
                try {
                    return proxy.handler().drain(Duration.ofMillis(Peer.PATIENCE_MILLIS));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            await().until(() -> proxy.handler()
                            .open(ConnectRequest.to(origin.target()), CLIENT)
                            .get()
                            .status()
                    == 503);

            Tunnel tunnel = response.relay(pair.end());

            pair.client().send("relayed").shutdownOutput();
            assertThat(pair.client().readAll()).isEqualTo("relayed");
            Ends.assertEnded(tunnel.join(), CloseReason.FINISHED);
            assertThat(drained.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        }
    }

    @Test
    void closingTheHandlerOrTheEngineFreesATunnelThatIsToBeRelayed() throws Exception {
        for (boolean engine : new boolean[] {true, false}) {
            try (Origin origin = Origin.discard();
                    Proxy proxy = Proxy.start();
                    Pair pair = Kind.CHANNEL.come(proxy)) {
                ConnectResponse response = HostServer.open(proxy, origin.target());

                if (engine) {
                    proxy.broxy().close();
                } else {
                    proxy.handler().close();
                }

                await().until(() -> origin.accepted() == 1 && origin.open() == 0);
                Tunnel tunnel = response.relay(pair.end());
                Ends.assertEnded(tunnel.join(), CloseReason.CLOSED);
                pair.client().expectReset();
            }
        }
    }
}
