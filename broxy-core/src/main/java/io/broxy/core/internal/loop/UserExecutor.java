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
 * Wraps a user's executor so that it shuts down with the engine: the engine's tasks end, while the user's executor keeps
 * running. Any exception of the executor is treated as a rejection, and so is an attempt to run a task on an event loop, which
 * must not block.
 *
 * <p>Threading: thread-safe; the lock guards all mutable fields.
 */
final class UserExecutor extends AbstractExecutorService {
    private final Executor executor;
    private final EngineThreads threads;

    private final Object lock = new Object();
    private final Set<UserTask> queued = new LinkedHashSet<>();
    private final Map<UserTask, Thread> running = new HashMap<>();
    private boolean shutdown;
    private boolean interrupting;

    UserExecutor(Executor executor, EngineThreads threads) {
        this.executor = executor;
        this.threads = threads;
    }

    @Override
    public void execute(Runnable task) {
        UserTask userTask = new UserTask(task);
        synchronized (lock) {
            if (shutdown) {
                throw new RejectedExecutionException("this Broxy is closed");
            }
            queued.add(userTask);
        }
        try {
            executor.execute(userTask);
        } catch (RejectedExecutionException e) {
            userTask.dequeue();
            throw e;
        } catch (RuntimeException e) {
            userTask.dequeue();
            throw new RejectedExecutionException("the executor failed", e);
        } catch (Error e) {
            userTask.dequeue();
            throw e;
        }
    }

    /** One task. Threading: thread-safe. */
    private final class UserTask implements Runnable {
        private final Runnable task;

        UserTask(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (EventLoop.current() != null) {
                throw new RejectedExecutionException("an executor of a Broxy must not run tasks on the calling thread");
            }
            synchronized (lock) {
                if (!queued.remove(this)) {
                    return; // the engine has ended and has already handled this task
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
                    Thread.interrupted(); // the interrupt was for this task, not for the thread's next one
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

    /** Interrupts running tasks under the lock, so that no thread is interrupted after it has left. */
    @Override
    public List<Runnable> shutdownNow() {
        synchronized (lock) {
            shutdown = true;
            interrupting = true;
            running.values().forEach(Thread::interrupt);
            List<Runnable> left = queued.stream().map(userTask -> userTask.task).toList();
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
