package io.broxy.jmh;

import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/** A channel that reads from an array. Threading: for one thread. */
final class ArraySource implements ReadableByteChannel {
    private final byte[] bytes;
    private int position;

    ArraySource(byte[] bytes) {
        this.bytes = bytes;
    }

    @Override
    public int read(ByteBuffer target) {
        if (position == bytes.length) {
            return -1;
        }
        int count = Math.min(target.remaining(), bytes.length - position);
        target.put(bytes, position, count);
        position += count;
        return count;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {}
}
