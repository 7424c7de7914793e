package io.broxy.core.internal.dial;

import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/** Makes the handshakes of one proxy dialer. Threading: thread-safe. */
interface HandshakeFactory {

    /** Makes handshakes for one target; the second is for another connection. Threading: owned by its event loop. */
    @FunctionalInterface
    interface Maker {
        Handshake make();
    }

    /**
     * Gets ready what a target needs.
     *
     * @param ready told on the loop, possibly before this method returns
     * @param failed told on the loop, in place of {@code ready}
     */
    void prepare(EventLoop loop, HostPort target, Consumer<Maker> ready, Consumer<Throwable> failed);

    /** What needs a user's code, which may block and may throw: it runs on an executor. */
    static HandshakeFactory on(Executor executor, Preparation preparation) {
        return (loop, target, ready, failed) -> {
            try {
                executor.execute(() -> {
                    Runnable end;
                    try {
                        Maker maker = preparation.prepare(target);
                        end = () -> ready.accept(maker);
                    } catch (Throwable e) {
                        end = () -> failed.accept(e);
                    }
                    tell(loop, end);
                });
            } catch (RejectedExecutionException e) {
                failed.accept(e);
            }
        };
    }

    private static void tell(EventLoop loop, Runnable end) {
        try {
            loop.execute(end);
        } catch (RejectedExecutionException e) {
            // The loop has stopped, and has ended the dial by that.
        }
    }

    /** A user's code. Threading: thread-safe. */
    @FunctionalInterface
    interface Preparation {
        Maker prepare(HostPort target);
    }
}
