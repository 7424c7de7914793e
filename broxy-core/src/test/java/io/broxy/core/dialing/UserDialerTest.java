package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.TunnelResult;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Client.Form;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.ForeignConnection;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies how a handler uses a dialer that its user wrote, and how it survives that dialer's mistakes. */
@ExtendWith(LeakCheck.class)
class UserDialerTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    /** Short, and long enough for a thread to start and to call the dialer on a busy machine. */
    private static final Duration DIAL_TIMEOUT = Duration.ofMillis(500);

    private static final HostPort SOMEWHERE = HostPort.of("somewhere.example", 443);

    private static Connection open(Origin origin, Broxy broxy) throws IOException {
        return broxy.asConnection(SocketChannel.open(origin.address()));
    }

    private static DialException failure(DialException.Reason reason, IOException cause) {
        return new DialException(reason, SOMEWHERE, Duration.ZERO, List.of(), cause);
    }

    /** Like a dialer that opens sockets by itself. */
    private static Dialer dialing(AtomicReference<Connection> next) {
        return request -> {
            Connection connection = next.get();
            if (connection == null) {
                throw failure(DialException.Reason.UNREACHABLE, new IOException("nothing to give"));
            }
            return connection;
        };
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aConnectionOverAChannelIsRelayed(Form form) throws Exception {
        AtomicReference<Connection> next = new AtomicReference<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.dialer(dialing(next)))) {
            next.set(open(origin, proxy.broxy()));
            try (Client client = form.ask(proxy.handler(), SOMEWHERE)) {
                assertThat(client.peer().readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
                assertThat(client.peer().send("over a channel").readText(14)).isEqualTo("over a channel");
                client.peer().shutdownOutput().expectEnd();

                Ends.assertEnded(client.tunnel().join(), CloseReason.FINISHED);
                assertThat(client.tunnel().bytesToOrigin()).isEqualTo(14);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aConnectionOverASocketIsRelayed(Form form) throws Exception {
        AtomicReference<Connection> next = new AtomicReference<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.dialer(dialing(next)))) {
            next.set(proxy.broxy().asConnection(new Socket(InetAddress.getLoopbackAddress(), origin.port())));
            try (Client client = form.come(proxy.handler())) {
                client.peer().send(Proxy.connectHead(SOMEWHERE) + "early");
                assertThat(client.peer().readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
                assertThat(client.peer().send(" and late").readText(14)).isEqualTo("early and late");
                client.peer().shutdownOutput().expectEnd();

                Ends.assertEnded(client.tunnel().join(), CloseReason.FINISHED);
                assertThat(client.tunnel().bytesToOrigin()).isEqualTo(14);
                assertThat(client.tunnel().bytesToClient()).isEqualTo(14);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aConnectionOfAForeignClassIsRelayedByThreads(Form form) throws Exception {
        AtomicReference<Connection> next = new AtomicReference<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.dialer(dialing(next)))) {
            ForeignConnection foreign = ForeignConnection.over(open(origin, proxy.broxy()));
            next.set(foreign);
            try (Client client = form.come(proxy.handler())) {
                client.peer().send(Proxy.connectHead(SOMEWHERE) + "early");
                assertThat(client.peer().readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
                assertThat(client.peer().send(" and late").readText(14)).isEqualTo("early and late");
                client.peer().shutdownOutput().expectEnd();

                Ends.assertEnded(client.tunnel().join(), CloseReason.FINISHED);
                assertThat(foreign.isOpen()).isFalse();
                assertThat(foreign.callers())
                        .allSatisfy(name -> assertThat(name).doesNotContain("loop"));
            }
        }
    }

    @Test
    void aForeignConnectionBeyondTheCapOfThreadsIsClosedAndTheClientRefused() throws Exception {
        AtomicReference<Connection> next = new AtomicReference<>();
        try (Origin origin = Origin.echo();
                Proxy proxy =
                        Proxy.start(settings -> settings.dialer(dialing(next)).maxStreamClients(1))) {
            next.set(ForeignConnection.over(open(origin, proxy.broxy())));
            try (Client first = Form.CHANNEL.ask(proxy.handler(), SOMEWHERE)) {
                assertThat(first.peer().readHead()).startsWith("HTTP/1.1 200 ");
                ForeignConnection second = ForeignConnection.over(open(origin, proxy.broxy()));
                next.set(second);
                try (Client refused = Form.CHANNEL.ask(proxy.handler(), SOMEWHERE)) {
                    assertThat(refused.peer().readAll()).startsWith("HTTP/1.1 503 ");
                }
                await().atMost(PATIENCE).until(() -> !second.isOpen());
                assertThat(second.callers()).allSatisfy(name -> assertThat(name).doesNotContain("loop"));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aDialExceptionDecidesTheAnswer(Form form) throws Exception {
        Dialer denying = request -> {
            throw failure(DialException.Reason.DENIED, new IOException("a secret of the network"));
        };
        try (Proxy proxy = Proxy.start(settings -> settings.dialer(denying));
                Client client = form.ask(proxy.handler(), SOMEWHERE)) {
            assertThat(client.peer().readAll())
                    .startsWith("HTTP/1.1 403 Forbidden\r\n")
                    .doesNotContain("secret");
            client.close();

            Ends.assertDialFailed(client.tunnel().join(), DialException.Reason.DENIED);
            assertThat(proxy.handler().stats().dialFailures()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aRuntimeExceptionIsAnsweredWith500AndTellsNothing(Form form) throws Exception {
        Dialer broken = request -> {
            throw new IllegalArgumentException("a secret of the network");
        };
        assertBroken(form, broken, IllegalArgumentException.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void anErrorIsAnsweredWith500(Form form) throws Exception {
        Dialer broken = request -> {
            throw new StackOverflowError();
        };
        assertBroken(form, broken, StackOverflowError.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    @SuppressWarnings("NullAway") // that it breaks the contract is the point
    void nullForAConnectionIsAnsweredWith500(Form form) throws Exception {
        assertBroken(form, request -> null, NullPointerException.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    @SuppressWarnings("NullAway") // that it breaks the contract is the point
    void nullForAFutureIsAnsweredWith500(Form form) throws Exception {
        assertBroken(form, new AsyncDialer(null), NullPointerException.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    @SuppressWarnings("NullAway") // that it breaks the contract is the point
    void aFutureOfNullIsAnsweredWith500(Form form) throws Exception {
        assertBroken(form, new AsyncDialer(CompletableFuture.completedFuture(null)), NullPointerException.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aConnectionThatIsClosedAlreadyIsAnsweredWith500(Form form) throws Exception {
        AtomicReference<Connection> next = new AtomicReference<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.dialer(dialing(next)))) {
            Connection closed = open(origin, proxy.broxy());
            closed.close();
            for (Connection connection : List.of(closed, ForeignConnection.over(closed))) {
                next.set(connection);
                try (Client client = form.ask(proxy.handler(), SOMEWHERE)) {
                    assertThat(client.peer().readAll()).startsWith("HTTP/1.1 500 ");
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aConnectionThatIsGivenTwiceServesOneTunnelOnly(Form form) throws Exception {
        AtomicReference<Connection> next = new AtomicReference<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.dialer(dialing(next)))) {
            for (Connection connection : List.of(
                    open(origin, proxy.broxy()),
                    proxy.broxy().asConnection(new Socket(InetAddress.getLoopbackAddress(), origin.port())))) {
                next.set(connection);
                try (Client first = form.ask(proxy.handler(), SOMEWHERE)) {
                    assertThat(first.peer().readHead()).startsWith("HTTP/1.1 200 ");
                    try (Client second = form.ask(proxy.handler(), SOMEWHERE)) {
                        assertThat(second.peer().readAll()).startsWith("HTTP/1.1 500 ");
                    }
                    assertThat(first.peer().send("unharmed").readText(8)).isEqualTo("unharmed");
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aDialerThatNeverEndsIsAnsweredWith504AndInterrupted(Form form) throws Exception {
        CountDownLatch interrupted = new CountDownLatch(1);
        Dialer stuck = request -> {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            throw failure(DialException.Reason.CANCELLED, new IOException("interrupted"));
        };
        try (Proxy proxy = Proxy.start(settings -> settings.dialer(stuck).dialTimeout(DIAL_TIMEOUT));
                Client client = form.ask(proxy.handler(), SOMEWHERE)) {
            assertThat(client.peer().readAll())
                    .startsWith("HTTP/1.1 504 Gateway Timeout\r\n")
                    .contains("\r\nProxy-Status: Broxy; error=connection_timeout\r\n");
            client.close();

            Ends.assertDialFailed(client.tunnel().join(), DialException.Reason.TIMEOUT);
            assertThat(interrupted.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
        }
    }

    @Test
    void moreStuckDialersThanThereAreThreadsAreAllInterrupted() throws Exception {
        int many = 150;
        CountDownLatch interrupted = new CountDownLatch(many);
        Dialer stuck = request -> {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            throw failure(DialException.Reason.CANCELLED, new IOException("interrupted"));
        };
        try (Proxy proxy = Proxy.start(settings -> settings.dialer(stuck).dialTimeout(DIAL_TIMEOUT))) {
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                clients.add(Form.CHANNEL.ask(proxy.handler(), SOMEWHERE));
            }
            for (Client client : clients) {
                assertThat(client.peer().readAll()).startsWith("HTTP/1.1 504 ");
                client.close();
            }
            for (Client client : clients) {
                assertThat(client.tunnel().join().reason()).isEqualTo(CloseReason.DIAL_FAILED);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aConnectionThatComesTooLateIsClosed(Form form) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CompletableFuture<Connection> given = new CompletableFuture<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(
                        settings -> settings.dialTimeout(DIAL_TIMEOUT).dialer(request -> {
                            awaitUninterruptibly(release);
                            return given.join();
                        }));
                Client client = form.ask(proxy.handler(), SOMEWHERE)) {
            given.complete(open(origin, proxy.broxy()));
            assertThat(client.peer().readAll()).startsWith("HTTP/1.1 504 ");

            release.countDown();

            await().atMost(PATIENCE).until(() -> !given.join().isOpen());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void closingTheTunnelInterruptsTheDialer(Form form) throws Exception {
        CountDownLatch dialing = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        Dialer stuck = request -> {
            dialing.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            throw failure(DialException.Reason.CANCELLED, new IOException("interrupted"));
        };
        try (Proxy proxy = Proxy.start(settings -> settings.dialer(stuck));
                Client client = form.ask(proxy.handler(), SOMEWHERE)) {
            dialing.await();

            client.tunnel().close();

            Ends.assertEnded(client.tunnel().join(), CloseReason.CLOSED);
            client.peer().expectReset();
            assertThat(interrupted.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
        }
    }

    @Test
    void theDialerReceivesTargetTimeoutAndPolicy() throws Exception {
        CompletableFuture<DialRequest> seen = new CompletableFuture<>();
        Dialer asking = request -> {
            seen.complete(request);
            throw failure(DialException.Reason.UNREACHABLE, new IOException("that is all"));
        };
        try (Proxy proxy = Proxy.start(settings -> settings.dialer(asking)
                        .addressPolicy(address -> address.isLoopbackAddress())
                        .dialTimeout(Duration.ofSeconds(7)));
                Client client = Form.CHANNEL.ask(proxy.handler(), SOMEWHERE)) {
            assertThat(client.peer().readAll()).startsWith("HTTP/1.1 502 ");

            assertThat(seen.join().target()).isEqualTo(SOMEWHERE);
            assertThat(seen.join().timeout()).isEqualTo(Duration.ofSeconds(7));
            assertThat(seen.join().addressPolicy().admits(InetAddress.getLoopbackAddress()))
                    .isTrue();
            assertThat(seen.join().addressPolicy().admits(InetAddress.getByName("192.0.2.1")))
                    .isFalse();
        }
    }

    private static void assertBroken(Form form, Dialer dialer, Class<? extends Throwable> cause) throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.dialer(dialer));
                Client client = form.ask(proxy.handler(), SOMEWHERE)) {
            assertThat(client.peer().readAll())
                    .startsWith("HTTP/1.1 500 Internal Server Error\r\n")
                    .contains("\r\nProxy-Status: Broxy; error=proxy_internal_error\r\n")
                    .contains("\r\nConnection: close\r\n")
                    .endsWith("\r\n\r\n500 the proxy failed\n");
            client.close();

            TunnelResult result = client.tunnel().join();
            assertThat(result.reason()).isEqualTo(CloseReason.FAILED);
            assertThat(result.cause()).isInstanceOf(cause);
            assertThat(result.target()).isEqualTo(SOMEWHERE);
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        boolean done = false;
        while (!done) {
            try {
                done = latch.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                // as a dialer does that ignores being cancelled
            }
        }
    }

    /** Has a future ready. */
    private record AsyncDialer(CompletableFuture<Connection> future) implements Dialer {
        @Override
        public Connection dial(DialRequest request) {
            throw new AssertionError("only dialAsync is called");
        }

        @Override
        public CompletableFuture<Connection> dialAsync(DialRequest request, Executor executor) {
            return future;
        }
    }
}
