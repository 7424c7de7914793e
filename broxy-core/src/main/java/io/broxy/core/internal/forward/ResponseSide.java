package io.broxy.core.internal.forward;

import io.broxy.CloseReason;
import io.broxy.OriginException;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.BadHeadException.Problem;
import io.broxy.core.internal.http.BodyDecoder;
import io.broxy.core.internal.http.BodyFraming;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.ForwardedResponse;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.http.HeadParser;
import io.broxy.core.internal.http.InterimResponses;
import io.broxy.core.internal.http.ResponseHead;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.loop.Throttle;
import io.broxy.core.internal.net.LoopConnection;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * The origin's side of an exchange: reads interim responses, the final one and its body.
 *
 * <p>Threading: owned by its event loop.
 */
final class ResponseSide implements ChannelEvents {
    private final Exchange exchange;
    private final ExchangeOwner owner;
    private final UpstreamConnection upstream;
    private final LoopConnection origin;
    private final ForwardedRequest request;
    private final BodyPipe body;
    private final @Nullable Throttle throttle;

    private final HeadLimits limits;
    private final @Nullable String pseudonym;
    private HeadParser<ResponseHead> parser;
    private final InterimResponses interim = new InterimResponses();
    private @Nullable ForwardedResponse response;
    /** The head has gone out with what came behind it. */
    private boolean begun;

    /** A head has come whole, and so an answer, be it an interim one. */
    private boolean headRead;

    private boolean persistent;
    /** The origin has sent bytes behind its response, which no request asked for. */
    private boolean stray;
    /** Read, charged to the rate, and so far no part of what goes to the client. */
    private long undelivered;

    /**
     * Creates the side.
     *
     * @param throttle limits what is read, or null
     */
    ResponseSide(
            Exchange exchange,
            ExchangeOwner owner,
            UpstreamConnection upstream,
            LoopConnection client,
            ForwardedRequest request,
            Forwarding forwarding,
            @Nullable Throttle throttle) {
        this.exchange = exchange;
        this.owner = owner;
        this.upstream = upstream;
        this.origin = upstream.connection();
        this.request = request;
        this.body = new BodyPipe(client);
        this.throttle = throttle;
        this.limits = forwarding.responseLimits();
        this.pseudonym = forwarding.pseudonym();
        this.parser = newParser();
    }

    private HeadParser<ResponseHead> newParser() {
        return request.isConnect() ? HeadParser.connectResponse(limits) : HeadParser.response(limits);
    }

    // ------------------------------------------------------------------ what the exchange asks

    /** Whether a byte of the final response may have gone to the client. */
    boolean hasBegun() {
        return begun;
    }

    /** The status of the final response, or 0. */
    int status() {
        return response == null ? 0 : response.status();
    }

    boolean isBlocked() {
        return body.isBlocked();
    }

    boolean wantsRead() {
        return !body.isBlocked() && (throttle == null || !throttle.isWaiting());
    }

    /** Whether the client sees a cut without a reset. */
    boolean isDelimited() {
        return response != null && response.delimited();
    }

    long moved() {
        return body.moved();
    }

    void interest(int ops) {
        try {
            origin.interest(ops);
        } catch (IOException e) {
            broken(e);
        }
    }

    /** Gives back what is held for the client, and what the rate was charged for bytes that it does not get. */
    void release() {
        if (throttle != null) {
            throttle.refund(undelivered + body.waiting());
            undelivered = 0;
        }
        body.release();
    }

    // ------------------------------------------------------------------ readiness of the origin

    @Override
    public void ready(int readyOps) {
        if ((readyOps & SelectionKey.OP_WRITE) != 0) {
            exchange.flushRequest();
        }
        if ((readyOps & SelectionKey.OP_READ) != 0 && !exchange.isOver() && !body.isBlocked()) {
            read();
        }
        exchange.update();
    }

    private void read() {
        int size = response == null ? LoopBuffers.MIN_READ : body.readSize();
        if (throttle != null) {
            size = throttle.grant(size, exchange::update);
            if (size == 0) {
                exchange.throttled();
                return;
            }
        }
        ByteBuffer in = exchange.loop().buffers().shared().limit(size);
        int count;
        try {
            count = origin.read(in);
        } catch (IOException e) {
            used(0);
            broken(e);
            return;
        }
        used(Math.max(count, 0));
        if (count < 0) {
            ended();
        } else if (count > 0) {
            exchange.touch();
            deliver(in.flip(), count);
        }
    }

    private void used(int count) {
        if (throttle != null) {
            throttle.used(count);
        }
    }

    private void deliver(ByteBuffer in, int count) {
        long before = body.moved();
        undelivered += count;
        try {
            take(in);
        } catch (BadHeadException e) {
            undelivered = Math.max(0, undelivered - (body.moved() - before));
            if (!headRead && exchange.route().repeat()) {
                return; // what has come is no answer, so it was left of something else
            }
            exchange.fail(new OriginException(OriginException.Reason.INVALID_RESPONSE, exchange.target(), e));
        } catch (RefusedException e) {
            undelivered = Math.max(0, undelivered - (body.moved() - before));
            exchange.fail(e);
        } catch (IOException e) {
            undelivered = Math.max(0, undelivered - (body.moved() - before));
            exchange.clientGone(e);
        }
    }

    private void take(ByteBuffer in) throws BadHeadException, IOException {
        LoopBuffers buffers = exchange.loop().buffers();
        ByteBuffer out = response == null ? buffers.staging(roomForHeads()) : buffers.staging();
        if (response == null && !heads(in, out)) {
            return;
        }
        body.pass(in, out);
        undelivered = 0; // what has not gone out is held
        begun = true;
        stray |= in.hasRemaining();
        ForwardedResponse whole = response;
        if (whole != null && body.isEnded()) {
            upstream.answered(whole.keepAlive());
        }
        completeIfWritten();
    }

    // ------------------------------------------------------------------ heads

    /**
     * Room for all heads that one read can complete, and the body's beginning behind them. A line may grow from three bytes to
     * five as it is normalised, which leaves a sixth: for a few lines of this proxy's own in each head, and for {@link
     * io.broxy.FieldEdits#MAX_BYTES} of a filter in the last.
     */
    private int roomForHeads() {
        return 2 * (limits.headBytes() + LoopBuffers.MIN_READ);
    }

    /** True when the final response has begun, and nothing else is to be said of it. */
    private boolean heads(ByteBuffer in, ByteBuffer out) throws BadHeadException, IOException {
        for (ResponseHead head; (head = parser.feed(in)) != null; ) {
            headRead = true;
            if (request.isConnect() && head.isSuccessful()) { // whatever its fields say of a body
                connected(in);
                return false;
            }
            ForwardedResponse next = read(head);
            upstream.bind(next);
            if (next.isUpgrade()) {
                upgrade(next, in, out);
                return false;
            }
            if (!next.isInterim()) {
                return begin(next, in, out);
            }
            interim.add(head);
            parser = newParser();
            if (next.isForClient()) {
                next.write(out, true, pseudonym);
            }
        }
        if (out.position() > 0) {
            body.write(out.flip());
        }
        return false;
    }

    private ForwardedResponse read(ResponseHead head) throws BadHeadException {
        ForwardedResponse read = ForwardedResponse.of(head, request);
        return upstream.passesLogin() ? read.withProxyLogin() : read;
    }

    private boolean begin(ForwardedResponse received, ByteBuffer in, ByteBuffer out) throws RefusedException {
        if (received.isOfIdleness() && exchange.route().repeat()) {
            return false;
        }
        boolean challenge = received.isProxyChallenge();
        if (challenge && !upstream.passesLogin()) { // meant for this proxy, of which the client knows nothing
            exchange.credentialsRefused(received, in);
            return false;
        }
        if (request.isConnect() && !challenge) {
            exchange.route().tunnelRefused(received);
            return false;
        }
        exchange.route().answered(received);
        ForwardedResponse next = request.isConnect() ? received : owner.filter(received);
        response = next;
        boolean originEnds = upstream.isOfClient() && !next.originPersists();
        persistent = next.delimited() && !originEnds && exchange.mayPersist();
        next.write(out, persistent, upstream.supportsLogins(next), pseudonym);
        boolean chunked = next.body().kind() == BodyFraming.Kind.CHUNKED && !next.dechunked();
        body.begin(BodyDecoder.response(next.body()), chunked ? next::writeLastChunk : null);
        return true;
    }

    /** What has come behind the response is the target's, and is read again. */
    private void connected(ByteBuffer in) {
        exchange.route().connected();
        origin.unread(in);
        exchange.upgrade(null);
    }

    private void upgrade(ForwardedResponse answer, ByteBuffer in, ByteBuffer out)
            throws BadHeadException, RefusedException {
        if (!exchange.requestComplete()) {
            throw new BadHeadException(Problem.FRAMING, "protocols are switched within the request");
        }
        owner.filter(answer).write(out, true, pseudonym);
        undelivered = 0;
        out.put(in);
        exchange.upgrade(exchange.loop().buffers().hold(out.flip()));
    }

    // ------------------------------------------------------------------ the end

    /** The client may take more. */
    void flush() {
        try {
            if (body.flush()) {
                exchange.touch();
            }
            completeIfWritten();
        } catch (IOException e) {
            exchange.clientGone(e);
        }
    }

    private void completeIfWritten() {
        ForwardedResponse whole = response;
        if (whole != null && body.isEnded() && !body.isBlocked()) {
            exchange.complete(persistent, whole.originPersists() && !stray && origin.isOpen());
        }
    }

    private void ended() {
        ForwardedResponse begun = response;
        if (begun != null && begun.body().kind() == BodyFraming.Kind.UNTIL_CLOSE) {
            body.endWithSource();
            completeIfWritten();
        } else {
            broken(null);
        }
    }

    private void broken(@Nullable IOException cause) {
        if (response != null) {
            exchange.cut(
                    CloseReason.ORIGIN_RESET,
                    cause == null ? new EOFException("the origin has ended its stream within the response") : cause);
        } else if (!headRead && exchange.route().repeat()) {
            return;
        } else if (parser.begun() || interim.any()) {
            exchange.fail(new OriginException(OriginException.Reason.NO_RESPONSE, exchange.target(), cause));
        } else {
            exchange.route().unanswered(cause);
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        exchange.abandoned(cause);
    }
}
