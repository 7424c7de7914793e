package io.broxy.examples.hosts;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Certificates;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.ssl.SslHandler;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;

/** Specifies the tunnels of a Netty server, whose sockets are handed over. */
class NettyTest extends HostContract {
    @Override
    final Host start(Broxy engine, ProxyHandler tunnels) throws Exception {
        Certificates certificates = certificates();
        return listen(new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                if (certificates != null) {
                    SSLEngine tls = certificates.server().createSSLEngine();
                    tls.setUseClientMode(false);
                    channel.pipeline().addLast(new SslHandler(tls));
                }
                channel.pipeline()
                        .addLast(new HttpServerCodec())
                        .addLast(new NettyConnectHandler(tunnels))
                        .addLast(new HttpObjectAggregator(1 << 16))
                        .addLast(new Hello());
            }
        });
    }

    private static Host listen(ChannelInitializer<Channel> initializer) throws InterruptedException {
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
        Channel server = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1_024)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(initializer)
                .bind(ANY_PORT)
                .sync()
                .channel();
        return new Host((InetSocketAddress) server.localAddress(), () -> {
            server.close().sync();
            loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        });
    }

    /** Answers each request. */
    private static final class Hello extends SimpleChannelInboundHandler<FullHttpRequest> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            FullHttpResponse response = new DefaultFullHttpResponse(
                    HttpVersion.HTTP_1_1, HttpResponseStatus.OK, Unpooled.copiedBuffer("hello\n", US_ASCII));
            response.headers()
                    .setInt(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes());
            context.writeAndFlush(response);
        }
    }
}
