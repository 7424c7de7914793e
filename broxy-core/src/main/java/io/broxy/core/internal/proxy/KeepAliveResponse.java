package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;

/**
 * An answer of the proxy's own behind which the client may send another request.
 *
 * <p>Threading: owned by its event loop.
 */
final class KeepAliveResponse implements Conversation.Step {
    private final Conversation conversation;
    private final ByteBuffer rest;
    private final long deadlineNanos;

    private KeepAliveResponse(Conversation conversation, ByteBuffer reply) {
        this.conversation = conversation;
        this.rest = reply;
        ClientConnection served = conversation.served();
        this.deadlineNanos = served.loop().nowNanos()
                + served.handler().settings().forwarding().times().bodyNanos();
    }

    /** Writes it; the conversation goes on behind it. */
    static void start(Conversation conversation, ByteBuffer reply) {
        KeepAliveResponse answer = new KeepAliveResponse(conversation, reply);
        conversation.step(answer);
        answer.write();
    }

    @Override
    public void ready(int readyOps) {
        write();
    }

    private void write() {
        try {
            conversation.served().client().write(rest);
        } catch (IOException e) {
            conversation.clientGone(e);
            return;
        }
        if (rest.hasRemaining()) {
            conversation.due(deadlineNanos);
            conversation.waitFor(SelectionKey.OP_WRITE);
        } else {
            conversation.next();
        }
    }

    @Override
    public void timedOut() {
        conversation.abort(CloseReason.IDLE, null);
    }
}
