package io.broxy.jmh;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * A client with minimal overhead: a blocking channel, one buffer for all operations, and just enough HTTP to recognize a 200
 * and the end of its head.
 *
 * <p>Threading: for one thread.
 */
final class RawClient implements AutoCloseable {
    private static final int BUFFER_BYTES = 256 << 10;
    private static final byte[] STATUS = "HTTP/1.1 200".getBytes(US_ASCII);

    /** Contains the bytes read but not consumed yet, between position and limit. */
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_BYTES).limit(0);

    private SocketChannel channel = SocketChannel.open();

    RawClient() throws IOException {
        channel.close();
    }

    /** The bytes of an ASCII text for {@link #send}. */
    static ByteBuffer ascii(String text) {
        return ByteBuffer.allocateDirect(text.length())
                .put(text.getBytes(US_ASCII))
                .flip();
    }

    /** The head of a CONNECT request. */
    static ByteBuffer connectHead(String target) {
        return ascii("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n");
    }

    /** Opens a connection with an empty buffer. */
    void connect(SocketAddress proxy) throws IOException {
        in.clear().limit(0);
        channel = SocketChannel.open(proxy);
    }

    /** Sends all bytes from index 0 to the limit. */
    void send(ByteBuffer bytes) throws IOException {
        bytes.rewind();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /**
     * Reads the head of a response and fails if it is not a 200.
     *
     * @return its length, with which {@link #lastHead} returns it until the next read
     */
    int readHead() throws IOException {
        if (!in.hasRemaining()) {
            in.clear().limit(0); // otherwise a persistent connection would eventually fill the buffer
        }
        int start = in.position();
        int end = start;
        while ((end = endOfHead(start, end)) < 0) {
            end = Math.max(start, in.limit() - 3);
            readMore();
        }
        for (int i = 0; i < STATUS.length; i++) {
            if (in.get(start + i) != STATUS[i]) {
                throw new IOException("the proxy answered "
                        + text(start, end - start).lines().findFirst().orElse(""));
            }
        }
        in.position(end);
        return end - start;
    }

    /** The last head. */
    String lastHead(int length) {
        return text(in.position() - length, length);
    }

    private String text(int start, int length) {
        byte[] bytes = new byte[length];
        in.get(start, bytes);
        return new String(bytes, US_ASCII);
    }

    /** The index after the first empty line, or -1. */
    private int endOfHead(int start, int from) {
        for (int i = Math.max(start, from); i + 3 < in.limit(); i++) {
            if (in.get(i) == '\r' && in.get(i + 1) == '\n' && in.get(i + 2) == '\r' && in.get(i + 3) == '\n') {
                return i + 4;
            }
        }
        return -1;
    }

    /** Reads the expected number of bytes and compares them. */
    void expect(ByteBuffer expected) throws IOException {
        expected.rewind();
        while (expected.hasRemaining()) {
            if (!in.hasRemaining()) {
                in.clear().limit(0);
                readMore();
            }
            int count = Math.min(in.remaining(), expected.remaining());
            ByteBuffer got = in.slice(in.position(), count);
            ByteBuffer part = expected.slice(expected.position(), count);
            if (!got.equals(part)) {
                throw new IOException("the received bytes differ from the expected ones from byte "
                        + (expected.position() + part.mismatch(got)) + " on");
            }
            in.position(in.position() + count);
            expected.position(expected.position() + count);
        }
    }

    /** Reads and ignores a number of bytes. */
    void skip(int count) throws IOException {
        int left = count - in.remaining();
        if (left < 0) {
            throw new IOException(-left + " more bytes arrived than expected");
        }
        while (left > 0) {
            in.clear().limit(0);
            readMore();
            left -= in.remaining();
        }
        in.clear().limit(0);
    }

    /** Appends to the bytes in the buffer. */
    private void readMore() throws IOException {
        int from = in.position();
        int end = in.limit();
        if (end == in.capacity()) {
            throw new IOException("the proxy's response has no end");
        }
        int count = channel.read(in.limit(in.capacity()).position(end));
        if (count < 0) {
            throw new EOFException("the proxy has closed the connection");
        }
        in.limit(end + count).position(from);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
