package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;

/**
 * Notifies a connection's handler of readiness that no selector sees, such as bytes that were read before: in a turn of its
 * own, so that no calls nest, and once a turn for as long as it lasts, so that the other connections get their turns.
 *
 * <p>Threading: owned by the event loop.
 */
public final class UnseenReadiness implements Runnable {
    private final EventLoop loop;
    private final Source source;
    private boolean planned;

    /** A connection with such readiness. Threading: owned by its event loop. */
    public interface Source {
        /** The operations for which it is ready unseen and which its handler wants; 0 for none. */
        int unseenOps();

        /** The handler. */
        ChannelEvents told();

        /** Resets the connection, whose handler has failed and was abandoned. */
        void abort();
    }

    public UnseenReadiness(EventLoop loop, Source source) {
        this.loop = loop;
        this.source = source;
    }

    /** Called whenever there may be such readiness. A loop that stops abandons the handler instead. */
    public void check() {
        if (!planned && source.unseenOps() != 0 && !loop.isStopping()) {
            planned = true;
            loop.execute(this);
        }
    }

    /** As {@link #check}, but in the current turn: for a task that only brings the news. */
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
