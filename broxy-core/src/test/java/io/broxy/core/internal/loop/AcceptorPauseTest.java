package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.mockito.Mockito;

/** A server's channel whose accept does what is told, for descriptors do not run out on order. */
@ExtendWith(LeakCheck.class)
class AcceptorPauseTest {
    private final IOException noDescriptor = new IOException("Too many open files");

    private final LoopDriver.Clock clock = new LoopDriver.Clock();
    private final LoopDriver driver = new LoopDriver(clock);
    private final ServerSocketChannel server = mock(ServerSocketChannel.class);
    private final SelectionKey key = mock(SelectionKey.class);
    private final List<SocketChannel> accepted = new ArrayList<>();

    /** What accept gives or throws; nothing is left: null. */
    private final Deque<Object> outcomes = new ArrayDeque<>();

    private final List<Integer> interests = new ArrayList<>();
    private final Acceptor acceptor = new Acceptor(driver.loop(), server, accepted::add, () -> {});
    private final CapturedLog log = CapturedLog.start();

    AcceptorPauseTest() throws IOException {}

    @BeforeEach
    void start() throws Exception {
        when(server.register(any(Selector.class), anyInt(), any())).thenReturn(key);
        when(server.accept()).thenAnswer(call -> {
            Object outcome = outcomes.poll();
            if (outcome instanceof Throwable failure) {
                throw failure;
            }
            return outcome;
        });
        when(key.isValid()).thenReturn(true);
        when(key.interestOps(anyInt())).thenAnswer(call -> {
            interests.add(call.getArgument(0));
            return key;
        });
        loop(acceptor::start);
    }

    @AfterEach
    void stop() {
        log.close();
        driver.close();
        Mockito.framework().clearInlineMocks();
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

    private static SocketChannel client() {
        return mock(SocketChannel.class);
    }

    /** Lets time pass, and tells what interest was set meanwhile. */
    private List<Integer> after(long millis) throws Exception {
        interests.clear();
        clock.advanceMillis(millis);
        driver.turn();
        return interests;
    }

    @Test
    void acceptingPausesWhenItFailsAndResumesByItself() throws Exception {
        ready(noDescriptor);
        assertThat(interests).containsExactly(0);

        assertThat(after(99)).isEmpty();
        assertThat(after(1)).containsExactly(SelectionKey.OP_ACCEPT);

        SocketChannel client = client();
        ready(client);
        assertThat(accepted).containsExactly(client);
    }

    @Test
    void eachFailureInARowPausesLongerUpToASecond() throws Exception {
        for (long pause : new long[] {100, 200, 400, 800, 1_000, 1_000}) {
            ready(noDescriptor);
            assertThat(after(pause - 1)).as("before %s ms", pause).isEmpty();
            assertThat(after(1)).as("at %s ms", pause).containsExactly(SelectionKey.OP_ACCEPT);
        }
    }

    @Test
    void theFirstFailureAndTheRecoveryAreLoggedOnce() throws Exception {
        for (int i = 0; i < 5; i++) {
            ready(client(), noDescriptor); // one descriptor was freed meanwhile
            after(1_000);
        }
        assertThat(log.lines("trying again until it works")).hasSize(1);
        assertThat(log.lines("accepting connections again")).isEmpty();

        ready(client());
        ready(client());
        assertThat(log.lines("accepting connections again")).hasSize(1);
        assertThat(accepted).hasSize(7);

        ready(noDescriptor);
        assertThat(log.lines("trying again until it works")).hasSize(2);
        assertThat(after(100)).as("the first pause again").containsExactly(SelectionKey.OP_ACCEPT);
    }

    @Test
    void whoWasAcceptedBeforeTheFailureIsServed() throws Exception {
        SocketChannel first = client();
        SocketChannel second = client();
        ready(first, second, noDescriptor, client());

        assertThat(accepted).containsExactly(first, second);
        assertThat(interests).containsExactly(0);
    }

    @Test
    void memoryThatHasRunOutIsWaitedForToo() throws Exception {
        ready(new OutOfMemoryError("thrown by accept"));

        assertThat(after(100)).containsExactly(SelectionKey.OP_ACCEPT);
    }

    @Test
    void oneThatIsClosedInItsPauseDoesNotResume() throws Exception {
        ready(noDescriptor);
        loop(acceptor::close);

        assertThat(after(10_000)).isEmpty();
        assertThat(driver.call(() -> driver.loop().timers().size())).isZero();
    }
}
