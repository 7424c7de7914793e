package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.ChannelEvents;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.concurrent.CompletableFuture;

/** Reads a connection on its loop whenever requested, up to a number of bytes or to the end. */
public final class LoopReader implements ChannelEvents {
    public final CompletableFuture<byte[]> result = new CompletableFuture<>();
    private final LoopConnection connection;
    private final int wanted;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final ByteBuffer buffer;
    private boolean reading;

    private LoopReader(LoopConnection connection, int wanted, int step) {
        this.connection = connection;
        this.wanted = wanted;
        this.buffer = ByteBuffer.allocate(step);
    }

    /** Reads so many bytes in steps of a size. */
    public static LoopReader read(LoopConnection connection, int wanted, int step) throws IOException {
        LoopReader reader = new LoopReader(connection, wanted, step);
        connection.handler(reader);
        connection.interest(SelectionKey.OP_READ);
        return reader;
    }

    /** Reads to the end of the stream. */
    public static LoopReader readAll(LoopConnection connection) throws IOException {
        return read(connection, Integer.MAX_VALUE, 32 << 10);
    }

    @Override
    public void ready(int readyOps) {
        if (reading) {
            throw new IllegalStateException("requested while it reads");
        }
        reading = true;
        try {
            buffer.clear().limit(Math.min(buffer.capacity(), wanted - bytes.size()));
            int count = connection.read(buffer);
            if (count > 0) {
                bytes.write(buffer.array(), 0, count);
            }
            if (count < 0 || bytes.size() == wanted) {
                connection.interest(0);
                result.complete(bytes.toByteArray());
            }
        } catch (IOException e) {
            connection.close();
            result.completeExceptionally(e);
        } finally {
            reading = false;
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        connection.abort();
        result.completeExceptionally(cause);
    }
}
