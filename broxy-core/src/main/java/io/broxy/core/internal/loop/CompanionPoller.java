package io.broxy.core.internal.loop;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The part of a poller of other sockets that takes care of the NIO channels on its loop.
 *
 * <p>Threading: as {@link Poller} says.
 */
public abstract class CompanionPoller implements Poller {
    private @Nullable CompanionSelector companion;

    /** Waits for the sockets, and delivers their readiness. */
    protected abstract void pollSockets(EventLoop loop, long millis) throws IOException;

    /** The number of sockets; thread-safe. */
    protected abstract int sockets();

    /** Abandons the sockets. */
    protected abstract void abandonSockets(EventLoop loop, Throwable cause);

    /** Closes what there is for the sockets. */
    protected abstract void closeSockets() throws IOException;

    @Override
    public final SelectorPoller selector(EventLoop loop) throws IOException {
        CompanionSelector existing = companion;
        if (existing == null) {
            existing = new CompanionSelector(loop);
            companion = existing;
        }
        return existing.selector();
    }

    @Override
    public final SelectorPoller registered() {
        if (companion == null) {
            throw new IllegalStateException("no channel was registered");
        }
        return companion.selector();
    }

    @Override
    public final void poll(EventLoop loop, long millis) throws IOException {
        pollSockets(loop, millis);
        if (companion != null && loop.isStopping()) {
            companion.halt();
            companion.selector().poll(loop, 0);
        }
    }

    /** Pending closes of channels take no poll of the loop: they wake the companion. */
    @Override
    public final boolean hasPendingCloses() {
        return false;
    }

    @Override
    public final void afterClosing(Runnable task) {
        if (companion == null) {
            task.run();
        } else {
            companion.selector().afterClosing(task);
        }
    }

    @Override
    public final int channels() {
        CompanionSelector existing = companion;
        return sockets() + (existing == null ? 0 : existing.selector().channels());
    }

    @Override
    public final boolean isEmpty() {
        return sockets() == 0 && (companion == null || companion.selector().isEmpty());
    }

    @Override
    public final void abandonAll(EventLoop loop, Throwable cause) {
        abandonSockets(loop, cause);
        if (companion != null) {
            companion.halt();
            companion.selector().abandonAll(loop, cause);
        }
    }

    @Override
    public final void close() throws IOException {
        closeSockets();
        if (companion != null) {
            companion.close();
        }
    }
}
