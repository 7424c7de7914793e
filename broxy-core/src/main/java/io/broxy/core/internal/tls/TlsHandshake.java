package io.broxy.core.internal.tls;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * A TLS handshake on a loop.
 *
 * <pre>
 *   EXCHANGING <──> TASK        (on the executor)
 *        └─ done, failed, cancelled ──> OVER
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
public final class TlsHandshake implements ChannelEvents, DialHandle {
    private static final int BATCH = 64 << 10;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /**
     * Receives the outcome of a handshake: one call, on the loop; none after a cancellation. Threading: owned by its event
     * loop.
     */
    public interface Outcome {
        /** The handshake is complete; the receiver owns the secure connection. */
        void secured(LoopConnection connection);

        /**
         * The handshake has failed.
         *
         * @param cause an {@link SSLException} if TLS failed, an {@link EOFException} if the peer ended the connection,
         *     otherwise the failure of the connection
         * @param alert the alert for the peer; may be empty. Nothing may follow it on the underlying connection, which the
         *     receiver closes
         */
        void failed(IOException cause, ByteBuffer alert);
    }

    private enum State {
        EXCHANGING,
        TASK,
        OVER
    }

    private final LoopConnection below;
    private final EventLoop loop;
    private final TlsEngine engine;
    private final TlsResources resources;
    private final Outcome outcome;
    private final TlsLoopOutput output;
    private State state = State.EXCHANGING;
    /** An incomplete message. */
    private @Nullable ByteBuffer rest;

    private TlsHandshake(LoopConnection below, TlsEngine engine, TlsResources resources, Outcome outcome) {
        this.below = below;
        this.loop = below.loop();
        this.engine = engine;
        this.resources = resources;
        this.outcome = outcome;
        this.output = new TlsLoopOutput(below, engine);
    }

    /**
     * Starts a handshake on a connection's loop. There is no time limit: the caller cancels a handshake that takes too long.
     *
     * @param below the connection to secure, which belongs to the handshake until that fails
     * @param engine a fully configured engine whose handshake has not started
     * @param outcome receives the outcome, possibly before this method returns
     */
    public static TlsHandshake start(LoopConnection below, SSLEngine engine, TlsResources resources, Outcome outcome) {
        TlsHandshake handshake =
                new TlsHandshake(below, new TlsEngine(engine, !engine.getUseClientMode()), resources, outcome);
        below.handler(handshake);
        handshake.proceed();
        return handshake;
    }

    @Override
    public void ready(int readyOps) {
        if (state == State.EXCHANGING) {
            proceed();
        }
    }

    private void proceed() {
        try {
            if (output.flush()) {
                exchange();
            } else {
                below.interest(SelectionKey.OP_WRITE);
            }
        } catch (IOException e) {
            fail(e);
        }
    }

    private void exchange() throws IOException {
        ByteBuffer in = loop.buffers().borrow(BATCH);
        ByteBuffer out = loop.buffers().borrow(BATCH);
        TlsEngine.Step step;
        try {
            if (rest != null) {
                in.put(rest);
                releaseRest();
            }
            in.flip();
            step = exchange(in, out);
            if (in.hasRemaining()) {
                rest = loop.buffers().hold(in);
            }
        } finally {
            loop.buffers().release(in);
            loop.buffers().release(out);
        }
        if (step == TlsEngine.Step.DONE) {
            done();
        } else if (output.isPending()) {
            below.interest(SelectionKey.OP_WRITE);
        } else if (step == TlsEngine.Step.TASK) {
            startTasks();
        } else {
            below.interest(SelectionKey.OP_READ);
        }
    }

    /** Continues until the handshake is complete, has tasks to run, or must wait for the peer. */
    private TlsEngine.Step exchange(ByteBuffer in, ByteBuffer out) throws IOException {
        while (true) {
            TlsEngine.Step step;
            try {
                step = engine.handshake(in, out.clear());
            } catch (SSLException e) { // the peer can read the alert only after the preceding bytes
                output.sendCiphertext(out.flip());
                throw e;
            }
            output.sendCiphertext(out.flip());
            if (step == TlsEngine.Step.DONE || step == TlsEngine.Step.TASK || output.isPending()) {
                return step;
            }
            if (step == TlsEngine.Step.INPUT && !fill(in)) {
                return step;
            }
        }
    }

    /** Reads once; false if no bytes are available now. */
    private boolean fill(ByteBuffer in) throws IOException {
        in.compact();
        int count;
        try {
            count = below.read(in);
        } finally {
            in.flip();
        }
        if (count < 0) {
            throw new EOFException("the peer ended the connection during the TLS handshake");
        }
        return count > 0;
    }

    // ------------------------------------------------------------------ TASK

    private void startTasks() throws IOException {
        state = State.TASK;
        below.interest(0);
        TlsTasks.start(engine, resources.tasks(), loop, this::tasksDone);
    }

    private void tasksDone(@Nullable SSLException failure) {
        if (state != State.TASK) {
            return;
        }
        state = State.EXCHANGING;
        if (failure != null) {
            fail(failure);
        } else {
            proceed();
        }
    }

    // ------------------------------------------------------------------ outcomes

    private void done() {
        state = State.OVER;
        TlsLoopInput input = new TlsLoopInput(below, engine);
        if (rest != null) {
            input.unreadCiphertext(rest);
            releaseRest();
        }
        outcome.secured(new TlsLoopConnection(below, engine, resources, input, output));
    }

    private void fail(IOException cause) {
        state = State.OVER;
        releaseRest();
        ByteBuffer alert = cause instanceof SSLException ? output.takeFinalBytes() : NOTHING;
        output.release();
        outcome.failed(cause, alert);
    }

    /** Cancels the handshake and closes the connection. */
    @Override
    public void cancel() {
        if (state != State.OVER) {
            stop();
            below.close();
        }
    }

    /** Cancels the handshake, and leaves the connection to the caller. */
    public void stop() {
        if (state != State.OVER) {
            state = State.OVER;
            releaseRest();
            output.release();
        }
    }

    private void releaseRest() {
        if (rest != null) {
            loop.buffers().release(rest);
            rest = null;
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        if (state != State.OVER) {
            cancel();
            outcome.failed(new IOException("the TLS handshake was abandoned", cause), NOTHING);
        }
    }
}
