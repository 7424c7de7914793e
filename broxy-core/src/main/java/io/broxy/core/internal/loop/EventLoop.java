package io.broxy.core.internal.loop;

import io.broxy.EngineStats;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
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

    private final Selector selector;
    /** Created once: a method reference per select would be the only allocation of a relayed message. */
    private final Consumer<SelectionKey> dispatch = this::dispatch;

    private final LoopThread thread;
    private final Ticker ticker;
    private final TimerQueue timers = new TimerQueue();
    private final LoopBuffers buffers;

    private final LoopLoad load;
    private final LoopTasks tasks = new LoopTasks();
    /** False while the thread may block in select; the first task then wakes it, later ones need not. */
    private final AtomicBoolean awake = new AtomicBoolean(true);

    private final PendingCloses closes = new PendingCloses();

    /** The number of clients assigned to this loop. */
    private final AtomicInteger clients = new AtomicInteger();

    private long nowNanos;
    private boolean asleep;
    private volatile boolean stopping;
    private volatile boolean stopped;

    EventLoop(String name, BufferPool pool, Ticker ticker) throws IOException {
        this.ticker = ticker;
        nowNanos = ticker.nanos();
        load = new LoopLoad(nowNanos);
        buffers = pool.forLoop();
        thread = new LoopThread(this, name);
        selector = Selector.open();
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
            selector.close();
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
            selector.wakeup();
        }
        return !stopped || !tasks.remove(task);
    }

    /** The number of clients that the loop serves. Thread-safe. */
    public int clients() {
        return clients.get();
    }

    /** A snapshot. Thread-safe. */
    EngineStats.Loop stats() {
        int channels;
        try {
            channels = selector.keys().size();
        } catch (ClosedSelectorException e) {
            channels = 0;
        }
        return load.stats(thread.getName(), clients(), channels, ticker);
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

    /**
     * Registers a non-blocking channel; the key's attachment receives its events.
     *
     * @throws ClosedChannelException if the channel is closed
     */
    public SelectionKey register(SelectableChannel channel, int ops, ChannelEvents events)
            throws ClosedChannelException {
        assert inLoop();
        return channel.register(selector, ops, events);
    }

    /** Closes a registered channel after the next select. */
    public void close(SelectionKey key) {
        assert inLoop();
        closes.close(key);
    }

    /** Deregisters a channel, and runs a task on the loop once the deregistration is complete. */
    public void release(SelectionKey key, Runnable task) {
        assert inLoop();
        closes.release(key, task);
    }

    /** Runs a task once all channels closed so far are really closed: immediately, or after the next select. */
    public void afterClosing(Runnable task) {
        assert inLoop();
        closes.afterClosing(task);
    }

    /** Whether the loop is stopping, so that new work would not complete. */
    public boolean isStopping() {
        return stopping;
    }

    /** Asks the loop to stop: it abandons all registered channels, closes the selector and ends its thread. */
    void stop() {
        stopping = true;
        selector.wakeup();
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
                turn();
            }
        } finally {
            end();
        }
    }

    private void turn() {
        try {
            closes.beforeSelect();
            select();
            closes.afterSelect();
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
            if (nanos == 0) {
                selector.selectNow(dispatch);
            } else {
                // Rounded up, so that a timer is due when select returns; to select, 0 means "no limit".
                selector.select(dispatch, nanos == Long.MAX_VALUE ? 0 : (nanos - 1) / 1_000_000 + 1);
            }
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
        return !tasks.isEmpty() || !closes.isEmpty();
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

    private void dispatch(SelectionKey key) {
        woken();
        try {
            if (key.isValid()) {
                ((ChannelEvents) key.attachment()).ready(key.readyOps());
            }
        } catch (Throwable e) {
            LoopTasks.report("a connection's handler failed; the connection is closed", e);
            abandon(key, e);
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
        try {
            events.ready(readyOps);
            return true;
        } catch (Throwable e) {
            LoopTasks.report("a connection's handler failed; the connection is closed", e);
            abandon(events, e);
            return false;
        }
    }

    private void abandon(SelectionKey key, Throwable cause) {
        abandon((ChannelEvents) key.attachment(), cause);
        if (key.isValid()) {
            close(key);
        }
    }

    private static void abandon(ChannelEvents events, Throwable cause) {
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
            selector.keys().forEach(key -> PendingCloses.closeNow(key.channel()));
        }
        buffers.close();
        try {
            selector.close();
        } catch (IOException e) {
            log.warn("closing a selector failed", e);
        }
        load.waits(ticker.nanos());
    }

    private boolean hasMore() {
        return !selector.keys().isEmpty() || timers.size() > 0;
    }

    private void endRound() {
        IOException cause = new IOException("the event loop has stopped");
        for (SelectionKey key : selector.keys()) {
            if (key.isValid()) {
                abandon(key, cause);
            }
        }
        closes.beforeSelect();
        try {
            selector.selectNow(key -> {});
        } catch (IOException e) {
            log.warn("the last select failed", e);
        }
        closes.afterSelect();
        tasks.runAll();
        fireTimers();
    }
}
