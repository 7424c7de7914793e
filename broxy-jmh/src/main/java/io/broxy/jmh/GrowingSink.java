package io.broxy.jmh;

import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;

/** A channel that stores written bytes in an array, which doubles when it is full. Threading: for one thread. */
final class GrowingSink implements WritableByteChannel {
    private byte[] bytes = {};
    private int size;

    @Override
    public int write(ByteBuffer source) {
        int count = source.remaining();
        if (count > bytes.length - size) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + count));
        }
        source.get(bytes, size, count);
        size += count;
        return count;
    }

    /** The written bytes. */
    byte[] toByteArray() {
        return Arrays.copyOf(bytes, size);
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {}
}
