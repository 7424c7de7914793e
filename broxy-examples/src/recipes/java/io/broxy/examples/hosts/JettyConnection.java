package io.broxy.examples.hosts;

import io.broxy.Connection;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * An end point of Jetty as a blocking connection: with or without TLS. Copy this file.
 *
 * <p>Without TLS it reads the channel itself, because Jetty takes a reset for the end of the stream. With TLS it cannot: there a
 * reset of the client looks like an end of its stream.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class JettyConnection implements Connection {
    private static final int BUFFER_SIZE = 16 << 10;

    private final EndPoint endPoint;
    /** Null with TLS. */
    private final @Nullable SocketChannel channel;

    private final ByteBuffer input;

    /** Takes an end point over, from which nothing else reads. */
    public JettyConnection(EndPoint endPoint) {
        this.endPoint = endPoint;
        this.channel = endPoint instanceof SocketChannelEndPoint plain ? plain.getChannel() : null;
        this.input = BufferUtil.allocate(channel == null ? BUFFER_SIZE : 0);
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        if (!into.hasRemaining()) {
            return 0;
        }
        while (true) {
            int count = channel == null ? readTls(into) : channel.read(into);
            if (count != 0) {
                return count;
            }
            await(endPoint::fillInterested);
        }
    }

    /** Jetty fills only buffers of its own kind. */
    private int readTls(ByteBuffer into) throws IOException {
        if (!input.hasRemaining() && endPoint.fill(input) < 0) {
            return -1;
        }
        int count = Math.min(input.remaining(), into.remaining());
        into.put(input.slice(input.position(), count));
        input.position(input.position() + count);
        return count;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        int count = from.remaining();
        await(callback -> endPoint.write(callback, from));
        return count;
    }

    /** Begins something that calls back. */
    private interface Begin {
        void begin(Callback callback);
    }

    private void await(Begin begin) throws IOException {
        CompletableFuture<Void> done = new CompletableFuture<>();
        begin.begin(Callback.from(() -> done.complete(null), done::completeExceptionally));
        try {
            done.get();
        } catch (ExecutionException e) {
            throw new IOException("the connection broke", e.getCause());
        } catch (InterruptedException e) {
            endPoint.close();
            Thread.currentThread().interrupt();
            throw new ClosedByInterruptException();
        }
    }

    @Override
    public void shutdownOutput() {
        endPoint.shutdownOutput();
    }

    /** Closes below TLS, whose end would make a truncated stream look complete. */
    @Override
    public void abort() {
        EndPoint below = endPoint;
        while (below instanceof EndPoint.Wrapper wrapper) {
            below = wrapper.unwrap();
        }
        if (below instanceof SocketChannelEndPoint plain) {
            try {
                plain.getChannel().setOption(StandardSocketOptions.SO_LINGER, 0); // makes the close send RST
            } catch (IOException e) {
                // it was closed before
            }
            plain.close();
        }
        endPoint.close(new IOException("the tunnel was cut"));
    }

    @Override
    public void close() {
        endPoint.close();
    }

    @Override
    public boolean isOpen() {
        return endPoint.isOpen();
    }

    @Override
    public SocketAddress localAddress() {
        return endPoint.getLocalSocketAddress();
    }

    @Override
    public SocketAddress remoteAddress() {
        return endPoint.getRemoteSocketAddress();
    }

    /** Not supported: relays need none. */
    @Override
    public Socket asSocket() throws IOException {
        throw new IOException("an end point of Jetty is not a socket");
    }
}
