package io.broxy.examples.hosts;

import io.broxy.Connection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A channel of Netty as a blocking connection, for channels that Netty has to keep: with TLS, or of a native transport. Copy
 * this file. Set {@link ChannelOption#ALLOW_HALF_CLOSURE} for the channel.
 *
 * <p>One buffer is read ahead at most: the next read of the socket waits until the connection's reader asks for bytes.
 *
 * <p>Threading: as {@link Connection} says; never call it on the channel's event loop.
 */
public final class NettyConnection implements Connection {
    private final Channel channel;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<ByteBuf> received = new ArrayDeque<>();
    private boolean ended;
    private boolean asked;
    private @Nullable Throwable failure;

    private NettyConnection(Channel channel) {
        this.channel = channel;
    }

    /**
     * Takes the channel over: the handlers of the pipeline are removed but for that of TLS. Call it on the channel's event
     * loop, when the response is written.
     */
    public static NettyConnection over(Channel channel) {
        NettyConnection connection = new NettyConnection(channel);
        channel.config().setAutoRead(false);
        List<ChannelHandler> handlers =
                new ArrayList<>(channel.pipeline().toMap().values());
        channel.pipeline().addLast(connection.new Receiver());
        for (int i = handlers.size() - 1; i >= 0; i--) {
            if (!(handlers.get(i) instanceof SslHandler)) {
                channel.pipeline().remove(handlers.get(i));
            }
        }
        return connection;
    }

    /** Threading: owned by the channel's event loop. */
    private final class Receiver extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof ByteBuf bytes && bytes.isReadable()) {
                update(() -> received.add(bytes));
            } else {
                ReferenceCountUtil.release(message);
            }
        }

        /** TLS may have read a part of a record, which is no byte for the reader. */
        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            update(() -> asked = false);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof ChannelInputShutdownEvent || event instanceof SslCloseCompletionEvent) {
                update(() -> ended = true);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            update(() -> ended = true);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            update(() -> failure = cause);
        }
    }

    private void update(Runnable change) {
        lock.lock();
        try {
            change.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        if (!into.hasRemaining()) {
            return 0;
        }
        lock.lock();
        try {
            while (received.isEmpty()) {
                if (failure != null) {
                    throw new IOException("the connection broke", failure);
                } else if (ended) {
                    return -1;
                } else if (!channel.isOpen()) {
                    throw new AsynchronousCloseException();
                }
                if (!asked) {
                    asked = true;
                    channel.read();
                }
                changed.await();
            }
            return take(received.element(), into);
        } catch (InterruptedException e) {
            channel.close();
            Thread.currentThread().interrupt();
            throw new ClosedByInterruptException();
        } finally {
            lock.unlock();
        }
    }

    private int take(ByteBuf bytes, ByteBuffer into) {
        int count = Math.min(bytes.readableBytes(), into.remaining());
        int limit = into.limit();
        bytes.readBytes(into.limit(into.position() + count));
        into.limit(limit);
        if (!bytes.isReadable()) {
            received.remove().release();
        }
        return count;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        int count = from.remaining();
        await(channel.writeAndFlush(Unpooled.copiedBuffer(from)));
        from.position(from.limit());
        return count;
    }

    @Override
    public void shutdownOutput() throws IOException {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls != null) {
            await(tls.closeOutbound());
        } else if (channel instanceof DuplexChannel duplex) {
            await(duplex.shutdownOutput());
        } else {
            throw new IOException("the channel has no half-close");
        }
    }

    private static void await(io.netty.util.concurrent.Future<?> future) throws IOException {
        try {
            future.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedByInterruptException();
        }
        if (!future.isSuccess()) {
            throw new IOException("the connection broke", future.cause());
        }
    }

    /** Closes below TLS, whose end would make a truncated stream look complete. */
    @Override
    public void abort() {
        channel.config().setOption(ChannelOption.SO_LINGER, 0);
        channel.eventLoop().execute(() -> {
            channel.unsafe().closeForcibly();
            close();
        });
    }

    @Override
    public void close() {
        ChannelFuture closing = channel.close();
        closing.addListener(closed -> update(() -> {
            received.forEach(ByteBuf::release);
            received.clear();
        }));
    }

    @Override
    public boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public SocketAddress localAddress() {
        return channel.localAddress();
    }

    @Override
    public SocketAddress remoteAddress() {
        return channel.remoteAddress();
    }

    /** Not supported: relays need none. */
    @Override
    public Socket asSocket() throws IOException {
        throw new IOException("a channel of Netty is not a socket");
    }
}
