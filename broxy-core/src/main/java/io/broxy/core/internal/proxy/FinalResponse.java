package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.relay.Stage;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The last that a client is told, and the time to read it.
 *
 * <p>Threading: owned by the client's event loop, but for {@link #end}.
 */
final class FinalResponse implements Stage {
    private final ClientConnection served;
    private final CloseReason reason;
    private final @Nullable Throwable cause;
    private @Nullable LingeringClose closing;
    private boolean aborted;

    private FinalResponse(ClientConnection served, CloseReason reason, @Nullable Throwable cause) {
        this.served = served;
        this.reason = reason;
        this.cause = cause;
    }

    /**
     * Tells it, closes, and records the end.
     *
     * @param last what the client is told; may be empty
     */
    static void start(ClientConnection served, ByteBuffer last, CloseReason reason, @Nullable Throwable cause) {
        if (served.loop().isStopping()) { // which leaves no time for answers
            served.client().abort();
            served.over(CloseReason.CLOSED, null);
            return;
        }
        served.tunnel().visit().answered(Responses.status(last), reason, cause);
        FinalResponse answer = new FinalResponse(served, reason, cause);
        served.tunnel().stage(answer);
        try {
            answer.closing = LingeringClose.start(served.client(), last, () -> served.over(reason, cause));
        } catch (RuntimeException | Error e) { // such as no memory for a buffer
            served.logFailure(e);
            served.client().abort();
            served.over(CloseReason.FAILED, e);
            return;
        }
        if (answer.aborted) {
            answer.closing.abort();
        }
    }

    @Override
    public void end(CloseReason asked) {
        if (asked != CloseReason.DRAINED && asked != CloseReason.EXPIRED) { // it may still be read
            served.onLoop(this::abort);
        }
    }

    private void abort() {
        aborted = true;
        if (closing != null) {
            closing.abort();
        }
    }

    /** Names why the client's connection ends. */
    @Override
    public String toString() {
        return "FinalResponse[" + reason + (cause == null ? "" : ", " + cause) + "]";
    }
}
