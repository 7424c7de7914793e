package io.broxy.jmh.peer;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;

/**
 * One direction of a tunnel: bytes read here are written to the other side, and reading pauses while that is full.
 *
 * <p>Threading: owned by the client's event loop, as both sides are.
 */
final class NettyRelay extends ChannelInboundHandlerAdapter {
    private final Channel other;

    NettyRelay(Channel other) {
        this.other = other;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        other.write(message, other.voidPromise());
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        other.flush();
        if (!other.isWritable()) {
            ctx.channel().config().setAutoRead(false);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (ctx.channel().isWritable() && !other.config().isAutoRead()) {
            other.config().setAutoRead(true);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            other.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
                ((DuplexChannel) other).shutdownOutput();
                if (((DuplexChannel) ctx.channel()).isOutputShutdown()) {
                    ctx.close();
                    other.close();
                }
            });
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        other.close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
        other.close();
    }
}
