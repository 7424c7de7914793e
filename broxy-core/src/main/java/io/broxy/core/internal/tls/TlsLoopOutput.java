package io.broxy.core.internal.tls;

import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.PeerEndedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sending side of a TLS connection on a loop: plaintext is encrypted into a buffer of the loop and sent immediately.
 * Ciphertext that the underlying connection does not accept is held, and nothing more is encrypted until it is sent.
 *
 * <pre>
 *   OPEN ──> ENDING ──> ENDED        (the close_notify is sent, and the underlying stream ended)
 * </pre>
 *
 * <p>A failure is kept and rethrown by each later write; reading may continue.
 *
 * <p>Threading: owned by its event loop.
 */
final class TlsLoopOutput {
    private static final Logger log = LoggerFactory.getLogger(TlsLoopOutput.class);

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** The amount encrypted between two writes, and so the maximum that is held. */
    private static final int BATCH = 64 << 10;

    private enum State {
        OPEN,
        ENDING,
        ENDED
    }

    private final LoopConnection below;
    private final TlsEngine engine;
    private final LoopBuffers buffers;
    private State state = State.OPEN;
    private @Nullable ByteBuffer pending;
    private @Nullable IOException failure;
    private TlsEngine.Step step = TlsEngine.Step.DONE;

    TlsLoopOutput(LoopConnection below, TlsEngine engine) {
        this.below = below;
        this.engine = engine;
        this.buffers = below.loop().buffers();
    }

    /** Whether ciphertext is held. */
    boolean isPending() {
        return pending != null;
    }

    /** Whether the engine stopped because of its tasks, which the caller must then run. */
    boolean takeTaskRequest() {
        boolean need = step == TlsEngine.Step.TASK;
        step = TlsEngine.Step.DONE;
        return need;
    }

    /** The failure that prevents writing, or null. */
    @Nullable
    IOException failure() {
        return failure;
    }

    // ------------------------------------------------------------------ ciphertext

    /** Sends ciphertext and holds the part that is not accepted now. No ciphertext may be held before the call. */
    void sendCiphertext(ByteBuffer ciphertext) throws IOException {
        if (ciphertext.hasRemaining()) {
            below.write(ciphertext);
            if (ciphertext.hasRemaining()) {
                pending = buffers.hold(ciphertext);
            }
        }
    }

    /** Sends held ciphertext; true if none is left. */
    boolean flush() throws IOException {
        ByteBuffer rest = pending;
        if (rest != null) {
            below.write(rest);
            if (rest.hasRemaining()) {
                return false;
            }
            release();
        }
        return true;
    }

    // ------------------------------------------------------------------ after the handshake

    /** As {@link LoopConnection#write}. */
    int write(ByteBuffer from) throws IOException {
        if (failure != null) {
            throw failure;
        }
        if (state != State.OPEN) {
            throw new ClosedChannelException();
        }
        try {
            return flush() ? send(from) : 0;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /**
     * Encrypts and sends plaintext until all of it is accepted or ciphertext is held, and returns the number of accepted bytes.
     * No ciphertext may be held before the call. A failure after the first batch is kept for the next write, so that the bytes
     * already sent are counted.
     */
    private int send(ByteBuffer plaintext) throws IOException {
        int before = plaintext.remaining();
        int left = before;
        ByteBuffer batch = buffers.borrow(BATCH);
        try {
            do {
                step = engine.encrypt(plaintext, batch.clear());
                sendCiphertext(batch.flip());
                left = plaintext.remaining();
            } while (step == TlsEngine.Step.ROOM && pending == null);
        } catch (IOException e) {
            if (left == before) {
                throw e;
            }
            log.debug("a TLS connection's output failed; the next write will fail", failed(e));
            plaintext.position(plaintext.limit() - left);
            return before - left;
        } finally {
            buffers.release(batch);
        }
        if (step == TlsEngine.Step.INPUT) {
            throw new SSLException("the peer's renegotiation must be read before anything is written");
        }
        if (step == TlsEngine.Step.ENDED && plaintext.hasRemaining()) {
            throw new PeerEndedException();
        }
        return before - plaintext.remaining();
    }

    /**
     * Continues pending output other than users' writes; failures are only recorded. True if no ciphertext is held afterwards.
     */
    boolean proceed() {
        try {
            if (failure == null && flush()) {
                if (engine.wantsOutput()) {
                    send(NOTHING);
                }
                if (state == State.ENDING && pending == null && engine.outputEnded()) {
                    endBelow();
                }
            }
        } catch (IOException e) {
            log.debug("a TLS connection's output failed; the next write will fail", failed(e));
        }
        return pending == null;
    }

    /** Sends a close_notify, then ends the underlying stream. */
    void end() throws IOException {
        if (failure != null) {
            throw failure;
        }
        if (state == State.OPEN) {
            state = State.ENDING;
            engine.closeOutput();
            proceed();
        }
    }

    private void endBelow() {
        state = State.ENDED;
        try {
            below.shutdownOutput();
        } catch (IOException e) {
            log.debug("the close_notify was sent, but ending the underlying stream failed", e);
        }
    }

    /** Records that nothing can be written any more, and returns the cause. */
    IOException failed(IOException cause) {
        IOException why = engine.sendingFailed(cause);
        failure = why;
        if (why == cause && why instanceof PeerEndedException) {
            return why; // failed by the engine; its answer to the peer's close_notify may be held
        }
        release();
        return why;
    }

    /**
     * Removes and returns the bytes that must be sent before the underlying connection is closed, including the engine's
     * close_notify or alert.
     */
    ByteBuffer takeFinalBytes() {
        ByteBuffer batch = buffers.borrow(BATCH);
        try {
            engine.encryptOwn(batch);
        } catch (SSLException e) {
            log.debug("the engine yields no final message", e);
        }
        ByteBuffer last = pending == null ? Leftover.copy(batch.flip()) : Leftover.joined(pending, batch.flip());
        buffers.release(batch);
        release();
        return last;
    }

    /** Discards held ciphertext. */
    void release() {
        if (pending != null) {
            buffers.release(pending);
            pending = null;
        }
    }
}
