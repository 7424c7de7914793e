package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * What all connections share as their loop drives them: a handler, the readiness that it wants, and bytes that were read too
 * far. No selector sees readiness such as these bytes make, so the handler is notified of it in a turn of its own, so that no
 * calls nest, and once a turn for as long as it lasts, so that the other connections get their turns.
 *
 * <p>Threading: owned by its event loop.
 */
public abstract class DrivenConnection implements LoopConnection {
    protected final EventLoop loop;
    protected final LoopLeftover leftover;
    /** The operations whose readiness the handler wants; set by a subclass. */
    protected int interest;

    private final Runnable notification = this::notifyHandler;
    private @Nullable ChannelEvents handler;
    private boolean open = true;
    private boolean planned;

    protected DrivenConnection(EventLoop loop, LoopLeftover leftover) {
        this.loop = loop;
        this.leftover = leftover;
    }

    /** The operations for which it is ready unseen by a selector and which its handler wants; 0 for none. */
    protected abstract int unseenOps();

    // ------------------------------------------------------------------ the handler

    @Override
    public final EventLoop loop() {
        return loop;
    }

    @Override
    public void handler(ChannelEvents handler) {
        assert loop.inLoop();
        this.handler = handler;
    }

    protected final ChannelEvents handler() {
        if (handler == null) {
            throw new IllegalStateException("no handler to notify of readiness");
        }
        return handler;
    }

    protected final boolean hasHandler() {
        return handler != null;
    }

    @Override
    public final int interest() {
        return interest;
    }

    @Override
    public final void unread(ByteBuffer bytes) {
        assert loop.inLoop();
        if (open) {
            leftover.unread(bytes);
            checkUnseen();
        }
    }

    // ------------------------------------------------------------------ readiness that no selector sees

    /** Called whenever there may be such readiness. A loop that stops abandons the handler instead. */
    protected final void checkUnseen() {
        if (!planned && unseenOps() != 0 && !loop.isStopping()) {
            planned = true;
            loop.execute(notification);
        }
    }

    /** As {@link #checkUnseen}, but in the current turn: for a task that only brings the news. */
    protected final void checkUnseenNow() {
        if (!planned && !loop.isStopping()) {
            notifyHandler();
        }
    }

    private void notifyHandler() {
        planned = false;
        int ops = unseenOps();
        if (ops == 0) {
            return;
        }
        if (loop.deliver(handler(), ops)) {
            checkUnseen();
        } else {
            abort();
        }
    }

    // ------------------------------------------------------------------ the end

    @Override
    public final boolean isOpen() {
        return open;
    }

    protected final void ensureOpen() throws ClosedChannelException {
        if (!open) {
            throw new ClosedChannelException();
        }
    }

    /** Notes that the loop drives it no more: it is closed, or on its way to a user. */
    protected final void over() {
        open = false;
        interest = 0;
    }
}
