package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how accepting pauses after a failure, which the test injects. */
@ExtendWith(LeakCheck.class)
class AcceptorPauseTest {
    private final IOException noDescriptor = new IOException("Too many open files");

    private final LoopDriver.Clock clock = new LoopDriver.Clock();
    private final LoopDriver driver = new LoopDriver(clock);
    private final ServerSocketChannel server =
            ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    private final List<SocketChannel> clients = new ArrayList<>();
    private final List<SocketChannel> accepted = new ArrayList<>();

    /** What accept gives or throws; nothing is left: null. */
    private final Deque<Object> outcomes = new ArrayDeque<>();

    private final ChannelAcceptor acceptor = new ChannelAcceptor(
            driver.loop(), server, this::nextOutcome, accepted::add, ChannelAcceptor.AtClose.CLOSE, () -> {});
    private final CapturedLog log = CapturedLog.start();

    AcceptorPauseTest() throws IOException {}

    private @Nullable SocketChannel nextOutcome() throws IOException {
        Object outcome = outcomes.poll();
        if (outcome instanceof IOException failure) {
            throw failure;
        }
        if (outcome instanceof Error failure) {
            throw failure;
        }
        return (SocketChannel) outcome;
    }

    @BeforeEach
    void start() throws Exception {
        server.configureBlocking(false);
        loop(acceptor::start);
    }

    @AfterEach
    void stop() throws IOException {
        log.close();
        driver.close();
        for (SocketChannel client : clients) {
            client.close();
        }
    }

    private void loop(Runnable task) throws Exception {
        driver.call(() -> {
            task.run();
            return 0;
        });
    }

    private void ready(Object... outcome) throws Exception {
        outcomes.addAll(List.of(outcome));
        loop(() -> acceptor.ready(SelectionKey.OP_ACCEPT));
    }

    private SocketChannel client() throws IOException {
        SocketChannel client = SocketChannel.open();
        clients.add(client);
        return client;
    }

    private boolean isAccepting() throws Exception {
        return driver.call(acceptor::isAccepting);
    }

    /** Lets time pass, and returns whether it accepts again. */
    private boolean isAcceptingAfter(long millis) throws Exception {
        clock.advanceMillis(millis);
        driver.turn();
        return isAccepting();
    }

    @Test
    void acceptingPausesWhenItFailsAndResumesByItself() throws Exception {
        ready(noDescriptor);
        assertThat(isAccepting()).isFalse();

        assertThat(isAcceptingAfter(99)).isFalse();
        assertThat(isAcceptingAfter(1)).isTrue();

        SocketChannel client = client();
        ready(client);
        assertThat(accepted).containsExactly(client);
    }

    @Test
    void eachFailureInARowPausesLongerUpToASecond() throws Exception {
        for (long pause : new long[] {100, 200, 400, 800, 1_000, 1_000}) {
            ready(noDescriptor);
            assertThat(isAcceptingAfter(pause - 1)).as("before %s ms", pause).isFalse();
            assertThat(isAcceptingAfter(1)).as("at %s ms", pause).isTrue();
        }
    }

    @Test
    void theFirstFailureAndTheRecoveryAreLoggedOnce() throws Exception {
        for (int i = 0; i < 5; i++) {
            ready(client(), noDescriptor); // one descriptor was freed meanwhile
            assertThat(isAcceptingAfter(1_000)).isTrue();
        }
        assertThat(log.lines("trying again until it works")).hasSize(1);
        assertThat(log.lines("accepting connections again")).isEmpty();

        ready(client());
        ready(client());
        assertThat(log.lines("accepting connections again")).hasSize(1);
        assertThat(accepted).hasSize(7);

        ready(noDescriptor);
        assertThat(log.lines("trying again until it works")).hasSize(2);
        assertThat(isAcceptingAfter(100))
                .as("whether the pause is the first one again")
                .isTrue();
    }

    @Test
    void aClientAcceptedBeforeTheFailureIsServed() throws Exception {
        SocketChannel first = client();
        SocketChannel second = client();
        ready(noDescriptor);
        assertThat(isAcceptingAfter(100)).isTrue();
        ready(first, second, noDescriptor, client());

        assertThat(accepted).containsExactly(first, second);
        assertThat(isAccepting()).isFalse();
    }

    @Test
    void memoryThatHasRunOutIsWaitedForToo() throws Exception {
        ready(new OutOfMemoryError("thrown by accept"));

        assertThat(isAccepting()).isFalse();
        assertThat(isAcceptingAfter(100)).isTrue();
    }

    @Test
    void oneThatIsClosedInItsPauseDoesNotResume() throws Exception {
        ready(noDescriptor);
        loop(acceptor::close);

        // Before its time, at which the timer would be gone anyway.
        assertThat(driver.call(() -> driver.loop().timers().size())).isZero();
        assertThat(isAcceptingAfter(10_000)).isFalse();
        assertThat(driver.call(() -> driver.loop().timers().size())).isZero();
    }
}
