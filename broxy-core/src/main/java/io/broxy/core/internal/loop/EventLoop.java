package io.broxy.core.internal.loop;

import io.broxy.EngineStats;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread, one selector, and everything that belongs to them: channels, timers, buffers.
 *
 * <pre>
 *   turn:  select ──> ready channels ──> channels to close ──> timers due ──> tasks ──> next turn
 * </pre>
 *
 * <p>Exceptions of channels, timers and tasks are logged, and the loop continues. When it stops, it abandons every channel and
 * runs every remaining task and timer, due or not, so that their resources are released.
 *
 * <p>Threading: {@link #execute}, {@link #tryExecute}, {@link #inLoop}, {@link #clients}, {@link #enter}, {@link #leave},
 * {@link #stop} and {@link #awaitStop} are for any thread; everything else belongs to the loop's own thread.
 */
public final class EventLoop implements Executor {
    private static final Logger log = LoggerFactory.getLogger(EventLoop.class);

    /** The pause after a failure of the selector itself, so that a broken selector does not cause a busy loop. */
    private static final long SELECT_FAILURE_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** The maximum number of rounds at the end, which bounds timers that keep rescheduling themselves. */
    private static final int MAX_END_ROUNDS = 100;

    private final Poller poller;
    private final LoopThread thread;
    private final Ticker ticker;
    private final TimerQueue timers = new TimerQueue();
    private final LoopBuffers buffers;

    private final LoopLoad load;
    private final LoopTasks tasks = new LoopTasks();
    /** False while the thread may block in select; the first task then wakes it, later ones need not. */
    private final AtomicBoolean awake = new AtomicBoolean(true);

    /** The number of clients assigned to this loop. */
    private final AtomicInteger clients = new AtomicInteger();

    private long turn;
    private long nowNanos;
    private boolean asleep;
    private volatile boolean stopping;
    private volatile boolean stopped;

    EventLoop(String name, BufferPool pool, Ticker ticker, EventLoops.Pollers pollers) throws IOException {
        this.ticker = ticker;
        nowNanos = ticker.nanos();
        load = new LoopLoad(nowNanos);
        buffers = pool.forLoop();
        thread = new LoopThread(this, name);
        poller = pollers.open();
    }

    /** A thread with a reference to its loop, so that {@link #current} needs no map. */
    private static final class LoopThread extends Thread {
        private final EventLoop loop;

        LoopThread(EventLoop loop, String name) {
            super(null, loop::run, name, 0, false);
            this.loop = loop;
            setDaemon(true);
        }
    }

    /** Starts the thread. If no thread can be created, the loop's resources are released. */
    void start() throws IOException {
        try {
            thread.start();
        } catch (Throwable e) {
            poller.close();
            throw e;
        }
    }

    /** The loop whose thread the caller runs on, or null. */
    public static @Nullable EventLoop current() {
        return Thread.currentThread() instanceof LoopThread thread ? thread.loop : null;
    }

    /** Whether the caller runs on this loop's thread. */
    public boolean inLoop() {
        return Thread.currentThread() == thread;
    }

    /**
     * Runs a task on the loop, after its current work.
     *
     * @throws RejectedExecutionException if the loop has stopped, in which case the task does not run
     */
    @Override
    public void execute(Runnable task) {
        if (!tryExecute(task)) {
            throw new RejectedExecutionException("the event loop has stopped");
        }
    }

    /** As {@link #execute}, but returns false if the loop has stopped. */
    public boolean tryExecute(Runnable task) {
        if (stopped) {
            return false;
        }
        tasks.add(task);
        if (!inLoop() && !awake.get() && awake.compareAndSet(false, true)) {
            poller.wakeup();
        }
        return !stopped || !tasks.remove(task);
    }

    /** The number of clients that the loop serves. Thread-safe. */
    public int clients() {
        return clients.get();
    }

    /** A snapshot. Thread-safe. */
    EngineStats.Loop stats() {
        return load.stats(thread.getName(), clients(), poller.channels(), ticker);
    }

    /** Counts a new client; see {@link EventLoops#forClient}. */
    void enter() {
        clients.incrementAndGet();
    }

    /** Stops counting a client. Thread-safe. */
    public void leave() {
        clients.decrementAndGet();
    }

    /** The time at which this turn of the loop began; accurate enough for timeouts, and free. */
    public long nowNanos() {
        assert inLoop();
        return nowNanos;
    }

    /** The number of the current turn. */
    public long turn() {
        assert inLoop();
        return turn;
    }

    /** The loop's timers. */
    public TimerQueue timers() {
        assert inLoop();
        return timers;
    }

    /** The loop's buffers. */
    public LoopBuffers buffers() {
        assert inLoop();
        return buffers;
    }

    /** What the loop waits on. */
    public Poller poller() {
        return poller;
    }

    /**
     * Registers a non-blocking channel; the key's attachment receives its events.
     *
     * @throws IOException if the channel is closed, or no selector can be opened for it
     */
    public SelectionKey register(SelectableChannel channel, int ops, ChannelEvents events) throws IOException {
        return selector().register(channel, ops, events);
    }

    private SelectorPoller selector() throws IOException {
        assert inLoop();
        return poller.selector(this);
    }

    /** Changes what a registered channel waits for. */
    public void interest(SelectionKey key, int ops) {
        assert inLoop();
        poller.registered().interest(key, ops);
    }

    /** Closes a registered channel after the next select. */
    public void close(SelectionKey key) {
        assert inLoop();
        poller.registered().close(key);
    }

    /** Deregisters a channel, and runs a task on the loop once the deregistration is complete. */
    public void release(SelectionKey key, Runnable task) {
        assert inLoop();
        poller.registered().release(key, task);
    }

    /** Runs a task once all channels closed so far are really closed: immediately, or after the next select. */
    public void afterClosing(Runnable task) {
        assert inLoop();
        poller.afterClosing(task);
    }

    /** Whether the loop is stopping, so that new work would not complete. */
    public boolean isStopping() {
        return stopping;
    }

    /** Asks the loop to stop: it abandons all registered channels, closes the selector and ends its thread. */
    void stop() {
        stopping = true;
        poller.wakeup();
    }

    /** Waits until the thread has ended. */
    boolean awaitStop(long nanos) throws InterruptedException {
        TimeUnit.NANOSECONDS.timedJoin(thread, nanos);
        return !thread.isAlive();
    }

    // ------------------------------------------------------------------ the turn

    private void run() {
        try {
            while (!stopping) {
                runTurn();
            }
        } finally {
            end();
        }
    }

    private void runTurn() {
        turn++;
        try {
            select();
            fireTimers();
            tasks.runAll();
        } catch (Throwable e) { // such as an OutOfMemoryError; remaining work is still queued
            LoopTasks.report("a turn of the event loop failed", e);
        }
    }

    private void select() {
        Thread.interrupted(); // an interrupt status left by a task would keep select from blocking
        asleep = true;
        awake.set(false); // from now on a new task wakes the selector
        try {
            long nanos = nanosToWait();
            // Rounded up, so that a timer is due when poll returns.
            poller.poll(this, nanos == Long.MAX_VALUE ? -1 : (nanos + 999_999) / 1_000_000);
        } catch (Throwable e) {
            LoopTasks.report("selecting failed", e);
            LockSupport.parkNanos(SELECT_FAILURE_PAUSE_NANOS);
        }
        woken();
    }

    private long nanosToWait() {
        if (hasTasks()) {
            return 0;
        }
        long now = ticker.nanos();
        long nanos = timers.nanosToNext(now);
        if (nanos != 0) {
            load.waits(now);
        }
        return nanos;
    }

    private boolean hasTasks() {
        return !tasks.isEmpty() || poller.hasPendingCloses();
    }

    /** Called once per turn: tasks no longer need to wake the selector, and the clock is read. */
    private void woken() {
        if (asleep) {
            asleep = false;
            awake.set(true);
            nowNanos = ticker.nanos();
            load.works(nowNanos);
        }
    }

    /**
     * Delivers readiness that the selector cannot see, such as bytes that were read ahead. A handler that throws is abandoned,
     * as with the selector's events.
     *
     * @return false if the handler failed
     */
    public boolean deliver(ChannelEvents events, int readyOps) {
        assert inLoop();
        woken();
        try {
            events.ready(readyOps);
            return true;
        } catch (Throwable e) {
            LoopTasks.report("a connection's handler failed; the connection is closed", e);
            abandon(events, e);
            return false;
        }
    }

    /** Tells a handler that its channel is abandoned. */
    public void abandon(ChannelEvents events, Throwable cause) {
        try {
            events.abandoned(cause);
        } catch (Throwable e) {
            LoopTasks.report("releasing a connection failed", e);
        }
    }

    /**
     * Fires the timers that are due, or all of them at the end. Fires at most as many as exist now, so that a timer that keeps
     * rescheduling itself does not starve the channels.
     */
    private void fireTimers() {
        for (int left = timers.size(); left > 0; left--) {
            Runnable task = stopped ? timers.pollNext() : timers.poll(nowNanos);
            if (task == null) {
                return;
            }
            LoopTasks.runSafely(task);
        }
    }

    // ------------------------------------------------------------------- the end

    private void end() {
        stopped = true; // each thread can add at most one more task
        for (int round = 0; round < MAX_END_ROUNDS && (hasTasks() || hasMore()); round++) {
            endRound();
        }
        if (hasMore()) {
            log.warn(
                    "the event loop stops although its tasks keep creating new ones; {} timers are dropped",
                    timers.size());
        }
        buffers.close();
        try {
            poller.close();
        } catch (IOException e) {
            log.warn("closing a selector failed", e);
        }
        load.waits(ticker.nanos());
    }

    private boolean hasMore() {
        return !poller.isEmpty() || timers.size() > 0;
    }

    private void endRound() {
        IOException cause = new IOException("the event loop has stopped");
        poller.abandonAll(this, cause);
        try {
            poller.poll(this, 0);
        } catch (IOException e) {
            log.warn("the last select failed", e);
        }
        tasks.runAll();
        fireTimers();
    }
}
