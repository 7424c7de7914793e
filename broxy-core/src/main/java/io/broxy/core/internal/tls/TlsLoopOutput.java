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
 * The way out of a TLS connection on a loop: plaintext is encrypted into a buffer of the loop and sent at once. What the
 * connection below does not take is held, and nothing more is encrypted until it is gone.
 *
 * <pre>
 *   OPEN ──> ENDING ──> ENDED        (the close_notify is sent, and the stream below ended)
 * </pre>
 *
 * <p>A failure is kept and thrown by each later write; reading may continue.
 *
 * <p>Threading: owned by its event loop.
 */
final class TlsLoopOutput {
    private static final Logger log = LoggerFactory.getLogger(TlsLoopOutput.class);

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** What is encrypted between two writes, and so the most that is held. */
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

    /** Whether the engine went no further for its tasks, which are for the caller to run then. */
    boolean takeNeedOfTasks() {
        boolean need = step == TlsEngine.Step.TASK;
        step = TlsEngine.Step.DONE;
        return need;
    }

    /** Why nothing can be written, or null. */
    @Nullable
    IOException failure() {
        return failure;
    }

    // ------------------------------------------------------------------ ciphertext

    /** Sends ciphertext, and holds what is not taken now. Nothing may be held before. */
    void sendCiphertext(ByteBuffer ciphertext) throws IOException {
        if (ciphertext.hasRemaining()) {
            below.write(ciphertext);
            if (ciphertext.hasRemaining()) {
                pending = buffers.hold(ciphertext);
            }
        }
    }

    /** Sends what is held. True if nothing is left of it. */
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

    // ------------------------------------------------------------------ once the handshake is done

    /** Writes as {@link LoopConnection#write} does. */
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
     * Encrypts and sends until all is taken or something is held, which nothing may be before; gives how much was taken. A
     * failure behind the first batch is kept for the next write, so that what has been sent is counted.
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
            log.debug("a TLS connection's output failed; the next write will tell", failed(e));
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

    /** Goes on with what is under way, but for what a user writes; a failure is only kept. True if nothing is held then. */
    boolean goOn() {
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
            log.debug("a TLS connection's output failed; a write will tell", failed(e));
        }
        return pending == null;
    }

    /** Sends a close_notify, and ends the stream below behind it. */
    void end() throws IOException {
        if (failure != null) {
            throw failure;
        }
        if (state == State.OPEN) {
            state = State.ENDING;
            engine.closeOutput();
            goOn();
        }
    }

    private void endBelow() {
        state = State.ENDED;
        try {
            below.shutdownOutput();
        } catch (IOException e) {
            log.debug("the close_notify was the last thing sent, but no end of the stream below", e);
        }
    }

    /** Notes that nothing can be written any more, and gives the cause back. */
    IOException failed(IOException cause) {
        IOException why = engine.sendingFailed(cause);
        failure = why;
        if (why == cause && why instanceof PeerEndedException) {
            return why; // of the engine; its answer to the peer's close_notify may be held
        }
        release();
        return why;
    }

    /** What is still to be sent before the connection below may be closed, the engine's own last; nothing is held then. */
    ByteBuffer takeLast() {
        ByteBuffer batch = buffers.borrow(BATCH);
        try {
            engine.encryptOwn(batch);
        } catch (SSLException e) {
            log.debug("the engine has no last words", e);
        }
        ByteBuffer last = pending == null ? Leftover.copy(batch.flip()) : Leftover.joined(pending, batch.flip());
        buffers.release(batch);
        release();
        return last;
    }

    /** Drops what is held. */
    void release() {
        if (pending != null) {
            buffers.release(pending);
            pending = null;
        }
    }
}
