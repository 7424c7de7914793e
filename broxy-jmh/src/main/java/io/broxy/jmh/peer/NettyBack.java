package io.broxy.jmh.peer;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** The origin's side of plain HTTP: forwards responses to the client. Threading: owned by the client's event loop. */
final class NettyBack extends ChannelInboundHandlerAdapter {
    private final Channel client;

    NettyBack(Channel client) {
        this.client = client;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        client.write(message);
        if (!client.isWritable()) {
            client.flush();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        client.flush();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
        client.close();
    }
}
