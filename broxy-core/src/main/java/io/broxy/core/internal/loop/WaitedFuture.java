package io.broxy.core.internal.loop;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A future of the engine. A {@link LookUpThreads look-up} whose resolver dials and waits for this future takes no place
 * meanwhile, since the dial may need it. Dependent futures are also of this type.
 *
 * <p>Threading: thread-safe.
 */
public final class WaitedFuture<T> extends CompletableFuture<T> {

    /** Creates an incomplete future. */
    public WaitedFuture() {}

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new WaitedFuture<>();
    }

    @Override
    public T get() throws InterruptedException, ExecutionException {
        if (isDone()) {
            return super.get();
        }
        LookUpThreads.waits(true);
        try {
            return super.get();
        } finally {
            LookUpThreads.waits(false);
        }
    }

    @Override
    public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        if (isDone()) {
            return super.get(timeout, unit);
        }
        LookUpThreads.waits(true);
        try {
            return super.get(timeout, unit);
        } finally {
            LookUpThreads.waits(false);
        }
    }

    @Override
    public T join() {
        if (isDone()) {
            return super.join();
        }
        LookUpThreads.waits(true);
        try {
            return super.join();
        } finally {
            LookUpThreads.waits(false);
        }
    }
}
