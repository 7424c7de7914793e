package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * The common part of all connections on a loop: a handler, the readiness that it wants, and bytes that were read ahead. The
 * selector cannot see readiness that comes from such bytes. The handler is therefore notified in a separate turn, so that calls
 * do not nest, and once per turn while the readiness lasts, so that other connections are not starved.
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

    /** The operations that the handler wants and that are ready without the selector's knowledge; 0 for none. */
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

    /** Must be called whenever such readiness may exist. A stopping loop abandons the handler instead. */
    protected final void checkUnseen() {
        if (!planned && unseenOps() != 0 && !loop.isStopping()) {
            planned = true;
            loop.execute(notification);
        }
    }

    /** As {@link #checkUnseen}, but in the current turn, for tasks that do nothing else. */
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

    /** Marks the connection as no longer driven by the loop: it is closed or being released to a user. */
    protected final void over() {
        open = false;
        interest = 0;
    }
}
