package io.broxy.core.internal.http;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the bytes of a body, and its end, in what a connection yields; it does no I/O and copies nothing.
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
    /** The body is over; what is left in the buffer is the next message. */
    public static final int END = -1;

    private final BodyFraming framing;
    private final @Nullable ChunkedDecoder chunks;
    private long left;

    private BodyDecoder(BodyFraming framing, Tolerance tolerance) {
        this.framing = framing;
        chunks = framing.kind() == BodyFraming.Kind.CHUNKED ? new ChunkedDecoder(HeadLimits.TRAILERS, tolerance) : null;
        left = framing.length();
    }

    /** A decoder of the body of a request, whose chunks are read strictly. */
    public static BodyDecoder request(BodyFraming framing) {
        return new BodyDecoder(framing, Tolerance.NONE);
    }

    /** A decoder of the body of a response. */
    public static BodyDecoder response(BodyFraming framing) {
        return new BodyDecoder(framing, Tolerance.FIELDS);
    }

    /** How the end is found. */
    public BodyFraming framing() {
        return framing;
    }

    /**
     * Says what is at the buffer's position, after moving it past framing.
     *
     * @return how many bytes of the body are there, all of which the caller takes before the next call; 0 when the buffer
     *     is empty and more is needed; or {@link #END}
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
     * The trailer section of a chunked body (RFC 9112, section 7.1.2), or null if the body is not chunked or the section
     * has no field.
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
