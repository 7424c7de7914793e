package io.broxy.core.internal.tls;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
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
final class TlsHandshake implements ChannelEvents, DialHandle {
    private static final int BATCH = 64 << 10;

    private enum State {
        EXCHANGING,
        TASK,
        OVER
    }

    private final LoopConnection below;
    private final EventLoop loop;
    private final TlsEngine engine;
    private final TlsResources means;
    private final Consumer<LoopConnection> secured;
    private final Consumer<IOException> failed;
    private final TlsLoopOutput output;
    private State state = State.EXCHANGING;
    /** Part of a message. */
    private @Nullable ByteBuffer rest;

    private TlsHandshake(
            LoopConnection below,
            TlsEngine engine,
            TlsResources means,
            Consumer<LoopConnection> secured,
            Consumer<IOException> failed) {
        this.below = below;
        this.loop = below.loop();
        this.engine = engine;
        this.means = means;
        this.secured = secured;
        this.failed = failed;
        this.output = new TlsLoopOutput(below, engine);
    }

    /** Begins a handshake. */
    static DialHandle start(
            LoopConnection below,
            TlsEngine engine,
            TlsResources means,
            Consumer<LoopConnection> secured,
            Consumer<IOException> failed) {
        TlsHandshake handshake = new TlsHandshake(below, engine, means, secured, failed);
        below.handler(handshake);
        handshake.goOn();
        return handshake;
    }

    @Override
    public void ready(int readyOps) {
        if (state == State.EXCHANGING) {
            goOn();
        }
    }

    private void goOn() {
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

    /** Goes on until it is done, has tasks to run, or has to wait for the peer. */
    private TlsEngine.Step exchange(ByteBuffer in, ByteBuffer out) throws IOException {
        while (true) {
            TlsEngine.Step step = engine.handshake(in, out.clear());
            output.sendCiphertext(out.flip());
            if (step == TlsEngine.Step.DONE || step == TlsEngine.Step.TASK || output.isPending()) {
                return step;
            }
            if (step == TlsEngine.Step.INPUT && !fill(in)) {
                return step;
            }
        }
    }

    /** Reads once. False when nothing is there now. */
    private boolean fill(ByteBuffer in) throws IOException {
        in.compact();
        int count;
        try {
            count = below.read(in);
        } finally {
            in.flip();
        }
        if (count < 0) {
            throw new SSLHandshakeException("the peer ended the connection within the TLS handshake");
        }
        return count > 0;
    }

    // ------------------------------------------------------------------ TASK

    private void startTasks() throws IOException {
        state = State.TASK;
        below.interest(0);
        TlsTasks.start(engine, means.tasks(), loop, this::tasksDone);
    }

    private void tasksDone(@Nullable SSLException failure) {
        if (state != State.TASK) {
            return;
        }
        state = State.EXCHANGING;
        if (failure != null) {
            fail(failure);
        } else {
            goOn();
        }
    }

    // ------------------------------------------------------------------ ends

    private void done() {
        state = State.OVER;
        TlsLoopInput input = new TlsLoopInput(below, engine);
        if (rest != null) {
            input.unreadCiphertext(rest);
            releaseRest();
        }
        secured.accept(new TlsLoopConnection(below, engine, means, input, output));
    }

    private void fail(IOException cause) {
        state = State.OVER;
        releaseRest();
        if (cause instanceof SSLException) {
            LingeringClose.start(below, output.takeLast(), () -> {}); // the alert that tells the peer why
        } else {
            output.release();
            below.close();
        }
        failed.accept(cause);
    }

    @Override
    public void cancel() {
        if (state != State.OVER) {
            state = State.OVER;
            releaseRest();
            output.release();
            below.close();
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
            failed.accept(new IOException("the TLS handshake was abandoned", cause));
        }
    }
}
