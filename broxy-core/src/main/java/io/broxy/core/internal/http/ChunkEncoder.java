package io.broxy.core.internal.http;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Writes the chunked coding (RFC 9112, section 7.1), without extensions.
 *
 * <p>Threading: stateless.
 */
public final class ChunkEncoder {
    /** The maximum overhead of a chunk: the size and two line ends. */
    public static final int OVERHEAD = Ascii.MAX_HEX_DIGITS + 4;

    /** The length of the last chunk without trailers. */
    public static final int LAST_BYTES = 5;

    private static final String LAST_CHUNK = "0\r\n";

    private ChunkEncoder() {}

    /**
     * Writes a chunk, and advances the position of {@code data} past its bytes.
     *
     * @param count the number of bytes; positive, since an empty chunk is the last one
     * @param out has room for {@code count} and {@link #OVERHEAD}
     * @throws IllegalArgumentException unless {@code count} is from 1 to the number of remaining bytes
     */
    public static void chunk(ByteBuffer data, int count, ByteBuffer out) {
        if (count < 1 || count > data.remaining()) {
            throw new IllegalArgumentException("a chunk cannot have " + count + " of " + data.remaining() + " bytes");
        }
        Ascii.putHex(count, out);
        Ascii.putCrlf(out);
        out.put(out.position(), data, data.position(), count);
        out.position(out.position() + count);
        data.position(data.position() + count);
        Ascii.putCrlf(out);
    }

    /**
     * Writes the last chunk and the trailer section.
     *
     * @param trailers as they were received, or null if there are none
     * @param options the connection options of the head, which may also name trailer fields (RFC 9110, section 7.6.1)
     */
    static void last(@Nullable Fields trailers, ConnectionOptions options, ByteBuffer out) {
        Ascii.put(LAST_CHUNK, out);
        if (trailers != null) {
            TrailerFields.put(trailers, options, out);
        }
        Ascii.putCrlf(out);
    }
}
