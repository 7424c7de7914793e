package io.broxy.core.internal.forward;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.broxy.core.testkit.Payload;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Bodies by their digests, with chunks or without. Threading: stateless. */
final class Chunks {
    private static final byte[] CRLF = {'\r', '\n'};

    private Chunks() {}

    /** Writes a payload in chunks, and gives its SHA-256. */
    static String write(OutputStream to, long count, long seed) throws IOException {
        OutputStream chunks = new FilterOutputStream(to) {
            @Override
            public void write(byte[] bytes, int from, int count) throws IOException {
                ByteArrayOutputStream chunk = new ByteArrayOutputStream();
                chunk.writeBytes((Integer.toHexString(count) + ";x=y\r\n").getBytes(US_ASCII));
                chunk.write(bytes, from, count);
                chunk.writeBytes(CRLF);
                out.write(chunk.toByteArray(), 0, chunk.size());
            }
        };
        String digest = Payload.write(chunks, count, seed);
        to.write("0\r\n\r\n".getBytes(US_ASCII), 0, 5);
        return digest;
    }

    /**
     * Reads a body, and gives its SHA-256.
     *
     * @param length its length, or -1 for one in chunks
     */
    static String read(InputStream from, long length) throws IOException {
        return Payload.read(length < 0 ? new Decoding(from) : new Limited(from, length));
    }

    private static final class Limited extends FilterInputStream {
        private long left;

        Limited(InputStream in, long left) {
            super(in);
            this.left = left;
        }

        @Override
        public int read(byte[] into, int from, int count) throws IOException {
            if (left == 0) {
                return -1;
            }
            int read = in.read(into, from, (int) Math.min(count, left));
            if (read < 0) {
                throw new EOFException(left + " bytes are missing");
            }
            left -= read;
            return read;
        }
    }

    private static final class Decoding extends FilterInputStream {
        private long left;
        private boolean ended;

        Decoding(InputStream in) {
            super(new BufferedInputStream(in, 64 << 10));
        }

        @Override
        public int read(byte[] into, int from, int count) throws IOException {
            if (left == 0 && !ended) {
                left = Long.parseLong(line(), 16);
                ended = left == 0;
                if (ended && !line().isEmpty()) {
                    throw new IOException("there are trailers");
                }
            }
            if (ended) {
                return -1;
            }
            int read = in.read(into, from, (int) Math.min(count, left));
            if (read < 0) {
                throw new EOFException("within a chunk");
            }
            left -= read;
            if (left == 0 && !line().isEmpty()) {
                throw new IOException("a chunk is longer than it says");
            }
            return read;
        }

        private String line() throws IOException {
            StringBuilder line = new StringBuilder();
            for (int b; (b = in.read()) != '\n'; ) {
                if (b < 0) {
                    throw new EOFException("within a line");
                }
                if (b != '\r') {
                    line.append((char) b);
                }
            }
            return line.toString();
        }
    }
}
