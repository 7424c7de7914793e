package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.relay.Stage;
import org.jspecify.annotations.Nullable;

/**
 * The last response of a connection, and the time to read it.
 *
 * <p>Threading: owned by the client's event loop, but for {@link #end}.
 */
final class FinalResponse implements Stage {
    private final ClientConnection connection;
    private final CloseReason reason;
    private final @Nullable Throwable cause;
    private @Nullable LingeringClose closing;
    private boolean aborted;

    private FinalResponse(ClientConnection connection, CloseReason reason, @Nullable Throwable cause) {
        this.connection = connection;
        this.reason = reason;
        this.cause = cause;
    }

    /**
     * Writes it, closes, and records the end. A transparent client is reset instead; a host server that keeps its client gets the
     * response to write.
     *
     * @param last the response; may be {@link Answer#NONE}
     */
    static void start(ClientConnection connection, Answer last, CloseReason reason, @Nullable Throwable cause) {
        if (connection.loop().isStopping()) { // which leaves no time for answers
            connection.client().abort();
            connection.over(CloseReason.CLOSED, null);
            return;
        }
        connection.recorder().answered(last.status(), reason, cause);
        if (connection.facts().isTransparent()) {
            connection.client().abort();
            connection.over(reason, cause);
            return;
        }
        if (connection.client() instanceof HostClient host) {
            connection.over(reason, cause); // first, so that the host server finds it counted
            host.response().answer(last);
            return;
        }
        FinalResponse answer = new FinalResponse(connection, reason, cause);
        connection.tunnel().stage(answer);
        try {
            answer.closing =
                    LingeringClose.start(connection.client(), last.bytes(), () -> connection.over(reason, cause));
        } catch (RuntimeException | Error e) { // such as no memory for a buffer
            connection.logFailure(e);
            connection.client().abort();
            connection.over(CloseReason.FAILED, e);
            return;
        }
        if (answer.aborted) {
            answer.closing.abort();
        }
    }

    @Override
    public void end(CloseReason asked) {
        if (asked != CloseReason.DRAINED && asked != CloseReason.EXPIRED) { // it may still be read
            connection.onLoop(this::abort);
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
