package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.TimerQueue;
import io.broxy.core.internal.upstream.LoopDialer;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * A dial of an {@link ProxyHeaderDialer} on a loop. The dialer below keeps the deadline until it has connected; after that
 * the header mostly goes out at once.
 *
 * <pre>
 *   DIALING ──> SENDING ──> OVER
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class ProxyHeaderDial implements DialHandle, Completion<LoopConnection>, ChannelEvents {
    private enum State {
        DIALING,
        SENDING,
        OVER
    }

    private final Dial dial;
    private final ByteBuffer header;

    private State state = State.DIALING;
    private @Nullable DialHandle dialing;
    private @Nullable LoopConnection connection;
    private TimerQueue.@Nullable Timer deadline;

    private ProxyHeaderDial(Dial dial, ByteBuffer header) {
        this.dial = dial;
        this.header = header;
    }

    // ------------------------------------------------------------------ DIALING

    /**
     * Begins a dial.
     *
     * @param request the request to the dialer below
     */
    static ProxyHeaderDial start(Dial dial, LoopDialer below, DialRequest request, ByteBuffer header) {
        ProxyHeaderDial started = new ProxyHeaderDial(dial, header);
        DialHandle underWay = below.dial(dial.loop(), request, dial.client(), started);
        if (started.state == State.DIALING) {
            started.dialing = underWay;
        }
        return started;
    }

    @Override
    public void failed(DialException failure) {
        state = State.OVER;
        dial.completion().failed(failure);
    }

    @Override
    public void broken(DialException failure) {
        state = State.OVER;
        dial.completion().broken(failure);
    }

    @Override
    public void done(LoopConnection dialed) {
        state = State.SENDING;
        connection = dialed;
        try {
            dialed.write(header);
            if (header.hasRemaining()) {
                dialed.handler(this);
                deadline = dial.loop().timers().schedule(dial.endNanos(), this::timedOut);
                dialed.interest(SelectionKey.OP_WRITE);
                return;
            }
        } catch (IOException e) {
            fail(Reason.PROTOCOL, e);
            return;
        }
        sent(dialed);
    }

    // ------------------------------------------------------------------ SENDING

    @Override
    public void ready(int readyOps) {
        LoopConnection own = connection;
        if (state != State.SENDING || own == null) {
            return;
        }
        try {
            own.write(header);
            if (header.hasRemaining()) {
                return;
            }
            own.interest(0);
        } catch (IOException e) {
            fail(Reason.PROTOCOL, e);
            return;
        }
        sent(own);
    }

    private void timedOut() {
        if (dial.loop().isStopping()) {
            fail(Reason.CANCELLED, new IOException("the event loop is ending"));
        } else {
            fail(Reason.TIMEOUT, new SocketTimeoutException("the peer did not accept it in the dial's time"));
        }
    }

    // ------------------------------------------------------------------ ends

    private void sent(LoopConnection announced) {
        end();
        dial.completion().done(announced);
    }

    private void fail(Reason reason, Throwable cause) {
        if (state == State.SENDING) {
            discard();
            dial.completion()
                    .failed(dial.failure(reason)
                            .cause(ProxyHeaderDialer.notSent(cause))
                            .build());
        }
    }

    /** Resets the connection, so that a peer with a part of the header does not see an orderly end. */
    private void discard() {
        end();
        if (connection != null) {
            connection.abort();
        }
    }

    private void end() {
        state = State.OVER;
        if (deadline != null) {
            dial.loop().timers().cancel(deadline);
        }
    }

    @Override
    public void clientEnded() {
        if (dialing != null) {
            dialing.clientEnded();
        }
    }

    @Override
    public void cancel() {
        if (state == State.DIALING && dialing != null) {
            dialing.cancel();
        }
        if (state != State.OVER) {
            discard();
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        fail(dial.loop().isStopping() ? Reason.CANCELLED : Reason.LOCAL, cause);
    }
}
