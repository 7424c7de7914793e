package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.ProxyReply;
import io.broxy.core.internal.dial.TunnelDialer.ProxyConnection;
import io.broxy.core.internal.http.KeepAlive;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.observe.DialTrace;
import io.broxy.core.internal.observe.FlightRecorderEvents;
import io.broxy.core.internal.time.TimerQueue;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A dial through a proxy on a loop: gets a connection to the proxy and opens a tunnel over it, all under one deadline.
 *
 * <pre>
 *       ┌─────────────────────────┐  an idle connection turned out to be dead, or spoilt, once
 *       v                         │
 *   PREPARING ──> OPENING ──> TALKING ──> OVER
 *                    ^         ^   │  the proxy wants credentials, or its acceptance is to be checked
 *                    │         │   v
 *                    └──────── ASKING
 *             the proxy has ended the connection
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class ProxyDial implements DialHandle, Completion<ProxyConnection>, ChannelEvents {
    private enum State {
        PREPARING,
        OPENING,
        TALKING,
        /** The scheme of the login decides what comes next; the connection is left alone. */
        ASKING,
        OVER
    }

    /** A proxy's answer is one head; what follows belongs to the target and is put back. */
    private static final int READ_SIZE = 16 << 10;

    /** For the body of a refusal, whose status is known; see {@link io.broxy.ProxyReply#body}. */
    private static final long BODY_GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /** For the body of a challenge, behind which the connection is still of use. */
    private static final long CHALLENGE_GRACE_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** A server closes an idle connection, maybe just as it is used (RFC 9110 section 15.5.9). */
    private static final int REQUEST_TIMEOUT = 408;

    private final Dial dial;
    private final EventLoop loop;
    private final TunnelDialer dialer;
    private final TimerQueue.Timer deadline;
    private final DialTrace trace;
    private final DialLogin login;

    private State state = State.PREPARING;
    private @Nullable DialHandle opening;
    private @Nullable ProxyConnection used;
    private @Nullable Handshake handshake;
    private boolean retried;
    /** The handshake answers a challenge over the connection that brought it. */
    private boolean answering;
    /** The proxy refuses, and the dial only waits for the rest of the reply. */
    private boolean refusing;

    ProxyDial(Dial dial, TunnelDialer dialer) {
        this.dial = dial;
        this.loop = dial.loop();
        this.dialer = dialer;
        this.login = new DialLogin(dial, dialer, this::fail);
        this.trace = FlightRecorderEvents.dial(dial.target(), dialer.proxy());
        this.deadline = loop.timers().schedule(dial.endNanos(), this::timedOut);
    }

    // ------------------------------------------------------------------ PREPARING

    DialHandle begin() {
        IOException denial = DialFailures.denialOfLiteral(dial.request());
        IOException unsupported = dialer.unsupported(dial.target());
        if (denial != null) {
            fail(dial.failure(Reason.DENIED).cause(denial));
        } else if (unsupported != null) {
            fail(dial.failure(Reason.PROXY_REFUSED).cause(unsupported));
        } else {
            prepare(false);
        }
        return this;
    }

    private void prepare(boolean fresh) {
        state = State.PREPARING;
        login.first(() -> {
            if (state == State.PREPARING) {
                open(fresh);
            }
        });
    }

    // ------------------------------------------------------------------ OPENING

    private void open(boolean fresh) {
        loop.timers().cancel(deadline); // the dialer below keeps the time, and knows what it has tried
        long left = dial.leftNanos();
        if (left <= 0) {
            timedOut();
            return;
        }
        state = State.OPENING;
        DialHandle underWay = dialer.connect(dial, left, fresh, this);
        if (state == State.OPENING) {
            opening = underWay;
        }
    }

    @Override
    public void failed(DialException failure) {
        fail(dial.failure(failure.reason()).attempts(failure.attempts()).cause(failure));
    }

    @Override
    public void done(ProxyConnection taken) {
        opening = null;
        used = taken;
        taken.connection().handler(this);
        talk(taken.connection(), false);
    }

    // ------------------------------------------------------------------ TALKING

    private void talk(LoopConnection connection, boolean answersChallenge) {
        state = State.TALKING;
        loop.timers().reschedule(deadline, dial.endNanos());
        Handshake talk = dialer.handshake(dial.target(), login.credentials());
        handshake = talk;
        refusing = false;
        answering = answersChallenge;
        send(connection, talk);
    }

    @Override
    public void ready(int readyOps) {
        ProxyConnection current = used;
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
                case DONE -> accepted(connection, talk, in);
            }
        }
    }

    /** A refusal must not wait for a body that does not end. */
    private void hurryIfRefused(Handshake talk) {
        HandshakeException soFar = state == State.TALKING && !refusing ? talk.refusalSoFar() : null;
        if (soFar != null) {
            refusing = true;
            long now = dial.ticker().nanos();
            long grace = login.mayAnswer(soFar) ? CHALLENGE_GRACE_NANOS : BODY_GRACE_NANOS;
            loop.timers().reschedule(deadline, now + Math.min(grace, dial.endNanos() - now));
        }
    }

    private void accepted(LoopConnection connection, Handshake talk, ByteBuffer rest) {
        connection.unread(rest);
        rest.position(rest.limit());
        ProxyReply acceptance = login.acceptance(talk);
        if (acceptance == null) {
            done(connection);
            return;
        }
        state = State.ASKING;
        handshake = null;
        pause(connection);
        login.accepted(acceptance, () -> {
            if (state == State.ASKING) {
                done(connection);
            }
        });
    }

    private void done(LoopConnection connection) {
        ProxyConnection own = used;
        end();
        if (own != null) {
            own.detach();
        }
        trace.connected(connection.peer());
        dial.completion().done(connection);
    }

    /** The proxy has spoken, even if only in part. */
    private void refused(Handshake talk, HandshakeException refusal) {
        if (isReplaceable() && (!talk.answered() || refusal.isHttp(REQUEST_TIMEOUT))) {
            replace();
        } else if (login.mayAnswer(refusal)) {
            ask(refusal);
        } else {
            giveUp(refusal);
        }
    }

    private void giveUp(HandshakeException refusal) {
        KeepAlive kept = refusal.kept();
        if (used != null && kept != null) {
            used.reuse(kept);
            used = null;
        }
        fail(dial.failure(refusal.reason())
                .proxyReply(refusal.reply())
                .cause(refusal.reply() == null ? refusal : null));
    }

    private void broken(Handshake talk, IOException cause) {
        HandshakeException soFar = talk.refusalSoFar();
        if (soFar != null) {
            refused(talk, soFar);
        } else if (answering && !talk.answered()) {
            answerAnew();
        } else if (isReplaceable() && !talk.answered()) {
            replace();
        } else {
            fail(dial.failure(Reason.PROTOCOL).cause(cause));
        }
    }

    private boolean isReplaceable() {
        return used != null && used.wasIdle() && !retried;
    }

    /** No tunnel has been opened, so another request for it does no harm. */
    private void replace() {
        retried = true;
        if (used != null) {
            used.discardUnanswered();
            used = null;
        }
        loop.timers().reschedule(deadline, dial.endNanos());
        login.restart();
        prepare(true);
    }

    // ------------------------------------------------------------------ ASKING

    private void ask(HandshakeException challenge) {
        state = State.ASKING;
        handshake = null;
        loop.timers().reschedule(deadline, dial.endNanos());
        if (challenge.isPersistent() && used != null) {
            pause(used.connection());
        } else {
            discard();
        }
        login.answer(challenge, answered -> answer(challenge, answered));
    }

    /** What happens to the connection meanwhile shows when it is used again. */
    private void pause(LoopConnection connection) {
        try {
            connection.interest(0);
        } catch (IOException e) {
            discard();
        }
    }

    private void answer(HandshakeException challenge, boolean answered) {
        if (state != State.ASKING) {
            return;
        }
        if (!answered) {
            giveUp(challenge);
        } else if (used != null) {
            talk(used.connection(), true);
        } else {
            answerAnew();
        }
    }

    /** The proxy has ended the connection that brought the challenge. */
    private void answerAnew() {
        discard();
        if (login.isBound()) {
            fail(login.failure(new EOFException("the proxy ended the connection, to which the login is bound")));
        } else {
            open(false);
        }
    }

    // ------------------------------------------------------------------ ends

    private void timedOut() {
        Handshake talk = handshake;
        HandshakeException soFar = talk == null ? null : talk.refusalSoFar();
        if (loop.isStopping()) {
            fail(dial.failure(Reason.CANCELLED));
        } else if (talk != null && soFar != null) {
            refused(talk, soFar);
        } else {
            fail(dial.failure(Reason.TIMEOUT)
                    .cause(new SocketTimeoutException("the proxy did not answer in the dial's time")));
        }
    }

    /** Ends the dial, unless that has happened while something was asked for. */
    private void fail(DialException.Builder failure) {
        if (state == State.OVER) {
            return;
        }
        discard();
        end();
        DialException whole = failure.proxy(dialer.proxy()).build();
        trace.failed(whole);
        dial.completion().failed(whole);
    }

    private void discard() {
        if (used != null) {
            used.discard();
            used = null;
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
            fail(dial.failure(loop.isStopping() ? Reason.CANCELLED : Reason.LOCAL)
                    .cause(cause));
        }
    }
}
