package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.ConnectResponse;
import io.broxy.core.internal.loop.WaitedFuture;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The response that a host server waits for: it comes once, whatever becomes of the request. Ending the future from outside ends
 * the tunnel; a response that comes too late is closed.
 *
 * <p>Threading: thread-safe.
 */
final class PendingResponse implements AutoCloseable {
    private final ClientConnection connection;
    private final CompletableFuture<ConnectResponse> future = new WaitedFuture<>();
    private final AtomicBoolean answered = new AtomicBoolean();

    PendingResponse(ClientConnection connection) {
        this.connection = connection;
        future.whenComplete((response, failure) -> {
            if (failure != null) {
                connection.tunnel().end(CloseReason.CLOSED);
            }
        });
    }

    /** The host server's. */
    CompletableFuture<ConnectResponse> future() {
        return future;
    }

    /** The request is refused, or its dial has failed. */
    void answer(Answer answer) {
        complete(answer, null);
    }

    /** The target is connected. */
    void open(OpenedStep opened) {
        complete(Responses.established(), opened);
    }

    /** The tunnel has ended: the host server gets an error, unless it has its response. */
    @Override
    public void close() {
        complete(Responses.noTunnel(), null);
    }

    private void complete(Answer answer, @Nullable OpenedStep opened) {
        if (!answered.compareAndSet(false, true)) {
            return;
        }
        ConnectResponse response = HostResponse.of(answer, connection, opened);
        connection.context().completions().execute(() -> {
            if (!future.complete(response)) {
                response.close();
            }
        });
    }
}
