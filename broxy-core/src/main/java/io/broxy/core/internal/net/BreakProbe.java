package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One check whether a socket has broken. A selector does not report a socket that waits for no readiness, and a read reports a
 * reset only behind the bytes that came before it. But a connected socket that is registered for connecting becomes ready
 * only when it hangs up. Meanwhile the kernel wakes the selector for a writable socket, so a probe lasts for one select.
 *
 * <p>Threading: owned by its event loop.
 */
final class BreakProbe implements ChannelEvents, Runnable {
    private final EventLoop loop;
    private final LoopSocket socket;
    private @Nullable Consumer<IOException> broken;
    /** The first task runs in the turn that began the probe, the second after the select of the next turn. */
    private boolean selected;

    BreakProbe(EventLoop loop, LoopSocket socket) {
        this.loop = loop;
        this.socket = socket;
    }

    boolean isUnderWay() {
        return broken != null;
    }

    /** Begins; none may be under way. */
    void start(Consumer<IOException> told) {
        broken = told;
        selected = false;
        socket.beginProbe(this);
        loop.execute(this);
    }

    @Override
    public void run() {
        if (broken == null || loop.isStopping()) {
            return;
        }
        if (selected) {
            end();
        } else {
            selected = true;
            loop.execute(this);
        }
    }

    private void end() {
        broken = null;
        socket.endProbe();
    }

    @Override
    public void ready(int readyOps) {
        Consumer<IOException> told = broken;
        if ((readyOps & SelectionKey.OP_CONNECT) == 0 || told == null) {
            socket.handler().ready(readyOps);
            return;
        }
        end();
        told.accept(socket.failureOfWrite());
    }

    @Override
    public void abandoned(Throwable cause) {
        socket.handler().abandoned(cause);
    }
}
