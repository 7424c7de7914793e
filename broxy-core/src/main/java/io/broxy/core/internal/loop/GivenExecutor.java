package io.broxy.core.internal.loop;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Wraps a user's executor as one that ends with the engine: the engine's own tasks end then, the executor goes on. Whatever
 * it throws is a rejection, and so is an attempt to run a task on an event loop, which must not block.
 *
 * <p>Threading: thread-safe; the lock guards all fields that change.
 */
final class GivenExecutor extends AbstractExecutorService {
    private final Executor executor;
    private final EngineThreads threads;

    private final Object lock = new Object();
    private final Set<Given> queued = new LinkedHashSet<>();
    private final Map<Given, Thread> running = new HashMap<>();
    private boolean shutdown;
    private boolean interrupting;

    GivenExecutor(Executor executor, EngineThreads threads) {
        this.executor = executor;
        this.threads = threads;
    }

    @Override
    public void execute(Runnable task) {
        Given given = new Given(task);
        synchronized (lock) {
            if (shutdown) {
                throw new RejectedExecutionException("this Broxy is closed");
            }
            queued.add(given);
        }
        try {
            executor.execute(given);
        } catch (RejectedExecutionException e) {
            given.dequeue();
            throw e;
        } catch (RuntimeException e) {
            given.dequeue();
            throw new RejectedExecutionException("the executor failed", e);
        } catch (Error e) {
            given.dequeue();
            throw e;
        }
    }

    /** One task. Threading: thread-safe. */
    private final class Given implements Runnable {
        private final Runnable task;

        Given(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (EventLoop.current() != null) {
                throw new RejectedExecutionException("an executor of a Broxy must not run tasks on the calling thread");
            }
            synchronized (lock) {
                if (!queued.remove(this)) {
                    return; // the engine has ended, and has seen to this task
                }
                running.put(this, Thread.currentThread());
            }
            try {
                threads.run(task);
            } finally {
                left();
            }
        }

        private void dequeue() {
            synchronized (lock) {
                queued.remove(this);
                lock.notifyAll();
            }
        }

        private void left() {
            synchronized (lock) {
                running.remove(this);
                lock.notifyAll();
                if (interrupting) {
                    Thread.interrupted(); // it was for this task, not for what the thread does next
                }
            }
        }
    }

    @Override
    public void shutdown() {
        synchronized (lock) {
            shutdown = true;
            lock.notifyAll();
        }
    }

    /** Interrupts what runs, under the lock, so that no interrupt comes to a thread that has left. */
    @Override
    public List<Runnable> shutdownNow() {
        synchronized (lock) {
            shutdown = true;
            interrupting = true;
            running.values().forEach(Thread::interrupt);
            List<Runnable> left = queued.stream().map(given -> given.task).toList();
            queued.clear();
            lock.notifyAll();
            return left;
        }
    }

    @Override
    public boolean isShutdown() {
        synchronized (lock) {
            return shutdown;
        }
    }

    @Override
    public boolean isTerminated() {
        synchronized (lock) {
            return hasEnded();
        }
    }

    private boolean hasEnded() {
        return shutdown && running.isEmpty() && queued.isEmpty();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        long deadline = System.nanoTime() + unit.toNanos(timeout);
        synchronized (lock) {
            for (long left; !hasEnded(); ) {
                left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(lock, left);
            }
            return true;
        }
    }
}
