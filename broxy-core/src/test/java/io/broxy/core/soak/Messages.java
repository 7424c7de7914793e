package io.broxy.core.soak;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.EOFException;
import java.io.IOException;
import java.util.Locale;

/** HTTP/1.1 as both ends write and read it. Threading: stateless. */
final class Messages {
    private static final int LONGEST_ANSWER = 64 << 10;

    private Messages() {}

    /**
     * A response, read to its end.
     *
     * @param own whether the proxy has made it
     */
    record Answer(int status, boolean own) {}

    /** Reads a response whose body, unless it is the proxy's own, must be of a pattern. Interim ones are responses here. */
    static Answer read(Wire wire, Pattern pattern, boolean head) throws IOException {
        String line = wire.line();
        if (line == null) {
            throw new EOFException("the stream ended before an answer");
        }
        if (!line.startsWith("HTTP/1.1 ")) {
            throw new AssertionError("no answer is " + line);
        }
        int status = Integer.parseInt(line.substring(9, 12));
        long length = -1;
        boolean chunked = false;
        boolean own = false;
        for (String field = wire.line(); !"".equals(field); field = wire.line()) {
            if (field == null) {
                throw new EOFException("the stream ended within an answer's head");
            }
            String lower = field.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length: ")) {
                length = Long.parseLong(field.substring(16));
            }
            chunked |= lower.equals("transfer-encoding: chunked");
            own |= lower.startsWith("proxy-status: broxy;") || lower.startsWith("x-own:");
        }
        if (!head && status >= 200 && status != 204 && status != 304) {
            readBody(wire, pattern, own, chunked, length);
        }
        return new Answer(status, own);
    }

    private static void readBody(Wire wire, Pattern pattern, boolean own, boolean chunked, long length)
            throws IOException {
        if (own) {
            if (length > LONGEST_ANSWER) {
                throw new AssertionError("the proxy has never that much to say: " + length);
            }
            wire.skip(length);
        } else if (chunked) {
            readChunks(wire, pattern);
        } else if (length >= 0) {
            wire.expect(pattern, 0, length);
        } else {
            wire.take(pattern, 0, Long.MAX_VALUE);
        }
    }

    /** Reads chunks, the last one too, that must be of a pattern; gives their bytes. */
    static long readChunks(Wire wire, Pattern pattern) throws IOException {
        long done = 0;
        while (true) {
            int size = Integer.parseInt(readLine(wire), 16);
            if (size > 0) {
                wire.expect(pattern, done, size);
                done += size;
            }
            String line = readLine(wire); // the end of the chunk, or of the empty trailer section
            if (!line.isEmpty()) {
                throw new AssertionError("behind a chunk comes " + line);
            }
            if (size == 0) {
                return done;
            }
        }
    }

    private static String readLine(Wire wire) throws IOException {
        String line = wire.line();
        if (line == null) {
            throw new EOFException("the stream ended within the chunks");
        }
        return line;
    }

    /** Writes one chunk of a pattern. */
    static void writeChunk(Wire wire, Pattern pattern, long from, int count) throws IOException {
        byte[] size = (Integer.toHexString(count) + "\r\n").getBytes(ISO_8859_1);
        byte[] chunk = new byte[size.length + count + 2];
        System.arraycopy(size, 0, chunk, 0, size.length);
        System.arraycopy(pattern.bytes(from, count), 0, chunk, size.length, count);
        chunk[chunk.length - 2] = '\r';
        chunk[chunk.length - 1] = '\n';
        wire.send(chunk);
    }
}
