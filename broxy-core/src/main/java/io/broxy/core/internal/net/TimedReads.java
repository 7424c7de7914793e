package io.broxy.core.internal.net;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Read timeouts in the units of a {@link Socket}, and single reads with a time limit. Threading: as the socket's. */
final class TimedReads {
    /** The maximum number of bytes read at once into a direct buffer. */
    private static final int SCRATCH_SIZE = 8 << 10;

    /**
     * The maximum number of bytes read at once into a heap buffer, since some sockets copy through a direct buffer of that
     * size.
     */
    private static final int SLICE_SIZE = 64 << 10;

    private TimedReads() {}

    /**
     * Reads once with a time limit, then restores the socket's timeout.
     *
     * @param limitNanos how long to wait, rounded up to milliseconds; 0 means without limit
     * @throws java.net.SocketTimeoutException if no byte arrives in time
     */
    static int read(Socket socket, ByteBuffer into, long limitNanos) throws IOException {
        InputStream in = socket.getInputStream();
        int before = socket.getSoTimeout();
        socket.setSoTimeout(limitNanos == 0 ? 0 : millis(limitNanos));
        try {
            return read(in, into);
        } finally {
            if (!socket.isClosed()) {
                socket.setSoTimeout(before);
            }
        }
    }

    /**
     * Converts a read timeout to milliseconds, rounded up.
     *
     * @throws IllegalArgumentException if it is negative
     */
    static int millis(Duration limit) {
        if (limit.isNegative()) {
            throw new IllegalArgumentException("a read timeout must not be negative, but is " + limit);
        }
        if (limit.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) >= 0) {
            return Integer.MAX_VALUE;
        }
        return (int) limit.plusNanos(TimeUnit.MILLISECONDS.toNanos(1) - 1).toMillis();
    }

    private static int millis(long nanos) throws SocketTimeoutException {
        if (nanos <= 0) {
            throw new SocketTimeoutException("Read timed out");
        }
        long rounded = (nanos - 1) / TimeUnit.MILLISECONDS.toNanos(1) + 1;
        return (int) Math.min(rounded, Integer.MAX_VALUE);
    }

    private static int read(InputStream in, ByteBuffer into) throws IOException {
        if (into.hasArray()) {
            int room = Math.min(into.remaining(), SLICE_SIZE);
            int count = in.read(into.array(), into.arrayOffset() + into.position(), room);
            if (count > 0) {
                into.position(into.position() + count);
            }
            return count;
        }
        byte[] scratch = new byte[Math.min(into.remaining(), SCRATCH_SIZE)];
        int count = in.read(scratch);
        if (count > 0) {
            into.put(scratch, 0, count);
        }
        return count;
    }
}
