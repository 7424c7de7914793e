package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;

/**
 * Tells a connection's handler about readiness that no selector sees, such as bytes that were read before: in a turn of its
 * own, so that nothing recurs, and once a turn for as long as it lasts, so that the other connections get theirs.
 *
 * <p>Threading: owned by the event loop.
 */
public final class UnseenReadiness implements Runnable {
    private final EventLoop loop;
    private final Source source;
    private boolean planned;

    /** A connection with such readiness. Threading: owned by its event loop. */
    public interface Source {
        /** For which operations it is ready unseen and its handler wants to be told; 0 for none. */
        int unseenOps();

        /** Whoever is told. */
        ChannelEvents told();

        /** The handler has failed and was abandoned. */
        void abort();
    }

    public UnseenReadiness(EventLoop loop, Source source) {
        this.loop = loop;
        this.source = source;
    }

    /** To be called whenever there may be something to tell. A loop that stops abandons the handler instead. */
    public void check() {
        if (!planned && source.unseenOps() != 0 && !loop.isStopping()) {
            planned = true;
            loop.execute(this);
        }
    }

    /** As {@link #check}, but in the turn of now: for a task that carries nothing but the news. */
    public void tell() {
        if (!planned && !loop.isStopping()) {
            run();
        }
    }

    @Override
    public void run() {
        planned = false;
        int ops = source.unseenOps();
        if (ops == 0) {
            return;
        }
        if (loop.tell(source.told(), ops)) {
            check();
        } else {
            source.abort();
        }
    }
}
