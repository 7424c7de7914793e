package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A tunnel whose target is connected, and whose client the host server has yet to pass on, with the response written. The host
 * server has the time in which clients send the heads of their requests.
 *
 * <p>Threading: owned by the client's event loop, but for {@link #loop}.
 */
final class OpenedStep implements Step, ChannelEvents {
    private final ClientConnection connection;
    private final HostClient host;
    private final EventLoop loop;
    private final LoopConnection origin;

    private OpenedStep(ClientConnection connection, HostClient host, LoopConnection origin) {
        this.connection = connection;
        this.host = host;
        this.loop = host.loop();
        this.origin = origin;
    }

    /** Begins to wait. */
    static void start(ClientConnection connection, HostClient host, LoopConnection origin) {
        connection.begin(new OpenedStep(connection, host, origin));
    }

    EventLoop loop() {
        return loop;
    }

    @Override
    public void begin() {
        origin.handler(this);
        try {
            origin.interest(0); // what it sends meanwhile is for the relay, and so is its end
        } catch (IOException e) {
            connection.abort(CloseReason.FAILED, e);
            return;
        }
        connection.due(loop.nowNanos() + connection.timeouts().headNanos());
        host.response().open(this);
    }

    // ------------------------------------------------------------------ what comes of it

    /**
     * The client comes; it is reset if the tunnel has ended meanwhile.
     *
     * @param read the bytes of the client that the host server has read since the request
     */
    void relay(LoopConnection client, ByteBuffer read) {
        if (!connection.isAt(this)) {
            client.abort();
            return;
        }
        if (client.takesThreads() && !connection.account().admission().mayHaveThreads()) {
            client.abort();
            connection.abort(CloseReason.REFUSED, Rejection.TOO_MANY_THREADS.exception());
            return;
        }
        client.unread(read);
        client.unread(host.takeEarlyBytes());
        connection.onLoop(client);
        connection.facts().becomeTransparent(); // the host server has answered
        ConnectStep.relay(connection, origin);
    }

    /** The client's connection is broken. */
    void clientGone(IOException cause) {
        if (connection.isAt(this)) {
            connection.clientGone(cause);
        }
    }

    @Override
    public void timedOut() {
        connection.abort(CloseReason.IDLE, null);
    }

    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        origin.abort();
    }

    // ------------------------------------------------------------------ the origin's connection

    @Override
    public void ready(int readyOps) {
        // Nothing is waited for.
    }

    @Override
    public void abandoned(Throwable cause) {
        connection.abandoned(cause);
    }
}
