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
 * One side of a TLS connection without its bytes' ways: ciphertext and plaintext come and go in buffers of the driver, which
 * is told by a {@link Step} why it went no further. A failure is an {@link SSLException}; {@link #encrypt} of nothing may
 * then give the alert that tells the peer why.
 *
 * <pre>
 *   handshake ──> DONE ──> decrypt ──> ENDED      (the peer's close_notify)
 *                      └─> encrypt ──> ENDED      (behind closeOutput; in TLS 1.2 behind the peer's close_notify too)
 * </pre>
 *
 * <p>Both directions are on their own in TLS 1.3 (RFC 8446 section 6.1): one ends, and the other goes on.
 *
 * <p>Threading: once the handshake is done, one thread may decrypt while another encrypts.
 */
final class TlsEngine {
    /**
     * More than a record takes, encrypted or not: 16 KiB and its expansion (RFC 8446 section 5.2), and as much again, for the
     * JDK suffers peers that make bigger ones.
     */
    static final int RECORD_SIZE = 34 << 10;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SSLEngine engine;
    private final boolean server;
    private boolean begun;
    private volatile boolean inputEnded;
    private volatile boolean outputEnded;

    /** Why it went no further. */
    enum Step {
        /** All is done that was asked for. */
        DONE,
        /** It needs more ciphertext from the peer. */
        INPUT,
        /** It needs more room in the buffer that it writes to. */
        ROOM,
        /** It has something of its own to say first: {@link TlsEngine#encrypt} gives it. */
        OUTPUT,
        /** It needs {@link TlsEngine#runTasks}, which may take long. */
        TASK,
        /** This direction has come to its end. */
        ENDED
    }

    /**
     * Creates a side whose handshake has not begun.
     *
     * @param server whether the peer is a client of this process, to which more is forbidden than to a server
     */
    TlsEngine(SSLEngine engine, boolean server) {
        this.engine = engine;
        this.server = server;
    }

    /**
     * Goes on with the handshake.
     *
     * @param in ciphertext from the peer, taken as far as it is needed; what is left is for {@link #decrypt}
     * @param out gets ciphertext for the peer, with every step
     * @return {@link Step#INPUT}, {@link Step#ROOM}, {@link Step#TASK}, or {@link Step#DONE} for the end of the handshake
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
                case NEED_WRAP -> say(out);
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> listen(in);
            };
            if (step != null) {
                return step;
            }
        }
    }

    private @Nullable Step say(ByteBuffer out) throws SSLException {
        return switch (engine.wrap(NOTHING, out).getStatus()) {
            case OK -> null;
            case BUFFER_OVERFLOW -> Step.ROOM;
            case CLOSED -> throw new SSLHandshakeException("closed within the TLS handshake");
            case BUFFER_UNDERFLOW -> throw new SSLException("nothing cannot be too little to encrypt");
        };
    }

    private @Nullable Step listen(ByteBuffer in) throws SSLException {
        return switch (engine.unwrap(in, NOTHING).getStatus()) {
            case OK -> null;
            case BUFFER_UNDERFLOW -> Step.INPUT;
            case CLOSED -> throw new SSLHandshakeException("the peer has closed within the TLS handshake");
            case BUFFER_OVERFLOW -> throw new SSLHandshakeException("the peer sends data within the TLS handshake");
        };
    }

    /**
     * Turns as much ciphertext into plaintext as is there and as there is room for.
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
                        if (server) { // a ClientHello of TLS 1.2; nothing else gives a server tasks behind its
                            // handshake
                            throw new SSLHandshakeException(
                                    "the client asks for renegotiation, which is not supported");
                        }
                        return Step.TASK;
                    }
                    if (wantsOutput()) {
                        return Step.OUTPUT;
                    }
                    if (result.bytesConsumed() == 0 && result.bytesProduced() == 0) {
                        throw new SSLException("a TLS record leads nowhere");
                    }
                }
            }
        }
        return Step.ENDED;
    }

    /**
     * Turns as much plaintext into ciphertext as there is room for, and what the engine itself {@linkplain #wantsOutput has
     * to say}, before it.
     *
     * @return {@link Step#DONE} when nothing is left, {@link Step#ROOM}, {@link Step#TASK}, {@link Step#ENDED}, or
     *     {@link Step#INPUT} when the peer must be read first
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
                case BUFFER_UNDERFLOW -> throw new SSLException("plaintext cannot be too little to encrypt");
            }
        }
        return Step.DONE;
    }

    /** As {@link #encrypt} with no plaintext. */
    Step encryptOwn(ByteBuffer ciphertext) throws SSLException {
        return encrypt(NOTHING, ciphertext);
    }

    /** Whether the engine itself has something to say: an answer to a key update, an alert, a close_notify. */
    boolean wantsOutput() {
        return !outputEnded && engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP;
    }

    /** A buffer that has room for a record: the one that a pool gave, or, when that was all it had, one of the heap. */
    static ByteBuffer roomy(ByteBuffer pooled) {
        return pooled.capacity() >= RECORD_SIZE ? pooled : ByteBuffer.allocate(RECORD_SIZE);
    }

    /** Runs what must be run before anything else can be done; it may take long, as when certificates are checked. */
    void runTasks() {
        for (Runnable task; (task = engine.getDelegatedTask()) != null; ) {
            task.run();
        }
    }

    /** Ends the output: {@link #encrypt} gives a close_notify, once. */
    void closeOutput() {
        engine.closeOutbound();
    }

    /** Whether the peer's close_notify has come. */
    boolean inputEnded() {
        return inputEnded;
    }

    /** Whether nothing can be sent any more. */
    boolean outputEnded() {
        return outputEnded;
    }

    /**
     * Whether this side may end its output before the peer has ended its own. In TLS 1.2 the peer answers by ending too, and
     * drops what it has yet to send (RFC 5246 section 7.2.1). A client must not cause that, as the server's stream would look
     * complete; a server may, as its clients learn from nothing else that the origin has ended.
     */
    boolean mayEndFirst() {
        return server || protocol().equals("TLSv1.3");
    }

    /** The version that was agreed on, as the JDK names it. */
    String protocol() {
        return engine.getSession().getProtocol();
    }

    /** What to make of a failure to send: behind the peer's end, what it sent is none the less complete. */
    IOException sendingFailed(IOException cause) {
        return inputEnded && !(cause instanceof PeerEndedException) ? new PeerEndedException(cause) : cause;
    }

    /** What to say of a record that is bigger than any may be. */
    static SSLException tooBig() {
        return new SSLException("a TLS record is bigger than any may be");
    }

    /** What to say of an end that was no close_notify (RFC 8446 section 6.1: a truncation attack looks like that). */
    static SSLException cut() {
        return new SSLException("the peer's stream ended without a close_notify: it may have been cut");
    }
}
