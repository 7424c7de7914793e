package io.broxy.core.internal.loop;

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
     * @throws IOException if a selector cannot be opened; those that were started end then
     */
    public static EventLoops start(int count, BufferPool pool, Ticker ticker) throws IOException {
        List<EventLoop> loops = new ArrayList<>(count);
        try {
            for (int i = 1; i <= count; i++) {
                EventLoop loop = new EventLoop("broxy-loop-" + i, pool, ticker);
                loop.start();
                loops.add(loop);
            }
        } catch (Throwable e) {
            loops.forEach(EventLoop::stop);
            throw e;
        }
        return new EventLoops(loops);
    }

    /** The next loop in turn. */
    public EventLoop next() {
        return loops.get(Math.floorMod(next.getAndIncrement(), loops.size()));
    }

    /**
     * A loop for a client, which {@linkplain EventLoop#leave leaves} it later: the one that serves fewest, and among equals
     * the caller's own, for then no other thread has to wake up.
     */
    public EventLoop forClient() {
        EventLoop own = EventLoop.current();
        EventLoop best = loops.get(0);
        int fewest = best.clients();
        for (EventLoop loop : loops) {
            int clients = loop.clients();
            if (clients < fewest || (clients == fewest && loop == own)) {
                best = loop;
                fewest = clients;
            }
        }
        best.enter();
        return best;
    }

    /**
     * Ends all loops and waits for their threads, also when the caller is interrupted, which it then still is.
     *
     * @return false if one was still at work after the time
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
