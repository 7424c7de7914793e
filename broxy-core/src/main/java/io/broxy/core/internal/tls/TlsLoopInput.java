package io.broxy.core.internal.tls;

import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopLeftover;
import java.io.IOException;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * The receiving side of a TLS connection on a loop: ciphertext is read into a buffer of the loop and decrypted from there into
 * the reader's buffer. Only the rest of either is held, mainly incomplete records.
 *
 * <p>Threading: owned by its event loop.
 */
final class TlsLoopInput {
    private static final int BATCH = 64 << 10;

    private final LoopConnection below;
    private final TlsEngine engine;
    private final LoopBuffers buffers;
    /** Ciphertext that is not decrypted yet. */
    private final LoopLeftover ciphertext;
    /** Plaintext that is not delivered yet, because there was no room or because it was pushed back. */
    private final LoopLeftover plaintext;

    private TlsEngine.Step step = TlsEngine.Step.INPUT;
    private @Nullable SSLException failure;

    TlsLoopInput(LoopConnection below, TlsEngine engine) {
        this.below = below;
        this.engine = engine;
        this.buffers = below.loop().buffers();
        this.ciphertext = new LoopLeftover(below.loop());
        this.plaintext = new LoopLeftover(below.loop());
    }

    /** The reason why {@link #read} stopped. */
    TlsEngine.Step step() {
        return step;
    }

    /** Whether a read may yield bytes without new bytes of the underlying connection. */
    boolean mayYield() {
        return plaintext.isPresent() || failure != null || step != TlsEngine.Step.INPUT;
    }

    /** Prepends ciphertext, which the next read processes. */
    void unreadCiphertext(ByteBuffer bytes) {
        if (bytes.hasRemaining()) {
            ciphertext.unread(bytes);
            step = TlsEngine.Step.ROOM;
        }
    }

    /** The plaintext that is not delivered yet. */
    LoopLeftover plaintext() {
        return plaintext;
    }

    /** As {@link LoopConnection#read}; reads at most once from the underlying connection. */
    int read(ByteBuffer into) throws IOException {
        if (plaintext.isPresent()) {
            return plaintext.read(into);
        }
        if (failure != null) {
            throw failure;
        }
        if (engine.inputEnded()) {
            return -1;
        }
        ByteBuffer batch = buffers.borrow(BATCH);
        try {
            ciphertext.read(batch);
            return readThrough(batch.flip(), into);
        } finally {
            ciphertext.unread(batch);
            buffers.release(batch);
        }
    }

    private int readThrough(ByteBuffer batch, ByteBuffer into) throws IOException {
        int count = decrypt(batch, into);
        if (count == 0 && step == TlsEngine.Step.INPUT) {
            batch.compact();
            int read;
            try {
                read = below.read(batch);
            } finally {
                batch.flip();
            }
            if (read < 0) {
                throw TlsEngine.truncated();
            }
            count = decrypt(batch, into);
        }
        return count == 0 && step == TlsEngine.Step.ENDED ? -1 : count;
    }

    /** Plaintext decrypted before a failure is returned before the failure. */
    private int decrypt(ByteBuffer batch, ByteBuffer into) throws SSLException {
        int before = into.position();
        try {
            step = engine.decrypt(batch, into);
            if (step == TlsEngine.Step.ROOM && into.position() == before) {
                decryptAside(batch);
                return plaintext.read(into);
            }
        } catch (SSLException e) {
            failure = e;
            if (into.position() == before && !plaintext.isPresent()) {
                throw e;
            }
        }
        return into.position() - before;
    }

    /** Decrypts into a temporary buffer, since the reader's buffer is smaller than a record. */
    private void decryptAside(ByteBuffer batch) throws SSLException {
        ByteBuffer aside = buffers.borrow(TlsEngine.RECORD_SIZE);
        try {
            step = engine.decrypt(batch, aside);
            if (step == TlsEngine.Step.ROOM && aside.position() == 0) {
                throw TlsEngine.recordTooLarge();
            }
        } finally {
            plaintext.unread(aside.flip());
            buffers.release(aside);
        }
    }

    /** Removes and returns the held ciphertext, for another owner. */
    ByteBuffer takeCiphertext() {
        return ciphertext.takeAll();
    }

    /** Discards the held bytes. */
    void release() {
        ciphertext.release();
        plaintext.release();
    }
}
