package io.broxy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * Opens connections to targets.
 *
 * <p>A dialer of your own implements {@link #dial(DialRequest)}; {@code io.broxy.core.Broxy} makes the built-in ones.
 * Dialers compose: a dialer that goes through a proxy dials that proxy with another dialer.
 *
 * <p>Threading: implementations are thread-safe.
 */
@FunctionalInterface
public interface Dialer {

    /**
     * Opens a connection, and blocks until it is open. It can be called on platform and virtual threads; interrupting
     * the thread ends the attempt with {@link DialException.Reason#CANCELLED} and leaves the interrupt status set.
     *
     * @param request the target and the conditions, among them one timeout for the whole dial
     * @return the connection, which the caller owns and must close
     * @throws DialException if no connection could be made; nothing stays open then
     */
    Connection dial(DialRequest request) throws DialException;

    /**
     * Opens a connection with default conditions.
     *
     * @param target the target
     * @return the connection, which the caller owns and must close
     * @throws DialException if no connection could be made
     */
    default Connection dial(HostPort target) throws DialException {
        return dial(DialRequest.to(target));
    }

    /**
     * Opens a connection without blocking the caller. The future fails with a {@link DialException}. Completing or
     * canceling the future ({@code cancel}, {@code orTimeout}, …) ends the attempt, and a connection that comes too
     * late is closed.
     *
     * <p>Built-in dialers never block a thread for this and ignore the executor. This default runs {@link
     * #dial(DialRequest)} on the executor, and interrupts it there when the future is completed or canceled by the
     * caller. If the executor rejects the task, the dial fails with {@link DialException.Reason#LOCAL}.
     *
     * @param request the target and the conditions
     * @param executor runs a blocking {@code dial}
     * @return completes with the connection, off Broxy's event loops
     */
    default CompletableFuture<Connection> dialAsync(DialRequest request, Executor executor) {
        return BlockingDial.start(this, request, executor);
    }

    /**
     * Whether this dialer tells the far ends of its connections about {@link DialRequest#client()}. A connection that was
     * dialed for one client must never serve another, so a handler uses it for one request or tunnel, closes it after that, and
     * puts it into no pool. Built-in dialers know this about themselves and about the dialers below them; a dialer of your own
     * that dials through one that returns true must return true too. Otherwise the handler dials without a client wherever it
     * may keep the connection, and the far end is told of none. Called on event loops, so it must not block.
     */
    default boolean sendsClientAddress() {
        return false;
    }

    /**
     * Says for an operator how this dialer would reach a target, or why it would not, in steps of {@link Explanation.Part#ROUTE} and
     * {@link Explanation.Part#ADDRESS_POLICY}. It performs no lookup and opens nothing, must not block, and names no secrets. The default
     * names this class only.
     *
     * @param request the target and the conditions, as for {@link #dial(DialRequest)}
     */
    default Explanation explain(DialRequest request) {
        return Explanation.admitted(
                Explanation.Part.ROUTE,
                "by a dialer of the application, " + getClass().getName());
    }
}
