package io.broxy.core.internal.tls;

import io.broxy.Connection;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.UnderlyingConnection;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The receiving side of a TLS connection on callers' threads. A waiting thread holds only a buffer for a record's header; from
 * the header until the record is decrypted, it uses buffers of the pool.
 *
 * <p>Threading: for one thread at a time.
 */
final class TlsCallerInput {
    private static final Logger log = LoggerFactory.getLogger(TlsCallerInput.class);

    /** Type, version and length (RFC 8446 section 5.1). */
    private static final int HEADER_SIZE = 5;

    private final Connection below;
    private final TlsEngine engine;
    private final TlsResources resources;
    private final Leftover leftover;
    private final TlsCallerOutput output;
    /** Ciphertext that is not decrypted yet, on the heap. */
    private @Nullable ByteBuffer ciphertext;

    private @Nullable SSLException failure;

    TlsCallerInput(
            Connection below,
            TlsEngine engine,
            TlsResources resources,
            Leftover leftover,
            TlsCallerOutput output,
            ByteBuffer ciphertext) {
        this.below = below;
        this.engine = engine;
        this.resources = resources;
        this.leftover = leftover;
        this.output = output;
        this.ciphertext = ciphertext.hasRemaining() ? ciphertext : null;
    }

    /**
     * Waits for at least one byte; -1 for the peer's close_notify.
     *
     * @param limitNanos how long to wait; 0 means without limit
     */
    int read(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        Deadline deadline = new Deadline(limitNanos, interrupts);
        while (true) {
            int count = leftover.read(into);
            if (count > 0) {
                return count;
            }
            if (failure != null) {
                throw failure;
            }
            if (engine.inputEnded()) {
                return -1;
            }
            count = step(into, deadline);
            if (count > 0) {
                return count;
            }
        }
    }

    /** The time limit of a read across all its waits. Threading: for one thread. */
    private final class Deadline {
        private final boolean limited;
        private final long endNanos;
        private final Interrupts interrupts;

        Deadline(long limitNanos, Interrupts interrupts) {
            this.limited = limitNanos > 0;
            this.endNanos = limited ? resources.ticker().nanos() + limitNanos : 0;
            this.interrupts = interrupts;
        }

        int read(ByteBuffer bytes) throws IOException {
            long left = limited ? endNanos - resources.ticker().nanos() : 0;
            if (limited && left <= 0) {
                throw new SocketTimeoutException("Read timed out");
            }
            return UnderlyingConnection.read(below, bytes, left, interrupts);
        }
    }

    private int step(ByteBuffer into, Deadline deadline) throws IOException {
        ByteBuffer bytes = ciphertext;
        if (bytes != null) {
            int before = into.position();
            boolean starved = decrypt(bytes, into, deadline.interrupts);
            if (!bytes.hasRemaining()) {
                ciphertext = null;
            }
            if (!starved || into.position() > before) {
                return into.position() - before;
            }
        }
        if (ciphertext == null) {
            ByteBuffer header = ByteBuffer.allocate(HEADER_SIZE);
            fill(header, deadline);
            ciphertext = header.flip();
            return 0; // the loop above handles records without content
        }
        return readRecord(ciphertext, into, deadline);
    }

    private int readRecord(ByteBuffer begun, ByteBuffer into, Deadline deadline) throws IOException {
        ByteBuffer pooled = resources.buffers().borrow();
        ByteBuffer batch = TlsEngine.withRoomForRecord(pooled);
        // Plaintext that does not fit into the reader's buffer would have to be kept.
        batch.limit(Math.min(batch.capacity(), Math.max(TlsEngine.RECORD_SIZE, into.remaining())));
        try {
            batch.put(begun.duplicate());
            fill(batch, deadline);
            ciphertext = null;
            batch.flip();
            int before = into.position();
            decrypt(batch, into, deadline.interrupts);
            if (batch.hasRemaining()) {
                ciphertext = Leftover.copy(batch);
            }
            return into.position() - before;
        } finally {
            resources.buffers().giveBack(pooled);
        }
    }

    private void fill(ByteBuffer bytes, Deadline deadline) throws IOException {
        if (deadline.read(bytes) < 0) {
            throw TlsEngine.truncated();
        }
    }

    /** True if it needs more ciphertext. Plaintext decrypted before a failure is returned before the failure. */
    private boolean decrypt(ByteBuffer bytes, ByteBuffer into, Interrupts interrupts) throws SSLException {
        int before = into.position();
        try {
            switch (engine.decrypt(bytes, into)) {
                case INPUT -> {
                    return true;
                }
                case ROOM -> {
                    if (into.position() == before && decryptAside(bytes) == TlsEngine.Step.INPUT) {
                        return !leftover.isPresent(); // the engine asks for room before the record is complete
                    }
                }
                case TASK -> engine.runTasks();
                default -> {} // OUTPUT and ENDED are handled below
            }
        } catch (SSLException e) {
            failure = e;
            output.answer(interrupts); // the alert for the peer
            if (into.position() == before && !leftover.isPresent()) {
                throw e;
            }
        }
        if (engine.wantsOutput()) {
            output.answer(interrupts);
        }
        return false;
    }

    /** Decrypts into a temporary buffer, since the reader's buffer is smaller than a record. */
    private TlsEngine.Step decryptAside(ByteBuffer bytes) throws SSLException {
        ByteBuffer pooled = resources.buffers().borrow();
        ByteBuffer aside = TlsEngine.withRoomForRecord(pooled);
        try {
            TlsEngine.Step step = engine.decrypt(bytes, aside);
            if (step == TlsEngine.Step.ROOM && aside.position() == 0) {
                throw TlsEngine.recordTooLarge();
            }
            return step;
        } finally {
            leftover.unread(aside.flip());
            resources.buffers().giveBack(pooled);
        }
    }

    /** Removes and returns the ciphertext, for another owner; null if there is none. */
    @Nullable
    ByteBuffer takeCiphertext() {
        ByteBuffer bytes = ciphertext;
        ciphertext = null;
        return bytes;
    }

    /** Discards the bytes in the receive buffer, since closing with unread bytes makes TCP send a reset. */
    void discardAvailable() {
        try {
            InputStream in = below.asSocket().getInputStream();
            int count = Math.min(in.available(), TlsEngine.RECORD_SIZE);
            if (count > 0) {
                below.read(ByteBuffer.allocate(count));
            }
        } catch (IOException e) {
            log.debug("reading the remaining bytes before a close failed", e);
        }
    }
}
