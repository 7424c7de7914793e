package io.broxy.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.RefusedException;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Client.Form;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies that a drain refuses new requests, waits for running tunnels, and resets what outlasts the grace time. */
@ExtendWith(LeakCheck.class)
class DrainTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private static FutureTask<Boolean> drainInBackground(ProxyHandler handler, Duration grace) {
        FutureTask<Boolean> drain = new FutureTask<>(() -> handler.drain(grace));
        Thread thread = new Thread(drain, "draining");
        thread.setDaemon(true);
        thread.start();
        return drain;
    }

    /** Asks until it is refused, for a drain begins when its thread does. */
    private static String askUntilRefused(Form form, ProxyHandler handler, HostPort target) {
        return await().atMost(PATIENCE)
                .until(
                        () -> {
                            try (Client client = form.ask(handler, target)) {
                                return client.peer().readHead();
                            }
                        },
                        answer -> !answer.startsWith("HTTP/1.1 200 "));
    }

    @Test
    void withoutTunnelsItIsOverAtOnce() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            assertThat(proxy.handler().drain(Duration.ofDays(1))).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void newRequestsAreRefusedWhileRunningTunnelsGoOn(Form form) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Client running = form.ask(proxy.handler(), origin.target())) {
            running.peer().readHead();
            FutureTask<Boolean> drain = drainInBackground(proxy.handler(), PATIENCE);

            assertThat(askUntilRefused(form, proxy.handler(), origin.target()))
                    .startsWith("HTTP/1.1 503 Service Unavailable\r\n")
                    .contains("Proxy-Status: Broxy; error=proxy_internal_error\r\n");
            assertThat(running.peer().send("still here").readText(10)).isEqualTo("still here");
            assertThat(drain.isDone()).isFalse();
            running.peer().shutdownOutput().expectEnd();

            assertThat(drain.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            Ends.assertEnded(running.tunnel().join(), CloseReason.FINISHED);
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 0);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void whatStillRunsAfterTheGraceTimeIsReset(Form form) throws Exception {
        CompletableFuture<Peer> atOrigin = new CompletableFuture<>();
        CountDownLatch over = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    atOrigin.complete(peer);
                    peer.expectReset();
                    over.countDown();
                });
                Proxy proxy = Proxy.start();
                Client client = form.ask(proxy.handler(), origin.target())) {
            client.peer().readHead();
            atOrigin.join();

            assertThat(proxy.handler().drain(Duration.ofMillis(10))).isFalse();

            client.peer().expectReset();
            assertThat(over.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            Ends.assertEnded(client.tunnel().join(), CloseReason.DRAINED);
            assertThat(proxy.handler().stats().openTunnels()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aDialThatIsInProgressIsWaitedForAndThenCancelled(Form form) throws Exception {
        CountDownLatch dialing = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        Dialer stuck = request -> {
            dialing.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            throw new IllegalStateException("interrupted");
        };
        try (Proxy proxy = Proxy.start(settings -> settings.dialer(stuck));
                Client client = form.ask(proxy.handler(), HostPort.of("somewhere.example", 1))) {
            dialing.await();

            assertThat(proxy.handler().drain(Duration.ofMillis(10))).isFalse();

            Ends.assertEnded(client.tunnel().join(), CloseReason.DRAINED);
            client.peer().expectReset();
            assertThat(interrupted.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aClientThatHasNotSentItsRequestIsNotWaitedFor(Form form) throws Exception {
        try (Proxy proxy = Proxy.start();
                Client silent = form.come(proxy.handler())) {
            silent.peer().send("CONNECT exa");

            assertThat(proxy.handler().drain(PATIENCE)).isTrue();

            silent.peer().expectReset();
            Ends.assertEnded(silent.tunnel().join(), CloseReason.DRAINED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aClientThatIsBeingRefusedMayReadItsAnswer(Form form) throws Exception {
        HostPort target = HostPort.of("127.0.0.1", 1);
        try (Proxy proxy = Proxy.start()) {
            proxy.handler().drain(Duration.ZERO);
            try (Client refused = form.ask(proxy.handler(), target)) {
                String head = refused.peer().readHead();

                proxy.handler().drain(Duration.ZERO);

                assertThat(head).startsWith("HTTP/1.1 503 ");
                assertThat(refused.peer().send("more").readAll()).isEqualTo("503 the proxy takes no new tunnels\n");
                refused.close();
                Ends.assertRefused(refused.tunnel().join(), RefusedException.Reason.DRAINING, 503);
                assertThat(refused.tunnel().join().target()).isEqualTo(target);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aDialThatHasFailedIsNotWaitedFor(Form form) throws Exception {
        Dialer broken = request -> {
            throw new IllegalStateException("broken");
        };
        try (Proxy proxy = Proxy.start(settings -> settings.dialer(broken));
                Client client = form.ask(proxy.handler(), HostPort.of("somewhere.example", 1))) {
            client.peer().readAll(); // the client's own side stays open, so the session lingers

            assertThat(proxy.handler().stats().openTunnels()).isZero();
            assertThat(proxy.handler().drain(Duration.ZERO)).isTrue();
        }
    }

    @Test
    void twoDrainsAtOnceBothWait() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.connect(origin.target())) {
            FutureTask<Boolean> one = drainInBackground(proxy.handler(), PATIENCE);
            FutureTask<Boolean> two = drainInBackground(proxy.handler(), PATIENCE);

            client.shutdownOutput().expectEnd();

            assertThat(one.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            assertThat(two.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        }
    }

    @Test
    void anInterruptedDrainLeavesTheHandlerDraining() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.connect(origin.target())) {
            Thread.currentThread().interrupt();

            assertThatThrownBy(() -> proxy.handler().drain(PATIENCE)).isInstanceOf(InterruptedException.class);

            assertThat(client.send("unharmed").readText(8)).isEqualTo("unharmed");
            try (Peer refused = proxy.client().send(Proxy.connectHead(origin.target()))) {
                assertThat(refused.readHead()).startsWith("HTTP/1.1 503 ");
            }
        }
    }

    @Test
    void aNegativeGraceTimeIsRefusedAndNothingDrains() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start()) {
            assertThatThrownBy(() -> proxy.handler().drain(Duration.ofNanos(-1)))
                    .isInstanceOf(IllegalArgumentException.class);

            proxy.connect(origin.target()).close();
        }
    }

    @Test
    void waitingOnAnEventLoopIsRefused() throws Exception {
        CompletableFuture<ProxyHandler> handler = new CompletableFuture<>();
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        try (Proxy proxy = Proxy.start(settings -> settings.addressPolicy(
                        address -> { // policies run on a loop
                            try {
                                handler.join().drain(Duration.ZERO);
                                thrown.complete(new AssertionError("it waited"));
                            } catch (InterruptedException | RuntimeException e) {
                                thrown.complete(e);
                            }
                            return false;
                        }));
                Peer client = proxy.client()) {
            handler.complete(proxy.handler());
            client.send(Proxy.connectHead(HostPort.of("127.0.0.1", 1))).readHead();

            assertThat(thrown.join()).isInstanceOf(IllegalStateException.class);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void closeResetsWhateverRunsAndWhateverComesLater(Form form) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Client running = form.ask(proxy.handler(), origin.target());
                Client silent = form.come(proxy.handler())) {
            running.peer().readHead();

            proxy.handler().close();
            proxy.handler().close();

            for (Client client : new Client[] {running, silent, form.come(proxy.handler())}) {
                client.peer().expectReset();
                Ends.assertEnded(client.tunnel().join(), CloseReason.CLOSED);
                client.close();
            }
            assertThat(proxy.handler().drain(PATIENCE)).isTrue();
            assertThat(proxy.handler().stats().openConnections()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void closingTheEngineEndsTunnelsInEveryPhase(Form form) throws Exception {
        CountDownLatch dialing = new CountDownLatch(1);
        HostPort nowhere = HostPort.of("nowhere.example", 1);
        Client[] clients = new Client[3];
        try (Origin origin = Origin.echo()) {
            try (Proxy proxy = Proxy.start((broxy, settings) -> {
                Dialer direct = broxy.directDialer().build();
                settings.dialer(request -> {
                    if (request.target().equals(nowhere)) {
                        dialing.countDown();
                        awaitForever();
                    }
                    return direct.dial(request);
                });
            })) {
                clients[0] = form.come(proxy.handler());
                clients[1] = form.ask(proxy.handler(), nowhere);
                clients[2] = form.ask(proxy.handler(), origin.target());
                clients[2].peer().readHead();
                dialing.await();
            }
            for (Client client : clients) {
                Ends.assertEnded(client.tunnel().join(), CloseReason.CLOSED);
                client.peer().expectReset();
                client.close();
            }
        }
    }

    @Test
    void aClientOfAClosedEngineIsClosed() throws Exception {
        Broxy broxy = Broxy.create();
        ProxyHandler handler = broxy.proxyHandler().build();
        broxy.close();
        for (Form form : new Form[] {Form.CHANNEL, Form.SOCKET}) {
            try (Client client = form.come(handler)) {
                Ends.assertEnded(client.tunnel().join(), CloseReason.CLOSED);
                assertEndOrReset(client.peer());
            }
        }
    }

    private static void assertEndOrReset(Peer peer) {
        try {
            peer.expectEnd();
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    private static void awaitForever() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
