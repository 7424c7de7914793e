package io.broxy.examples.hosts;

import io.broxy.ConnectRequest;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.ReferenceCountUtil;

/**
 * Hands CONNECT requests of a Netty 4.2 server over to a {@link ProxyHandler}, and passes all others on. It goes behind the
 * {@code HttpServerCodec}, and before the server's own handlers.
 *
 * <p>Threading: owned by its channel's event loop.
 */
public final class NettyConnectHandler extends ChannelInboundHandlerAdapter {
    private final ProxyHandler handler;

    /** Hands requests over to this handler. */
    public NettyConnectHandler(ProxyHandler handler) {
        this.handler = handler;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof HttpRequest request) || !request.method().equals(HttpMethod.CONNECT)) {
            context.fireChannelRead(message);
            return;
        }
        try {
            connect(context, request);
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void connect(ChannelHandlerContext context, HttpRequest request) {
        ConnectRequest.Builder parsed;
        try {
            parsed = ConnectRequest.builder(HostPort.parse(request.uri()));
        } catch (IllegalArgumentException e) {
            DefaultFullHttpResponse response =
                    new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.BAD_REQUEST);
            response.headers().set(HttpHeaderNames.CONTENT_LENGTH, 0).set(HttpHeaderNames.CONNECTION, "close");
            context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
            return;
        }
        request.headers().forEach(field -> parsed.field(field.getKey(), field.getValue()));
        NettyHandOver.connect(context.channel(), handler, parsed);
    }
}
