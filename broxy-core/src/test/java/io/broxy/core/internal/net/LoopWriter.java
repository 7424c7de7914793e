package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.ChannelEvents;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.concurrent.CompletableFuture;

/** Writes as much as possible whenever it is notified of room. */
public final class LoopWriter implements ChannelEvents {
    public final CompletableFuture<Void> done = new CompletableFuture<>();
    private final LoopConnection connection;
    private final ByteBuffer source;
    private volatile int taken;

    public LoopWriter(LoopConnection connection, byte[] source) {
        this.connection = connection;
        this.source = ByteBuffer.wrap(source);
    }

    public void start() {
        try {
            connection.handler(this);
            connection.interest(SelectionKey.OP_WRITE);
        } catch (IOException e) {
            done.completeExceptionally(e);
        }
    }

    /** How many bytes the connection has taken. */
    public int taken() {
        return taken;
    }

    @Override
    public void ready(int readyOps) {
        try {
            connection.write(source);
            taken = source.position();
            if (!source.hasRemaining()) {
                connection.interest(0);
                done.complete(null);
            }
        } catch (IOException e) {
            connection.abort();
            done.completeExceptionally(e);
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        connection.abort();
        done.completeExceptionally(cause);
    }
}
