package io.broxy.core.internal.loop;

import io.broxy.EngineStats;
import io.broxy.core.internal.time.Ticker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The event loops of one engine. Threading: thread-safe. */
public final class EventLoops {
    private final List<EventLoop> loops;
    private final AtomicInteger next = new AtomicInteger();

    private EventLoops(List<EventLoop> loops) {
        this.loops = List.copyOf(loops);
    }

    /**
     * Starts loops.
     *
     * @throws IOException if a selector cannot be opened, after stopping the loops that were already started
     */
    public static EventLoops start(int count, BufferPool pool, Ticker ticker) throws IOException {
        return start("broxy-loop", count, pool, ticker, SelectorPoller::new);
    }

    /** Opens pollers. */
    public interface Pollers {
        /** Opens one. */
        Poller open() throws IOException;
    }

    /**
     * As the other method.
     *
     * @param name of the threads, behind which their number comes
     * @param pollers what they wait on
     */
    public static EventLoops start(String name, int count, BufferPool pool, Ticker ticker, Pollers pollers)
            throws IOException {
        List<EventLoop> loops = new ArrayList<>(count);
        try {
            for (int i = 1; i <= count; i++) {
                EventLoop loop = new EventLoop(name + "-" + i, pool, ticker, pollers);
                loop.start();
                loops.add(loop);
            }
        } catch (Throwable e) {
            loops.forEach(EventLoop::stop);
            throw e;
        }
        return new EventLoops(loops);
    }

    /** The next loop, round-robin. */
    public EventLoop next() {
        return loops.get(Math.floorMod(next.getAndIncrement(), loops.size()));
    }

    /**
     * Assigns a loop to a client, which {@linkplain EventLoop#leave leaves} it later: the loop with the fewest clients, and
     * among equals the caller's own, which saves waking another thread.
     */
    public EventLoop forClient() {
        EventLoop current = EventLoop.current();
        EventLoop best = loops.get(0);
        int fewest = best.clients();
        for (EventLoop loop : loops) {
            int clients = loop.clients();
            if (clients < fewest || (clients == fewest && loop == current)) {
                best = loop;
                fewest = clients;
            }
        }
        best.enter();
        return best;
    }

    /** A snapshot of each loop. */
    public List<EngineStats.Loop> stats() {
        return loops.stream().map(EventLoop::stats).toList();
    }

    /**
     * Stops all loops and waits for their threads, even if the caller is interrupted; its interrupt status is preserved.
     *
     * @return false if a loop was still running when the time was up
     */
    public boolean stop(long nanos) {
        loops.forEach(EventLoop::stop);
        Deadline deadline = new Deadline(nanos);
        boolean ended = true;
        for (EventLoop loop : loops) {
            ended &= deadline.await(loop::awaitStop);
        }
        return ended;
    }
}
