package io.broxy.core.internal.forward;

import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.BodyDecoder;
import io.broxy.core.internal.http.BodyFraming;
import io.broxy.core.internal.http.BodyFraming.Kind;
import io.broxy.core.internal.http.ChunkEncoder;
import io.broxy.core.internal.http.Fields;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Writes one direction of an exchange to its connection: heads, and a body whose end it finds. It holds what the sink does not
 * take, and takes nothing more until that is gone.
 *
 * <p>A body of known length, and one that ends with its connection, goes over as it is, out of the buffer that it was read
 * into. Chunks are made anew, so that the sink gets nothing that only a lenient parser would understand; for a sink that
 * knows no chunks they are taken out.
 *
 * <p>Threading: owned by its event loop.
 */
final class BodyPipe {

    /** Writes the last chunk and the trailer section. Threading: owned by the event loop. */
    @FunctionalInterface
    interface LastChunk {
        void write(@Nullable Fields trailers, ByteBuffer out);
    }

    private final LoopConnection sink;
    private final LoopBuffers buffers;

    private @Nullable BodyDecoder decoder;
    private boolean chunksIn;
    private @Nullable LastChunk lastChunk;
    /** The unread rest of a body of known length. */
    private long left = Long.MAX_VALUE;

    private boolean ended;
    private int readSize = LoopBuffers.MIN_READ;
    private @Nullable ByteBuffer held;
    private long moved;

    BodyPipe(LoopConnection sink) {
        this.sink = sink;
        this.buffers = sink.loop().buffers();
    }

    /**
     * Begins the body.
     *
     * @param body finds its end
     * @param lastChunk ends it, if it goes out in chunks; only one that comes in chunks does
     */
    void begin(BodyDecoder body, @Nullable LastChunk lastChunk) {
        BodyFraming framing = body.framing();
        chunksIn = framing.kind() == Kind.CHUNKED;
        this.lastChunk = lastChunk;
        ended = framing.isEmpty();
        if (!ended) {
            decoder = body;
            left = framing.kind() == Kind.LENGTH ? framing.length() : Long.MAX_VALUE;
        }
    }

    /** Whether the end of the body was found. */
    boolean isEnded() {
        return ended;
    }

    /** Whether something waits for the sink. */
    boolean isBlocked() {
        return held != null;
    }

    /** Bytes that the sink has taken. */
    long moved() {
        return moved;
    }

    /** Bytes that wait for the sink. */
    int waiting() {
        return held == null ? 0 : held.remaining();
    }

    /** How much to read for this body: never beyond its end, where that is known. */
    int readSize() {
        int wanted = chunksIn ? LoopBuffers.MIN_READ : (int) Math.min(readSize, left);
        return buffers.readSize(wanted);
    }

    /** The source has ended, and so has a body that ends with it. */
    void endWithSource() {
        ended = true;
    }

    /**
     * Passes what is there of the body, and leaves in the buffer what follows it.
     *
     * @param in at most {@link LoopBuffers#MIN_READ} bytes, if there is something in {@code out}
     * @param out the loop's staging buffer, with what goes to the sink first
     * @throws BadHeadException if the framing is malformed; nothing that follows the last good read has gone out
     * @throws IOException if the sink is broken
     */
    void pass(ByteBuffer in, ByteBuffer out) throws BadHeadException, IOException {
        BodyDecoder body = decoder;
        int count = 0;
        while (body != null && !ended && (count = body.next(in)) > 0) {
            left -= count;
            take(in, count, out);
        }
        if (count == BodyDecoder.END) {
            ended = true;
            if (lastChunk != null && body != null) {
                lastChunk.write(body.trailers(), out);
            }
        }
        if (out.position() > 0) {
            write(out.flip());
        }
    }

    private void take(ByteBuffer in, int count, ByteBuffer out) throws IOException {
        if (lastChunk != null) {
            ChunkEncoder.chunk(in, count, out);
            return;
        }
        int limit = in.limit();
        in.limit(in.position() + count);
        if (chunksIn || out.position() > 0) {
            out.put(in);
        } else {
            write(in);
            grow(count);
        }
        in.limit(limit);
    }

    private void grow(int count) {
        if (held != null) {
            readSize = LoopBuffers.MIN_READ;
        } else if (count == readSize && readSize < LoopBuffers.MAX_READ) {
            readSize *= 2;
        }
    }

    /** Gives bytes to the sink, which has taken all that it was given before. */
    void write(ByteBuffer bytes) throws IOException {
        if (held != null) {
            throw new IllegalStateException("bytes are held already");
        }
        moved += sink.write(bytes);
        if (bytes.hasRemaining()) {
            held = buffers.hold(bytes);
        }
    }

    /** Gives the sink what is held; true if it has taken something. */
    boolean flush() throws IOException {
        ByteBuffer rest = held;
        if (rest == null) {
            return false;
        }
        int count = sink.write(rest);
        moved += count;
        if (!rest.hasRemaining()) {
            release();
        }
        return count > 0;
    }

    /** Drops what is held. */
    void release() {
        if (held != null) {
            buffers.release(held);
            held = null;
        }
    }
}
