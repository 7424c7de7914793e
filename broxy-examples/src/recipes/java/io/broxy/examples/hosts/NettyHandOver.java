package io.broxy.examples.hosts;

import io.broxy.ConnectRequest;
import io.broxy.ConnectResponse;
import io.broxy.ProxyHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.nio.AbstractNioChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.internal.logging.InternalLoggerFactory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Takes a client's socket out of Netty 4.2, with the bytes that the pipeline has read and not consumed. Copy this file.
 *
 * <p>It takes sockets of the NIO transport without TLS. A channel with an {@link SslHandler}, or of the epoll, kqueue or
 * io_uring transport, stays in Netty, and is relayed as a {@link NettyConnection}.
 *
 * <pre>
 *   stop reading ──> empty the pipeline ──> flush ──> deregister ──> wait until the selector has let go of the key
 * </pre>
 *
 * <p>Threading: any thread may call it; the work is done on the channel's event loop.
 */
public final class NettyHandOver {
    private static final long CHECK_MILLIS = 1;

    private final AbstractNioChannel channel;
    private final SocketChannel socket;
    private final Unread unread = new Unread();
    private final CompletableFuture<Taken> future = new CompletableFuture<>();

    private NettyHandOver(AbstractNioChannel channel, SocketChannel socket) {
        this.channel = channel;
        this.socket = socket;
    }

    /**
     * A client that Netty has let go.
     *
     * @param channel the Netty channel, deregistered: {@link #release} closes it when the socket's new owner has finished
     * @param socket the socket, registered with no selector; not blocking
     * @param alreadyRead what the pipeline has read and not consumed
     */
    public record Taken(Channel channel, SocketChannel socket, ByteBuffer alreadyRead) {
        /** Closes the Netty channel, so that Netty and its groups of channels forget it. Closes the socket, too. */
        public void release() {
            channel.close();
        }
    }

    /**
     * Serves a CONNECT that the pipeline has read: hands the socket over if that is possible, or else answers here and relays
     * the channel. When it is called, as for {@link #take}.
     */
    public static void connect(Channel channel, ProxyHandler handler, ConnectRequest.Builder request) {
        if (isPossible(channel)) {
            take(channel).thenAccept(taken -> {
                ConnectRequest complete =
                        request.earlyBytes(taken.alreadyRead()).build();
                handler.handleConnect(taken.socket(), complete).completion().thenRun(taken::release);
            });
            return;
        }
        NettyConnection client = NettyConnection.over(channel);
        CompletableFuture<ConnectResponse> opening = handler.open(request.build(), channel.remoteAddress());
        channel.closeFuture().addListener(closed -> opening.cancel(true));
        opening.thenAccept(response -> {
            try (response) {
                client.write(response.message());
                if (response.isOpen()) {
                    response.relay(client);
                } else {
                    client.close();
                }
            } catch (IOException e) { // the client has gone
                client.abort();
            }
        });
    }

    /** Whether the socket of a channel can be taken. */
    public static boolean isPossible(Channel channel) {
        return channel.pipeline().get(SslHandler.class) == null
                && channel instanceof AbstractNioChannel nio
                && nio.unsafe().ch() instanceof SocketChannel;
    }

    /**
     * Takes the socket; responses that were written before go out first. The handlers of the pipeline are removed. Call it
     * from a handler behind the HTTP codec, while that handler is called with the request: bytes behind it would be decoded
     * as another request otherwise.
     *
     * @return completes on the channel's event loop; exceptionally, with the channel closed, if the client has gone
     * @throws IllegalArgumentException if it is not {@linkplain #isPossible possible}
     */
    public static CompletableFuture<Taken> take(Channel channel) {
        if (!isPossible(channel)) {
            throw new IllegalArgumentException("the channel has TLS or is not of the NIO transport: " + channel);
        }
        AbstractNioChannel nio = (AbstractNioChannel) channel;
        NettyHandOver handOver =
                new NettyHandOver(nio, (SocketChannel) nio.unsafe().ch());
        if (channel.eventLoop().inEventLoop()) {
            handOver.begin();
        } else {
            channel.eventLoop().execute(handOver::begin);
        }
        return handOver.future;
    }

    private void begin() {
        channel.config().setAutoRead(false);
        emptyPipeline();
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener((ChannelFuture flushed) -> {
            if (flushed.isSuccess()) {
                deregister();
            } else {
                fail(flushed.cause());
            }
        });
    }

    /** At once, or the codec would decode early bytes; from the tail, for a codec that is removed passes on the others. */
    private void emptyPipeline() {
        ChannelPipeline pipeline = channel.pipeline();
        List<ChannelHandler> handlers = new ArrayList<>(pipeline.toMap().values());
        pipeline.addLast(unread);
        for (int i = handlers.size() - 1; i >= 0; i--) {
            pipeline.remove(handlers.get(i));
        }
    }

    private void deregister() {
        channel.deregister().addListener((ChannelFuture deregistered) -> {
            if (deregistered.isSuccess()) {
                awaitKey();
            } else {
                fail(deregistered.cause());
            }
        });
    }

    /** The selector lets go of a canceled key with its next select. */
    private void awaitKey() {
        if (!socket.isOpen()) {
            fail(new IOException("the client has gone"));
        } else if (socket.isRegistered()) {
            channel.eventLoop().schedule(this::awaitKey, CHECK_MILLIS, TimeUnit.MILLISECONDS);
        } else {
            future.complete(new Taken(channel, socket, ByteBuffer.wrap(unread.bytes.toByteArray())));
        }
    }

    private void fail(Throwable cause) {
        channel.close();
        future.completeExceptionally(cause);
    }

    /** Keeps the bytes that arrive at the end of the pipeline. */
    private static final class Unread extends ChannelInboundHandlerAdapter {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) throws IOException {
            try {
                if (message instanceof ByteBuf buffer) {
                    buffer.readBytes(bytes, buffer.readableBytes());
                }
            } finally {
                ReferenceCountUtil.release(message);
            }
        }

        /** A handler that is removed while it is called may fail; Netty closes a broken connection itself. */
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            InternalLoggerFactory.getInstance(NettyHandOver.class)
                    .debug("a handler that was removed has failed", cause);
        }
    }
}
