package io.broxy.core.testkit;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs a part of a test beside its own thread, for a minute at most. */
public final class Background {
    private static final long LIMIT_SECONDS = 60;

    private Background() {}

    /** Something that is done. */
    @FunctionalInterface
    public interface Action {
        void run() throws Exception;
    }

    /** Something that gives a value. */
    @FunctionalInterface
    public interface Supply<T> {
        T get() throws Exception;
    }

    /** Does it on a thread of its own. */
    public static CompletableFuture<?> run(Action action) {
        return supply(() -> {
            action.run();
            return true;
        });
    }

    /** Does it on a thread of its own, and gives the value. */
    public static <T> CompletableFuture<T> supply(Supply<T> supply) {
        CompletableFuture<T> future = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        future.complete(supply.get());
                    } catch (Throwable e) {
                        future.completeExceptionally(e);
                    }
                },
                "test-background");
        thread.setDaemon(true);
        thread.start();
        return future.orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
}
