package io.broxy.core.internal.tls;

import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopLeftover;
import java.io.IOException;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * The way into a TLS connection on a loop: ciphertext is read into a buffer of the loop and decrypted from there into the
 * reader's own. Only what is left of either is held, in the main a record that has not come in full.
 *
 * <p>Threading: owned by its event loop.
 */
final class TlsLoopInput {
    private static final int BATCH = 64 << 10;

    private final LoopConnection below;
    private final TlsEngine engine;
    private final LoopBuffers buffers;
    /** Not decrypted yet. */
    private final LoopLeftover ciphertext;
    /** Not given yet: there was no room, or it was put back. */
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

    /** Why {@link #read} went no further. */
    TlsEngine.Step step() {
        return step;
    }

    /** Whether a read may come to something though the connection below has nothing new. */
    boolean mayGive() {
        return plaintext.isPresent() || failure != null || step != TlsEngine.Step.INPUT;
    }

    /** Puts ciphertext before what has yet to come, and looks at it with the next read. */
    void unreadCiphertext(ByteBuffer bytes) {
        if (bytes.hasRemaining()) {
            ciphertext.unread(bytes);
            step = TlsEngine.Step.ROOM;
        }
    }

    /** Plaintext that has not been given. */
    LoopLeftover plaintext() {
        return plaintext;
    }

    /** Reads as {@link LoopConnection#read} does, and no more than once from the connection below. */
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
                throw TlsEngine.cut();
            }
            count = decrypt(batch, into);
        }
        return count == 0 && step == TlsEngine.Step.ENDED ? -1 : count;
    }

    /** What was decrypted before a failure is given before it. */
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

    /** The reader's buffer is smaller than a record. */
    private void decryptAside(ByteBuffer batch) throws SSLException {
        ByteBuffer aside = buffers.borrow(TlsEngine.RECORD_SIZE);
        try {
            step = engine.decrypt(batch, aside);
            if (step == TlsEngine.Step.ROOM && aside.position() == 0) {
                throw TlsEngine.tooBig();
            }
        } finally {
            plaintext.unread(aside.flip());
            buffers.release(aside);
        }
    }

    /** Takes the ciphertext that is held, for another owner. */
    ByteBuffer takeCiphertext() {
        return ciphertext.takeAll();
    }

    /** Drops what is held. */
    void release() {
        ciphertext.release();
        plaintext.release();
    }
}
