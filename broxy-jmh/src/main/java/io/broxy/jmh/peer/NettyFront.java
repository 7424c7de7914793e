package io.broxy.jmh.peer;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The client's side: until a tunnel is open or, for plain HTTP, for the whole connection.
 *
 * <p>Threading: owned by the client's event loop.
 */
final class NettyFront extends ChannelInboundHandlerAdapter {
    private static final byte[] ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n".getBytes(US_ASCII);

    private final NettyProxy.Dialing dialing;

    /** Parts of a request that wait for the connection to the origin. */
    private final Queue<HttpObject> waiting = new ArrayDeque<>();

    private String originAuthority = "";
    private @Nullable Channel origin;
    private boolean tunnelling;

    NettyFront(NettyProxy.Dialing dialing) {
        this.dialing = dialing;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (tunnelling) {
            ReferenceCountUtil.release(message); // the end of the CONNECT request
        } else if (message instanceof HttpRequest request) {
            if (request.method().equals(HttpMethod.CONNECT)) {
                tunnel(ctx, request.uri());
            } else {
                forward(ctx.channel(), request);
            }
        } else if (origin != null && waiting.isEmpty()) {
            origin.write(message);
        } else {
            waiting.add((HttpObject) message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (origin != null) {
            origin.flush();
        }
    }

    private void tunnel(ChannelHandlerContext ctx, String authority) {
        Channel client = ctx.channel();
        client.config().setAutoRead(false);
        tunnelling = true;
        ChannelFuture dial = dialing.raw(client, authority, new NettyRelay(client));
        dial.addListener((ChannelFutureListener) dialed -> {
            if (!dialed.isSuccess()) {
                refuse(client);
                return;
            }
            Channel target = dialed.channel();
            client.pipeline().remove(HttpServerCodec.class);
            client.writeAndFlush(Unpooled.wrappedBuffer(ESTABLISHED));
            client.pipeline().replace(this, null, new NettyRelay(target));
            client.config().setAutoRead(true);
            target.config().setAutoRead(true);
        });
    }

    private void forward(Channel client, HttpRequest request) {
        String uri = request.uri();
        int from = uri.indexOf("://") + 3;
        int slash = uri.indexOf('/', from);
        String authority = slash < 0 ? uri.substring(from) : uri.substring(from, slash);
        request.setUri(slash < 0 ? "/" : uri.substring(slash));
        request.headers().remove("Proxy-Connection").remove(HttpHeaderNames.PROXY_AUTHORIZATION);
        if (origin != null && origin.isActive() && authority.equals(originAuthority)) {
            origin.write(request);
            return;
        }
        client.config().setAutoRead(false);
        waiting.add(request);
        ChannelFuture dial = dialing.http(client, authority, new NettyBack(client));
        dial.addListener((ChannelFutureListener) dialed -> {
            if (dialed.isSuccess()) {
                connected(dialed.channel(), authority);
                client.config().setAutoRead(true);
            } else {
                refuse(client);
            }
        });
    }

    private void connected(Channel target, String authority) {
        if (origin != null) {
            origin.close();
        }
        origin = target;
        originAuthority = authority;
        for (HttpObject part; (part = waiting.poll()) != null; ) {
            target.write(part);
        }
        target.flush();
    }

    private static void refuse(Channel client) {
        DefaultFullHttpResponse answer =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.BAD_GATEWAY);
        answer.headers().set(HttpHeaderNames.CONTENT_LENGTH, 0);
        client.writeAndFlush(answer).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent && !tunnelling) {
            ctx.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        waiting.forEach(ReferenceCountUtil::release);
        waiting.clear();
        if (origin != null) {
            origin.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }
}
