package io.broxy.core.internal.tls;

import io.broxy.core.internal.net.PeerEndedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/**
 * One side of a TLS connection without I/O: the caller passes buffers with ciphertext and plaintext, and each method returns a
 * {@link Step} that says why it stopped. Failures are {@link SSLException}s; after one, {@link #encrypt} without plaintext may
 * yield the alert for the peer.
 *
 * <pre>
 *   handshake ──> DONE ──> decrypt ──> ENDED      (the peer's close_notify)
 *                      └─> encrypt ──> ENDED      (after closeOutput; in TLS 1.2 also after the peer's close_notify)
 * </pre>
 *
 * <p>In TLS 1.3 the directions are independent (RFC 8446 section 6.1): one may end while the other continues.
 *
 * <p>Threading: once the handshake is done, one thread may decrypt while another encrypts.
 */
final class TlsEngine {
    /**
     * Enough for any record, encrypted or not: 16 KiB plus expansion (RFC 8446 section 5.2), doubled because the JDK tolerates
     * peers that send larger ones.
     */
    static final int RECORD_SIZE = 34 << 10;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SSLEngine engine;
    private final boolean server;
    private boolean begun;
    private volatile boolean inputEnded;
    private volatile boolean outputEnded;

    /** The reason why a method stopped. */
    enum Step {
        /** The operation is complete. */
        DONE,
        /** More ciphertext from the peer is needed. */
        INPUT,
        /** More room in the output buffer is needed. */
        ROOM,
        /** The engine must first send a message of its own, which {@link TlsEngine#encrypt} yields. */
        OUTPUT,
        /** {@link TlsEngine#runTasks} must be called, which may take long. */
        TASK,
        /** This direction has ended. */
        ENDED
    }

    /**
     * Creates a side whose handshake has not started.
     *
     * @param server whether this is the server side, which forbids its peer more than the client side does
     */
    TlsEngine(SSLEngine engine, boolean server) {
        this.engine = engine;
        this.server = server;
    }

    /**
     * Continues the handshake.
     *
     * @param in ciphertext from the peer, consumed as far as needed; the rest is for {@link #decrypt}
     * @param out receives ciphertext for the peer, whichever step is returned
     * @return {@link Step#INPUT}, {@link Step#ROOM}, {@link Step#TASK}, or {@link Step#DONE} when the handshake is complete
     */
    Step handshake(ByteBuffer in, ByteBuffer out) throws SSLException {
        if (!begun) {
            begun = true;
            engine.beginHandshake();
        }
        while (true) {
            Step step = switch (engine.getHandshakeStatus()) {
                case NOT_HANDSHAKING, FINISHED -> Step.DONE;
                case NEED_TASK -> Step.TASK;
                case NEED_WRAP -> wrapHandshake(out);
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> unwrapHandshake(in);
            };
            if (step != null) {
                return step;
            }
        }
    }

    private @Nullable Step wrapHandshake(ByteBuffer out) throws SSLException {
        return switch (engine.wrap(NOTHING, out).getStatus()) {
            case OK -> null;
            case BUFFER_OVERFLOW -> Step.ROOM;
            case CLOSED -> throw new SSLHandshakeException("closed during the TLS handshake");
            case BUFFER_UNDERFLOW -> throw new SSLException("an empty buffer cannot underflow");
        };
    }

    private @Nullable Step unwrapHandshake(ByteBuffer in) throws SSLException {
        return switch (engine.unwrap(in, NOTHING).getStatus()) {
            case OK -> null;
            case BUFFER_UNDERFLOW -> Step.INPUT;
            case CLOSED -> throw new SSLHandshakeException("the peer closed the connection during the TLS handshake");
            case BUFFER_OVERFLOW -> throw new SSLHandshakeException("the peer sent data during the TLS handshake");
        };
    }

    /**
     * Decrypts available ciphertext as far as there is room for the plaintext.
     *
     * @return {@link Step#INPUT}, {@link Step#ROOM}, {@link Step#OUTPUT}, {@link Step#TASK} or {@link Step#ENDED}
     */
    Step decrypt(ByteBuffer ciphertext, ByteBuffer plaintext) throws SSLException {
        while (!inputEnded) {
            if (!ciphertext.hasRemaining()) {
                return Step.INPUT;
            }
            SSLEngineResult result = engine.unwrap(ciphertext, plaintext);
            switch (result.getStatus()) {
                case BUFFER_UNDERFLOW -> {
                    return Step.INPUT;
                }
                case BUFFER_OVERFLOW -> {
                    return Step.ROOM;
                }
                case CLOSED -> inputEnded = true;
                case OK -> {
                    if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
                        if (server) { // a ClientHello of TLS 1.2: nothing else causes tasks after a server's handshake
                            throw new SSLHandshakeException(
                                    "the client asks for renegotiation, which is not supported");
                        }
                        return Step.TASK;
                    }
                    if (wantsOutput()) {
                        return Step.OUTPUT;
                    }
                    if (result.bytesConsumed() == 0 && result.bytesProduced() == 0) {
                        throw new SSLException("a TLS record makes no progress");
                    }
                }
            }
        }
        return Step.ENDED;
    }

    /**
     * Encrypts as much plaintext as there is room for, preceded by {@linkplain #wantsOutput messages of the engine itself}.
     *
     * @return {@link Step#DONE} when no plaintext is left, {@link Step#ROOM}, {@link Step#TASK}, {@link Step#ENDED}, or {@link
     *     Step#INPUT} when the peer must be read first
     */
    Step encrypt(ByteBuffer plaintext, ByteBuffer ciphertext) throws SSLException {
        while (plaintext.hasRemaining() || wantsOutput()) {
            SSLEngineResult result = engine.wrap(plaintext, ciphertext);
            switch (result.getStatus()) {
                case BUFFER_OVERFLOW -> {
                    return Step.ROOM;
                }
                case CLOSED -> {
                    outputEnded = true;
                    return Step.ENDED;
                }
                case OK -> {
                    if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
                        return Step.TASK;
                    }
                    if (result.bytesConsumed() == 0 && result.bytesProduced() == 0) {
                        return Step.INPUT;
                    }
                }
                case BUFFER_UNDERFLOW -> throw new SSLException("plaintext cannot underflow");
            }
        }
        return Step.DONE;
    }

    /** As {@link #encrypt} with no plaintext. */
    Step encryptOwn(ByteBuffer ciphertext) throws SSLException {
        return encrypt(NOTHING, ciphertext);
    }

    /** Whether the engine has a message of its own to send: an answer to a key update, an alert, a close_notify. */
    boolean wantsOutput() {
        return !outputEnded && engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP;
    }

    /** A buffer with room for a record: the pool's buffer or, if that is too small, one on the heap. */
    static ByteBuffer withRoomForRecord(ByteBuffer pooled) {
        return pooled.capacity() >= RECORD_SIZE ? pooled : ByteBuffer.allocate(RECORD_SIZE);
    }

    /** Runs the delegated tasks that block all progress; this may take long, for example for certificate checks. */
    void runTasks() {
        for (Runnable task; (task = engine.getDelegatedTask()) != null; ) {
            task.run();
        }
    }

    /** Ends the output: {@link #encrypt} then yields a close_notify, once. */
    void closeOutput() {
        engine.closeOutbound();
    }

    /** Whether the peer's close_notify has been received. */
    boolean inputEnded() {
        return inputEnded;
    }

    /** Whether the output has ended. */
    boolean outputEnded() {
        return outputEnded;
    }

    /**
     * Whether this side may end its output before the peer has ended its own. In TLS 1.2 the peer responds by closing, too, and
     * discards pending data (RFC 5246 section 7.2.1). A client must not cause that, since a truncated server stream would look
     * complete. A server may, since its clients have no other sign that the origin has ended its stream.
     */
    boolean mayEndFirst() {
        return server || protocol().equals("TLSv1.3");
    }

    /** The negotiated version, as the JDK names it. */
    String protocol() {
        return engine.getSession().getProtocol();
    }

    /** Converts a failure to send: if the peer has ended its stream, its bytes are nonetheless complete. */
    IOException sendingFailed(IOException cause) {
        return inputEnded && !(cause instanceof PeerEndedException) ? new PeerEndedException(cause) : cause;
    }

    /** The failure for a record that exceeds the maximum size. */
    static SSLException recordTooLarge() {
        return new SSLException("a TLS record exceeds the maximum size");
    }

    /** The failure for an end of stream without a close_notify, as after a truncation attack (RFC 8446 section 6.1). */
    static SSLException truncated() {
        return new SSLException("the peer's stream ended without a close_notify: it may be truncated");
    }
}
