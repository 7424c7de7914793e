package io.broxy.core.internal.loop;

import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread, one selector, and everything that belongs to them: channels, timers, buffers.
 *
 * <pre>
 *   turn:  select ──> ready channels ──> channels to let go ──> timers due ──> tasks ──> next turn
 * </pre>
 *
 * <p>Whatever a channel, a timer or a task throws is logged, and the loop goes on.
 *
 * <p>Threading: {@link #execute}, {@link #inLoop}, {@link #stop} and {@link #awaitStop} are for any thread; everything
 * else belongs to the loop's own thread.
 */
public final class EventLoop implements Executor {
    private static final Logger log = LoggerFactory.getLogger(EventLoop.class);

    /** After a failure of the selector itself, so that a broken one cannot spin. */
    private static final long SELECT_FAILURE_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** Behind the tasks of a turn; known by its identity. */
    @SuppressWarnings("UnnecessaryLambda")
    private static final Runnable LAST = () -> {};

    private final Selector selector;
    private final LoopThread thread;
    private final Ticker ticker;
    private final TimerQueue timers = new TimerQueue();
    private final LoopBuffers buffers;

    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    /** False while the thread may sleep in select: the first task then wakes it, later ones need not. */
    private final AtomicBoolean awake = new AtomicBoolean(true);

    /** Deregistered by the next select; then closed, or handed on. */
    private final ArrayDeque<SelectableChannel> closing = new ArrayDeque<>();

    private final ArrayDeque<Runnable> releasing = new ArrayDeque<>();

    private long nowNanos;
    private boolean asleep;
    private volatile boolean stopping;
    private volatile boolean stopped;

    EventLoop(String name, BufferPool pool, Ticker ticker) throws IOException {
        this.ticker = ticker;
        selector = Selector.open();
        buffers = pool.forLoop();
        nowNanos = ticker.nanos();
        thread = new LoopThread(this, name);
    }

    /** Lets a thread know its loop, so that {@link #current} needs no map. */
    private static final class LoopThread extends Thread {
        private final EventLoop loop;

        LoopThread(EventLoop loop, String name) {
            super(null, loop::run, name);
            this.loop = loop;
            setDaemon(true);
        }
    }

    void start() {
        thread.start();
    }

    /** The loop whose thread the caller runs on, or null. */
    public static @Nullable EventLoop current() {
        return Thread.currentThread() instanceof LoopThread own ? own.loop : null;
    }

    /** Whether the caller runs on this loop's thread. */
    public boolean inLoop() {
        return Thread.currentThread() == thread;
    }

    /**
     * Runs a task on the loop, after what it is at.
     *
     * @throws RejectedExecutionException if the loop has stopped; the task is not run then
     */
    @Override
    public void execute(Runnable task) {
        if (stopped) {
            throw new RejectedExecutionException("the event loop has stopped");
        }
        tasks.add(task);
        if (!inLoop() && !awake.get() && awake.compareAndSet(false, true)) {
            selector.wakeup();
        }
        if (stopped && tasks.remove(task)) {
            throw new RejectedExecutionException("the event loop has stopped");
        }
    }

    /** The time at which this turn of the loop began; good enough for time-outs and free of charge. */
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
     * Registers a non-blocking channel; its events are told to the key's attachment.
     *
     * @throws ClosedChannelException if the channel is closed
     */
    public SelectionKey register(SelectableChannel channel, int ops, ChannelEvents events)
            throws ClosedChannelException {
        assert inLoop();
        return channel.register(selector, ops, events);
    }

    /**
     * Closes a registered channel. Closing it while it is registered would cost two more system calls and keep the
     * descriptor until the next select, so the key goes first.
     */
    public void close(SelectionKey key) {
        assert inLoop();
        key.cancel();
        closing.add(key.channel());
    }

    /** Deregisters a channel, and runs a task on the loop as soon as it is free of its key. */
    public void release(SelectionKey key, Runnable task) {
        assert inLoop();
        key.cancel();
        releasing.add(task);
    }

    /** Whether the loop has been asked to end: what is begun now would not come to its end. */
    public boolean isStopping() {
        return stopping;
    }

    /** Asks the loop to end: everything registered is abandoned, its thread and its selector end. */
    void stop() {
        stopping = true;
        selector.wakeup();
    }

    /** Waits for the end of the thread. */
    boolean awaitStop(long nanos) throws InterruptedException {
        TimeUnit.NANOSECONDS.timedJoin(thread, nanos);
        return !thread.isAlive();
    }

    // ------------------------------------------------------------------ the turn

    private void run() {
        while (!stopping) {
            select();
            letGo();
            fireTimers();
            runTasks();
        }
        end();
    }

    private void select() {
        asleep = true;
        awake.set(false); // from here on a new task wakes the selector
        try {
            if (!tasks.isEmpty() || !closing.isEmpty() || !releasing.isEmpty()) {
                selector.selectNow(this::dispatch);
            } else {
                long nanos = timers.nanosToNext(ticker.nanos());
                if (nanos == 0) {
                    selector.selectNow(this::dispatch);
                } else {
                    selector.select(this::dispatch, toMillisUp(nanos));
                }
            }
        } catch (IOException | RuntimeException e) {
            log.error("selecting failed", e);
            LockSupport.parkNanos(SELECT_FAILURE_PAUSE_NANOS);
        }
        woken();
    }

    /** Rounded up, so that a timer is due when select returns; 0 means "no limit" to select. */
    private static long toMillisUp(long nanos) {
        return nanos == Long.MAX_VALUE ? 0 : (nanos + 999_999) / 1_000_000;
    }

    /** Once a turn: tasks need no wake-up any more, and the clock is read. */
    private void woken() {
        if (asleep) {
            asleep = false;
            awake.set(true);
            nowNanos = ticker.nanos();
        }
    }

    private void dispatch(SelectionKey key) {
        woken();
        ChannelEvents events = (ChannelEvents) key.attachment();
        try {
            if (key.isValid()) {
                events.ready(key.readyOps());
            }
        } catch (Throwable e) {
            log.error("a connection's handler failed; the connection is closed", e);
            abandon(key, e);
        }
    }

    /**
     * Tells about readiness that the selector does not see, such as bytes that were read before. As with the selector's, a
     * handler that fails is abandoned.
     *
     * @return whether it did not fail
     */
    public boolean tell(ChannelEvents events, int readyOps) {
        assert inLoop();
        try {
            events.ready(readyOps);
            return true;
        } catch (Throwable e) {
            log.error("a connection's handler failed; the connection is closed", e);
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
            log.error("releasing a connection failed", e);
        }
    }

    private void letGo() {
        for (SelectableChannel channel; (channel = closing.poll()) != null; ) {
            try {
                channel.close();
            } catch (IOException e) {
                log.debug("closing a connection failed", e);
            }
        }
        for (Runnable task; (task = releasing.poll()) != null; ) {
            runSafely(task);
        }
    }

    private void fireTimers() {
        for (Runnable task; (task = timers.poll(nowNanos)) != null; ) {
            runSafely(task);
        }
    }

    /** Only as many as there are now: a task that makes another must not keep the channels waiting. */
    private void runTasks() {
        Runnable task = tasks.poll();
        if (task == null) {
            return;
        }
        tasks.add(LAST);
        for (; task != null && task != LAST; task = tasks.poll()) {
            runSafely(task);
        }
    }

    private static void runSafely(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            log.error("a task of the event loop failed", e);
        }
    }

    // ------------------------------------------------------------------- the end

    /** Ends what is left, so that what tasks and timers carry is released too, until nothing makes new work. */
    private void end() {
        stopped = true;
        do {
            IOException cause = new IOException("the event loop has stopped");
            for (SelectionKey key : selector.keys()) {
                if (key.isValid()) {
                    abandon(key, cause);
                }
            }
            try {
                selector.selectNow(key -> {});
            } catch (IOException e) {
                log.warn("the last select failed", e);
            }
            letGo();
            runTasks();
            for (Runnable task; (task = timers.pollNext()) != null; ) {
                runSafely(task);
            }
        } while (!selector.keys().isEmpty() || !tasks.isEmpty() || !closing.isEmpty() || !releasing.isEmpty());
        buffers.close();
        try {
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
