package io.broxy.core.internal.forward;

import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.BodyDecoder;
import io.broxy.core.internal.http.BodyFraming;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.loop.Throttle;
import io.broxy.core.internal.net.LoopConnection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of an exchange: reads the request's body, and then looks out for the client's end. What the client
 * sends behind its request stays with its connection, for the next one.
 *
 * <p>Threading: owned by its event loop.
 */
final class RequestSide implements ChannelEvents {
    /** How much of a body is kept until the proxy has accepted the request. */
    private static final int MAX_COPY = 64 << 10;

    private final Exchange exchange;
    private final LoopConnection client;
    private final ForwardedRequest request;
    private final BodyFraming framing;
    private final @Nullable Throttle throttle;

    /** Leads to the origin, where there is one. */
    private @Nullable BodyPipe body;

    /** Bytes that were read too early wait at the client's connection. */
    private boolean unread;

    private boolean clientEnded;
    /** The origin takes nothing any more, and may have said why. */
    private boolean broken;

    /** Bytes sent to an origin that gave no answer. */
    private long movedBefore;

    /** The body as it was read, for as long as it may have to be sent once more. */
    private @Nullable ByteArrayOutputStream copy;

    /**
     * Creates the side.
     *
     * @param unread whether something that came behind the request's head waits at the client's connection
     * @param throttle limits what is read, or null
     */
    RequestSide(
            Exchange exchange,
            LoopConnection client,
            ForwardedRequest request,
            boolean unread,
            @Nullable Throttle throttle) {
        this.exchange = exchange;
        this.client = client;
        this.request = request;
        this.framing = request.body();
        this.unread = unread;
        this.throttle = throttle;
    }

    private void putBack(ByteBuffer bytes) {
        if (bytes.hasRemaining()) {
            client.unread(bytes);
            unread = true;
        }
    }

    /**
     * Begins to send.
     *
     * @param head in the loop's staging buffer
     * @param repeatable whether to keep the beginning of a body, which may have to be sent once more
     */
    void begin(LoopConnection origin, ByteBuffer head, boolean repeatable) {
        BodyPipe pipe = new BodyPipe(origin);
        copy = repeatable && !framing.isEmpty() ? new ByteArrayOutputStream() : null;
        movedBefore = moved();
        body = pipe;
        broken = false;
        pipe.begin(
                BodyDecoder.request(framing),
                framing.kind() == BodyFraming.Kind.CHUNKED ? request::writeLastChunk : null);
        if (!pipe.isEnded() && unread) {
            unread = false;
            read(pipe, head, Math.min(pipe.readSize(), LoopBuffers.MIN_READ));
            return;
        }
        try {
            pipe.write(head.flip());
        } catch (IOException e) {
            originBroke();
        }
    }

    // ------------------------------------------------------------------ what the exchange asks

    /** Whether all of the request has been read. */
    boolean isComplete() {
        return body == null ? framing.isEmpty() : body.isEnded();
    }

    /** Whether the origin has got all of the request. */
    boolean isSent() {
        return body != null && body.isEnded() && !body.isBlocked() && !broken;
    }

    /** Whether the request can be sent once more, from its beginning. */
    boolean isRepeatable() {
        return framing.isEmpty() || copy != null;
    }

    boolean isBlocked() {
        return body != null && body.isBlocked();
    }

    /** Whether something that came behind the request waits at the client's connection. */
    boolean hasUnread() {
        return unread;
    }

    boolean clientHasEnded() {
        return clientEnded;
    }

    /** Whether it reads: a body as the origin takes it, and once, behind the request, to see whether the client ends. */
    boolean wantsRead() {
        if (clientEnded) {
            return false;
        }
        if (isComplete()) {
            return !unread;
        }
        return body != null && !body.isBlocked() && !broken && (throttle == null || !throttle.isWaiting());
    }

    long moved() {
        return movedBefore + (body == null ? 0 : body.moved());
    }

    // ------------------------------------------------------------------ readiness of the client

    @Override
    public void ready(int readyOps) {
        if ((readyOps & SelectionKey.OP_WRITE) != 0) {
            exchange.flushResponse();
        }
        if ((readyOps & SelectionKey.OP_READ) != 0 && !exchange.isOver() && wantsRead()) {
            BodyPipe pipe = body;
            if (pipe == null || pipe.isEnded()) {
                look();
            } else {
                read(pipe);
            }
        }
        exchange.update();
    }

    private void read(BodyPipe pipe) {
        int size = pipe.readSize();
        if (throttle != null) {
            size = throttle.grant(size, exchange::update);
            if (size == 0) {
                exchange.throttled();
                return;
            }
            throttle.used(0); // what was read is counted below
        }
        read(pipe, exchange.loop().buffers().staging(), size);
    }

    private void read(BodyPipe pipe, ByteBuffer out, int size) {
        ByteBuffer in = exchange.loop().buffers().shared().limit(size);
        try {
            if (client.read(in) < 0) {
                exchange.clientGone(null); // within its request
                return;
            }
        } catch (IOException e) {
            exchange.clientGone(e);
            return;
        }
        int count = in.position();
        if (count > 0) {
            exchange.touch();
        }
        long before = pipe.moved();
        if (throttle != null) {
            throttle.spend(count);
        }
        ByteBuffer received = in.flip().duplicate();
        try {
            pipe.pass(in, out);
            keep(received, in.position());
            refund(in.remaining()); // it is the next request's
            putBack(in);
        } catch (BadHeadException e) {
            exchange.badRequest(e);
        } catch (IOException e) {
            keep(received, count);
            refund(count - (pipe.moved() - before));
            originBroke();
        }
    }

    private void keep(ByteBuffer received, int count) {
        if (copy != null && copy.size() + count > MAX_COPY) {
            copy = null;
        }
        if (copy != null) {
            byte[] bytes = new byte[count];
            received.get(bytes);
            copy.writeBytes(bytes);
        }
    }

    /** So many bytes do not reach the origin: they count for no rate. */
    private void refund(long bytes) {
        if (throttle != null && bytes > 0) {
            throttle.refund(bytes);
        }
    }

    /** The client has nothing to say until it is answered, unless it sends its next request before that. */
    private void look() {
        ByteBuffer in = exchange.loop().buffers().shared().limit(LoopBuffers.HEAD_READ);
        try {
            if (client.read(in) < 0) {
                clientEnded = true; // of what it sends, and not necessarily of what it wants to read
            }
            putBack(in.flip());
        } catch (IOException e) {
            exchange.clientGone(e);
        }
    }

    // ------------------------------------------------------------------ readiness of the origin

    void flush() {
        if (body == null) {
            return;
        }
        try {
            if (body.flush()) {
                exchange.touch();
            }
        } catch (IOException e) {
            originBroke();
        }
    }

    /** A later read shows what that means: the origin may have answered before it closed (RFC 9112 section 9.5). */
    private void originBroke() {
        broken = true;
        release();
    }

    /** The request is to be sent once more, from its beginning. */
    void rewind() {
        movedBefore = moved();
        if (copy == null) {
            release();
        } else if (body != null) {
            body.release();
        }
        body = null;
        broken = false;
        if (copy != null) {
            refund(copy.size());
            putBack(ByteBuffer.wrap(copy.toByteArray()));
            copy = null;
        }
    }

    /** Gives back what is held for the origin. */
    void release() {
        if (body != null) {
            refund(body.waiting());
            body.release();
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        exchange.abandoned(cause);
    }
}
