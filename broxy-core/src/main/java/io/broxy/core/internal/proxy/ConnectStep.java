package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.relay.Relay;
import io.broxy.core.internal.relay.Stage;
import io.broxy.core.internal.relay.TunnelHandle;
import io.broxy.core.internal.upstream.LoopDialer;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * A CONNECT whose target is being dialled, until its tunnel stands or the client has to be told why not.
 *
 * <p>The client is read once at most meanwhile: enough to notice that it was reset, which ends the dial. Whatever more it
 * sends waits in the kernel, and so costs nothing here.
 *
 * <p>Threading: owned by the client's event loop, but for {@link #end}.
 */
final class ConnectStep implements ChannelEvents, Stage, LoopDialer.UserOutcome {
    private final ClientConnection served;
    private final TunnelHandle tunnel;
    private final LoopConnection client;
    private @Nullable DialHandle dialing;
    private boolean over;

    private ConnectStep(ClientConnection served) {
        this.served = served;
        this.tunnel = served.tunnel();
        this.client = served.client();
    }

    /**
     * Begins to dial.
     *
     * @param spoken whether the client has sent something behind its request, which waits at its connection
     */
    static void start(ClientConnection served, HostPort target, @Nullable String identity, boolean spoken) {
        ConnectStep opening = new ConnectStep(served);
        served.client().handler(opening);
        served.tunnel().describe(target, identity);
        served.identified(identity);
        served.tunnel().stage(opening);
        if (opening.over) {
            return; // its end was asked for before
        }
        try {
            opening.dial(target, spoken);
        } catch (RuntimeException | Error e) { // such as no memory for a buffer
            served.logFailure(e);
            opening.abandoned(e);
        }
    }

    private void dial(HostPort target, boolean spoken) {
        DefaultProxyHandler handler = served.handler();
        if (!handler.accounting().tryBeginTunnel()) {
            over = true;
            FinalResponse.start(
                    served, Responses.refused(Rejection.DRAINING.exception(), true), CloseReason.REFUSED, Rejection.DRAINING.exception());
            return;
        }
        tunnel.phase(TunnelHandle.Phase.ADMITTED);
        try {
            client.interest(0);
        } catch (IOException e) {
            clientGone(e);
            return;
        }
        DialHandle underWay = handler.beginDial(served, target, this);
        if (over) {
            return;
        }
        dialing = underWay;
        if (!spoken) {
            watch();
        }
    }

    // ------------------------------------------------------------------ the client meanwhile

    private void watch() {
        try {
            client.interest(SelectionKey.OP_READ);
        } catch (IOException e) {
            clientGone(e);
        }
    }

    @Override
    public void ready(int readyOps) {
        if (over) {
            return;
        }
        ByteBuffer buffer = served.loop().buffers().shared().limit(LoopBuffers.HEAD_READ);
        try {
            int count = client.read(buffer);
            if (count != 0) {
                client.interest(0); // the end of its stream may be no more than a half-close; the relay finds it again
            }
            if (count < 0 && dialing != null) {
                dialing.clientEnded();
            }
        } catch (IOException e) {
            clientGone(e);
            return;
        }
        client.unread(buffer.flip());
    }

    private void clientGone(IOException cause) {
        cancelDial();
        client.close();
        finish(CloseReason.CLIENT_GONE, cause);
    }

    private void cancelDial() {
        if (dialing != null) {
            dialing.cancel();
        }
    }

    // ------------------------------------------------------------------ what comes of it

    @Override
    public @Nullable InetAddress forClient() {
        return served.clientAddress();
    }

    @Override
    public void connected(LoopConnection origin) {
        if (origin.takesThreads() && !served.handler().entrance().mayHaveThreads(tunnel)) {
            origin.abort();
            answer(Responses.refused(Rejection.FULL.exception(), true), CloseReason.REFUSED, Rejection.FULL.exception());
            return;
        }
        try {
            client.interest(0); // what is wanted from now on is for the relay
        } catch (IOException e) {
            origin.abort();
            clientGone(e);
            return;
        }
        over = true;
        served.handler().established(tunnel, origin.peer());
        ByteBuffer answer = Responses.established(served.loop().buffers());
        Relay.start(client, origin, served.handler().settings().idleness(), tunnel, null, answer, answer.remaining());
    }

    @Override
    public void failed(DialException failure) {
        answer(Responses.failed(failure, true, false), CloseReason.DIAL_FAILED, failure);
    }

    /** The dialer broke its contract. */
    @Override
    public void dialerFailed(Throwable failure) {
        answer(Responses.internalError(), CloseReason.FAILED, failure);
    }

    private void answer(ByteBuffer reply, CloseReason reason, Throwable cause) {
        over = true;
        served.handler().givenUp(tunnel);
        FinalResponse.start(served, reply, reason, cause);
    }

    // ------------------------------------------------------------------ ends

    @Override
    public void end(CloseReason reason) {
        served.onLoop(() -> endInLoop(reason, null));
    }

    private void endInLoop(CloseReason reason, @Nullable Throwable cause) {
        if (!over) {
            cancelDial();
            client.abort();
            finish(reason, cause);
        }
    }

    private void finish(CloseReason reason, @Nullable Throwable cause) {
        if (!over) {
            over = true;
            served.over(reason, cause);
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        CloseReason reason = served.reasonOfAbandon();
        endInLoop(reason, reason == CloseReason.FAILED ? cause : null);
    }
}
