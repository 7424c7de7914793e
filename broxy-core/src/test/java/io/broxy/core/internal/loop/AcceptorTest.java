package io.broxy.core.internal.loop;

import static io.broxy.core.internal.loop.LoopDriver.patiently;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how connections are accepted, with real sockets; {@link AcceptorPauseTest} has the failures. */
@ExtendWith(LeakCheck.class)
class AcceptorTest {
    private final AtomicLong turns = new AtomicLong();
    private final LoopDriver driver = new LoopDriver(turns::incrementAndGet); // so each turn has a time of its own
    private final EventLoop loop = driver.loop();
    private final HeldPort held = HeldPort.open();
    private final ServerSocketChannel server = ServerSocketChannel.open().bind(held.address(), 200);
    private final CopyOnWriteArrayList<SocketChannel> accepted = new CopyOnWriteArrayList<>();
    private final AtomicInteger closed = new AtomicInteger();

    AcceptorTest() throws IOException {
        server.configureBlocking(false);
    }

    @AfterEach
    void stop() throws IOException {
        driver.close();
        server.close();
        held.close();
        for (SocketChannel client : accepted) {
            client.close();
        }
    }

    private ChannelAcceptor acceptor(Consumer<SocketChannel> consumer) {
        return acceptor(consumer, ChannelAcceptor.AtClose.CLOSE);
    }

    private ChannelAcceptor acceptor(Consumer<SocketChannel> consumer, ChannelAcceptor.AtClose atClose) {
        return new ChannelAcceptor(loop, server, consumer, atClose, closed::incrementAndGet);
    }

    private Peer connect() throws IOException {
        return Peer.connect(held.port());
    }

    @Test
    void clientsThatWaitInTheQueueAtTheCloseHaveComeInTime() throws Exception {
        ChannelAcceptor acceptor = acceptor(accepted::add);
        loop.execute(acceptor::start);
        List<Peer> waiting = new CopyOnWriteArrayList<>();
        loop.execute(() -> {
            try {
                for (int i = 0; i < 50; i++) {
                    waiting.add(connect());
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            acceptor.close();
        });

        patiently().until(() -> closed.get() == 1);

        assertThat(accepted).hasSize(50);
        assertThat(server.isOpen()).isFalse();
        for (Peer peer : waiting) {
            peer.close();
        }
    }

    @Test
    void aSharedChannelStaysOpenAndItsQueueIsLeftToOthers() throws Exception {
        ChannelAcceptor acceptor = acceptor(accepted::add, ChannelAcceptor.AtClose.LEAVE_OPEN);
        loop.execute(acceptor::start);
        try (Peer served = connect()) {
            patiently().until(() -> accepted.size() == 1);
            loop.execute(acceptor::close);
            patiently().until(() -> closed.get() == 1);
            try (Peer waiting = connect()) {
                driver.turn();
                assertThat(accepted).hasSize(1);
                assertThat(server.isOpen()).isTrue();
                assertThat(server.isRegistered()).isFalse();
                try (SocketChannel next = server.accept()) {
                    assertThat(next.socket().getPort())
                            .isEqualTo(waiting.socket().getLocalPort());
                }
            }
            assertThat(served.socket().isConnected()).isTrue();
        }
    }

    @Test
    void everyClientIsPassedOnConnectedOnTheLoop() throws Exception {
        List<Boolean> inLoop = new CopyOnWriteArrayList<>();
        ChannelAcceptor acceptor = acceptor(client -> {
            inLoop.add(loop.inLoop() && client.isConnected());
            accepted.add(client);
        });
        loop.execute(acceptor::start);
        try (Peer one = connect();
                Peer other = connect()) {
            patiently().until(() -> accepted.size() == 2);

            assertThat(inLoop).containsExactly(true, true);
            assertThat(accepted)
                    .extracting(client -> client.socket().getPort())
                    .containsExactly(one.socket().getLocalPort(), other.socket().getLocalPort());
        }
    }

    @Test
    void aFloodIsAcceptedInBurstsSoThatOthersHaveTheirTurn() throws Exception {
        Map<Long, Integer> perTurn = new LinkedHashMap<>();
        List<Peer> peers = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            peers.add(connect());
        }
        ChannelAcceptor acceptor = acceptor(client -> {
            perTurn.merge(loop.nowNanos(), 1, Integer::sum);
            accepted.add(client);
        });
        loop.execute(acceptor::start);
        patiently().until(() -> accepted.size() == 40);

        assertThat(driver.call(() -> List.copyOf(perTurn.values()))).containsExactly(1, 1, 2, 4, 8, 16, 8);
        for (Peer peer : peers) {
            peer.close();
        }
    }

    @Test
    void aClientThatIsNotTakenOverIsClosedAndTheNextIsAccepted() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        ChannelAcceptor acceptor = acceptor(client -> {
            if (calls.incrementAndGet() == 1) {
                throw new IllegalStateException("thrown by consumer");
            }
            accepted.add(client);
        });
        try (CapturedLog log = CapturedLog.start()) {
            loop.execute(acceptor::start);
            try (Peer first = connect()) {
                first.expectEnd();
                try (Peer second = connect()) {
                    patiently().until(() -> accepted.size() == 1);
                    assertThat(accepted.get(0).socket().getPort())
                            .isEqualTo(second.socket().getLocalPort());
                }
            }
            assertThat(log.lines("thrown by consumer")).hasSize(1);
        }
    }

    @Test
    void closingFreesThePortAndIsReportedOnceHoweverOftenItIsRequested() throws Exception {
        InetSocketAddress address = (InetSocketAddress) server.getLocalAddress();
        ChannelAcceptor acceptor = acceptor(accepted::add);
        loop.execute(acceptor::start);
        try (Peer standing = connect()) {
            patiently().until(() -> accepted.size() == 1);
            loop.execute(acceptor::close);
            loop.execute(acceptor::close);
            patiently().until(() -> closed.get() > 0);
            loop.execute(acceptor::close);
            driver.turn();

            assertThat(closed).hasValue(1);
            assertThat(server.isOpen()).isFalse();
            try (ServerSocketChannel again = ServerSocketChannel.open().bind(address)) {
                assertThat(again.getLocalAddress()).isEqualTo(address);
            }
            accepted.get(0).shutdownOutput(); // accepted connections stay
            standing.expectEnd();
        }
    }

    @Test
    void noClientIsAcceptedAfterTheClose() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        loop.execute(() -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        ChannelAcceptor[] acceptor = new ChannelAcceptor[1];
        acceptor[0] = acceptor(client -> {
            accepted.add(client);
            acceptor[0].close();
        });
        loop.execute(acceptor[0]::start);
        try (Peer one = connect();
                Peer other = connect()) {
            go.countDown();
            patiently().until(() -> closed.get() > 0);

            assertThat(accepted).as("the connections that had come by then").hasSize(2);
            assertThatThrownBy(this::connect).isInstanceOf(ConnectException.class);
            assertThat(one.socket().isConnected()).isTrue();
            assertThat(other.socket().isConnected()).isTrue();
        }
    }

    @Test
    void oneThatWasNeverStartedClosesToo() throws Exception {
        ChannelAcceptor acceptor = acceptor(accepted::add);
        driver.call(() -> {
            acceptor.close();
            acceptor.close();
            return 0;
        });

        assertThat(closed).hasValue(1);
        assertThat(server.isOpen()).isFalse();
    }

    @Test
    void aServerWhoseSocketWasClosedBeforeIsReportedAsClosed() throws Exception {
        server.close();
        ChannelAcceptor acceptor = acceptor(accepted::add);
        try (CapturedLog log = CapturedLog.start()) {
            driver.call(() -> {
                acceptor.start();
                acceptor.close();
                return 0;
            });

            assertThat(closed).hasValue(1);
            assertThat(log.lines("closed before it could accept connections")).hasSize(1);
        }
    }

    @Test
    void theEndOfTheLoopClosesTheServer() throws Exception {
        ChannelAcceptor acceptor = acceptor(accepted::add);
        loop.execute(acceptor::start);
        driver.turn();

        driver.stop();

        assertThat(closed).hasValue(1);
        assertThat(server.isOpen()).isFalse();
    }

    @Test
    void aStartThatMeetsTheEndOfTheLoopIsClosedToo() throws Exception {
        ChannelAcceptor acceptor = acceptor(accepted::add);
        driver.call(() -> {
            loop.timers().schedule(loop.nowNanos() + TimeUnit.HOURS.toNanos(1), acceptor::start);
            return 0;
        });

        driver.stop(); // fires the timer

        assertThat(closed).hasValue(1);
        assertThat(server.isOpen()).isFalse();
    }
}
