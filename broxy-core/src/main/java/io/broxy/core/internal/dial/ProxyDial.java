package io.broxy.core.internal.dial;

import io.broxy.AddressPolicy;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.ProxyReply;
import io.broxy.core.internal.http.KeepAlive;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.observe.DialTrace;
import io.broxy.core.internal.observe.FlightRecorderEvents;
import io.broxy.core.internal.time.TimerQueue;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A dial through a proxy on a loop: get a connection to the proxy, tell it the target, all under one deadline.
 *
 * <pre>
 *   PREPARING ──> OPENING ──> TALKING ──> OVER
 *                    ^           │  an idle connection turned out to be dead, or spoilt, once
 *                    └───────────┘
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class ProxyDial implements DialHandle, HopSource.Taker, ChannelEvents {
    private enum State {
        PREPARING,
        OPENING,
        TALKING,
        OVER
    }

    /** A proxy's answer is one head; what follows belongs to the target and is put back. */
    private static final int READ_SIZE = 16 << 10;

    /** For the body of a refusal, whose status is known; see {@link io.broxy.ProxyReply#body}. */
    private static final long BODY_GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /** A server gives an idle connection up, maybe just as it is used (RFC 9110 section 15.5.9). */
    private static final int REQUEST_TIMEOUT = 408;

    private final EventLoop loop;
    private final DialRequest request;
    private final ProxyDialing dialer;
    private final LoopDialer.UserOutcome outcome;
    private final long startNanos;
    private final long endNanos;
    private final TimerQueue.Timer deadline;
    private final DialTrace trace;

    private State state = State.PREPARING;
    private HandshakeFactory.@Nullable Maker handshakes;
    private @Nullable DialHandle opening;
    private HopSource.@Nullable Hop hop;
    private @Nullable Handshake handshake;
    private boolean retried;

    /** The proxy refuses, and only its reasons are waited for. */
    private boolean refusing;

    private ProxyDial(
            EventLoop loop, DialRequest request, long startNanos, ProxyDialing dialer, LoopDialer.Outcome outcome) {
        this.loop = loop;
        this.request = request;
        this.dialer = dialer;
        this.outcome = UserDialerAdapter.forUsers(outcome, request.target());
        this.startNanos = startNanos;
        this.endNanos = startNanos + dialer.timeoutNanos(request);
        this.trace = FlightRecorderEvents.dial(request.target(), dialer.proxy());
        this.deadline = loop.timers().schedule(endNanos, this::timedOut);
    }

    /** Begins a dial whose time runs from {@code startNanos}. */
    static ProxyDial start(
            EventLoop loop, DialRequest request, long startNanos, ProxyDialing dialer, LoopDialer.Outcome outcome) {
        ProxyDial dial = new ProxyDial(loop, request, startNanos, dialer, outcome);
        dial.prepare();
        return dial;
    }

    // ------------------------------------------------------------------ PREPARING

    private void prepare() {
        IOException denial = DialFailures.denialOfLiteral(request);
        if (denial != null) {
            fail(DialException.builder(Reason.DENIED, request.target()).cause(denial));
            return;
        }
        dialer.handshakes().prepare(loop, request.target(), this::prepared, this::notPrepared);
    }

    private void prepared(HandshakeFactory.Maker maker) {
        if (state == State.PREPARING) {
            handshakes = maker;
            open(false);
        }
    }

    private void notPrepared(DialException failure) {
        if (state == State.PREPARING) {
            fail(DialException.builder(failure.reason(), request.target()).cause(failure.getCause()));
        }
    }

    // ------------------------------------------------------------------ OPENING

    private void open(boolean fresh) {
        loop.timers().cancel(deadline); // the dialer below keeps the time, and knows what it has tried
        long left = endNanos - dialer.ticker().nanos();
        if (left <= 0) {
            timedOut();
            return;
        }
        state = State.OPENING;
        DialRequest toProxy = request.toBuilder()
                .target(dialer.proxy())
                .addressPolicy(AddressPolicy.any())
                .timeout(Duration.ofNanos(left))
                .build();
        DialHandle underWay = dialer.hops().open(loop, toProxy, fresh, this);
        if (state == State.OPENING) {
            opening = underWay;
        }
    }

    @Override
    public void failed(DialException failure) {
        fail(DialException.builder(failure.reason(), request.target())
                .attempts(failure.attempts())
                .cause(failure));
    }

    @Override
    public void taken(HopSource.Hop taken) {
        HandshakeFactory.Maker maker = handshakes;
        if (maker == null) {
            throw new IllegalStateException("nothing has been prepared");
        }
        opening = null;
        state = State.TALKING;
        loop.timers().reschedule(deadline, endNanos);
        Handshake talk = maker.make();
        handshake = talk;
        refusing = false;
        hop = taken;
        taken.connection().handler(this);
        send(taken.connection(), talk);
    }

    // ------------------------------------------------------------------ TALKING

    @Override
    public void ready(int readyOps) {
        HopSource.Hop current = hop;
        Handshake talk = handshake;
        if (state != State.TALKING || current == null || talk == null) {
            return;
        }
        if (talk.output().hasRemaining()) {
            send(current.connection(), talk);
        } else {
            read(current.connection(), talk);
        }
    }

    private void send(LoopConnection connection, Handshake talk) {
        try {
            connection.write(talk.output());
            connection.interest(talk.output().hasRemaining() ? SelectionKey.OP_WRITE : SelectionKey.OP_READ);
        } catch (IOException e) {
            broken(talk, e);
        }
    }

    private void read(LoopConnection connection, Handshake talk) {
        ByteBuffer in = loop.buffers().shared().limit(READ_SIZE);
        try {
            if (connection.read(in) < 0) {
                broken(talk, new EOFException("the proxy ended the connection before its answer"));
                return;
            }
            hear(connection, talk, in.flip());
            hurryIfRefused(talk);
        } catch (HandshakeException e) {
            refused(talk, e);
        } catch (IOException e) {
            broken(talk, e);
        }
    }

    private void hear(LoopConnection connection, Handshake talk, ByteBuffer in) throws HandshakeException, IOException {
        while (in.hasRemaining() && state == State.TALKING) {
            switch (talk.feed(in)) {
                case READ -> {}
                case SEND -> {
                    if (in.hasRemaining()) {
                        throw HandshakeException.protocol("the proxy answers what it was not asked yet");
                    }
                    send(connection, talk);
                }
                case DONE -> done(connection, in);
            }
        }
    }

    /** What is known already must not wait for a body that does not end. */
    private void hurryIfRefused(Handshake talk) {
        if (state == State.TALKING && !refusing && talk.refusalSoFar() != null) {
            refusing = true;
            long now = dialer.ticker().nanos();
            loop.timers().reschedule(deadline, now + Math.min(BODY_GRACE_NANOS, endNanos - now));
        }
    }

    private void done(LoopConnection connection, ByteBuffer rest) {
        HopSource.Hop used = hop;
        end();
        if (used != null) {
            used.detach();
        }
        connection.unread(rest);
        rest.position(rest.limit());
        trace.connected(connection.peer());
        outcome.connected(connection);
    }

    /** The proxy has spoken, even if only in part. */
    private void refused(Handshake talk, HandshakeException refusal) {
        if (isReplaceable() && (!talk.answered() || isOfIdleness(refusal))) {
            replace();
            return;
        }
        HopSource.Hop used = hop;
        hop = null;
        KeepAlive kept = refusal.kept();
        if (used != null && kept != null) {
            used.reuse(kept);
        } else if (used != null) {
            used.discard();
        }
        fail(DialException.builder(refusal.reason(), request.target())
                .proxyReply(refusal.reply())
                .cause(refusal.reply() == null ? refusal : null));
    }

    private void broken(Handshake talk, IOException cause) {
        HandshakeException soFar = talk.refusalSoFar();
        if (soFar != null) {
            refused(talk, soFar);
        } else if (isReplaceable() && !talk.answered()) {
            replace();
        } else {
            fail(DialException.builder(Reason.PROTOCOL, request.target()).cause(cause));
        }
    }

    private static boolean isOfIdleness(HandshakeException refusal) {
        ProxyReply reply = refusal.reply();
        return reply != null && reply.protocol() == ProxyReply.Protocol.HTTP && reply.status() == REQUEST_TIMEOUT;
    }

    private boolean isReplaceable() {
        return hop != null && hop.wasIdle() && !retried;
    }

    /** No way has been opened, so that asking for it once more does no harm. */
    private void replace() {
        retried = true;
        if (hop != null) {
            hop.discardUnanswered();
            hop = null;
        }
        open(true);
    }

    // ------------------------------------------------------------------ ends

    private void timedOut() {
        Handshake talk = handshake;
        HandshakeException soFar = talk == null ? null : talk.refusalSoFar();
        if (loop.isStopping()) {
            fail(DialException.builder(Reason.CANCELLED, request.target()));
        } else if (talk != null && soFar != null) {
            refused(talk, soFar);
        } else {
            fail(DialException.builder(Reason.TIMEOUT, request.target())
                    .cause(new SocketTimeoutException("the proxy did not answer in the dial's time")));
        }
    }

    private void fail(DialException.Builder failure) {
        discard();
        end();
        DialException told = failure.proxy(dialer.proxy())
                .duration(Duration.ofNanos(dialer.ticker().nanos() - startNanos))
                .build();
        trace.failed(told);
        outcome.failed(told);
    }

    private void discard() {
        if (hop != null) {
            hop.discard();
            hop = null;
        }
    }

    private void end() {
        state = State.OVER;
        loop.timers().cancel(deadline);
    }

    @Override
    public void cancel() {
        if (state != State.OVER) {
            if (opening != null) {
                opening.cancel();
            }
            discard();
            end();
            trace.cancelled();
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        if (state != State.OVER) {
            fail(DialException.builder(loop.isStopping() ? Reason.CANCELLED : Reason.LOCAL, request.target())
                    .cause(cause));
        }
    }
}
