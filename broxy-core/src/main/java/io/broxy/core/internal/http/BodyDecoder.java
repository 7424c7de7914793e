package io.broxy.core.internal.http;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the bytes and the end of a body in the input of a connection, without I/O or copying.
 *
 * <pre>{@code
 * for (int count; (count = decoder.next(in)) > 0; ) {
 *     take(in, count); // moves the buffer's position by count
 * }
 * }</pre>
 *
 * <p>Threading: for one thread at a time.
 */
public final class BodyDecoder {
    /** The end of the body; the remaining bytes in the buffer belong to the next message. */
    public static final int END = -1;

    private final BodyFraming framing;
    private final @Nullable ChunkedDecoder chunks;
    private long left;

    private BodyDecoder(BodyFraming framing, Tolerance tolerance) {
        this.framing = framing;
        chunks = framing.kind() == BodyFraming.Kind.CHUNKED ? new ChunkedDecoder(HeadLimits.TRAILERS, tolerance) : null;
        left = framing.length();
    }

    /** Creates a decoder for the body of a request, which parses chunks strictly. */
    public static BodyDecoder request(BodyFraming framing) {
        return new BodyDecoder(framing, Tolerance.NONE);
    }

    /** Creates a decoder for the body of a response. */
    public static BodyDecoder response(BodyFraming framing) {
        return new BodyDecoder(framing, Tolerance.FIELDS);
    }

    /** How the end of the body is found. */
    public BodyFraming framing() {
        return framing;
    }

    /**
     * Skips framing and returns the number of body bytes at the buffer's position.
     *
     * @return the number of body bytes, all of which the caller consumes before the next call; 0 if the buffer is empty and
     *     more input is needed; or {@link #END}
     * @throws BadHeadException {@link BadHeadException.Problem#FRAMING} and others, if the framing is malformed
     */
    public int next(ByteBuffer in) throws BadHeadException {
        if (chunks != null) {
            return chunks.next(in);
        }
        return switch (framing.kind()) {
            case NONE, CHUNKED -> END;
            case UNTIL_CLOSE -> in.remaining();
            case LENGTH -> nextOfLength(in);
        };
    }

    /**
     * The trailer section of a chunked body (RFC 9112, section 7.1.2), or null if the body is not chunked or the section is
     * empty.
     *
     * @throws IllegalStateException if the end of a chunked body has not been reached
     */
    public @Nullable Fields trailers() {
        if (chunks == null) {
            return null;
        }
        return chunks.hasTrailers() ? chunks.trailers() : null;
    }

    private int nextOfLength(ByteBuffer in) {
        if (left == 0) {
            return END;
        }
        int count = (int) Math.min(left, in.remaining());
        left -= count;
        return count;
    }
}
