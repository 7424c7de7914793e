package io.broxy.jmh.peer;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.SslHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/**
 * A forward proxy as a user of Netty 4.2 writes it by hand: {@code HttpServerCodec} reads the request; for CONNECT the codec is
 * removed and bytes are relayed with back-pressure and half-close; for plain HTTP each client has one connection to the origin,
 * on the client's event loop.
 *
 * <p>Threading: thread-safe.
 */
final class NettyProxy implements PeerProxy {
    private static final int BACKLOG = 1_024;
    private static final int CONNECT_TIMEOUT_MILLIS = 10_000;
    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(256 << 10, 512 << 10);

    private final MultiThreadIoEventLoopGroup loops;
    private final Channel server;

    private NettyProxy(MultiThreadIoEventLoopGroup loops, Channel server) {
        this.loops = loops;
        this.server = server;
    }

    static NettyProxy start(NettyTransport transport, int port, @Nullable SSLContext tls) {
        MultiThreadIoEventLoopGroup loops =
                new MultiThreadIoEventLoopGroup(Runtime.getRuntime().availableProcessors(), transport.handlers());
        Dialing dialing = new Dialing(transport.clientChannel());
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops)
                .channel(transport.serverChannel())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel client) {
                        if (tls != null) {
                            SSLEngine engine = tls.createSSLEngine();
                            engine.setUseClientMode(false);
                            client.pipeline().addLast(new SslHandler(engine));
                        }
                        client.pipeline().addLast(new HttpServerCodec(), new NettyFront(dialing));
                    }
                });
        Channel server = bootstrap
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .syncUninterruptibly()
                .channel();
        return new NettyProxy(loops, server);
    }

    @Override
    public int port() {
        return ((InetSocketAddress) server.localAddress()).getPort();
    }

    @Override
    public void close() {
        server.close().syncUninterruptibly();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** Connects to origins, each on its client's event loop. Threading: immutable. */
    static final class Dialing {
        private final Class<? extends Channel> channel;

        private Dialing(Class<? extends Channel> channel) {
            this.channel = channel;
        }

        /** Connects for a tunnel: nothing is read before the client has received its 200. */
        ChannelFuture raw(Channel client, String authority, ChannelInboundHandler handler) {
            return common(client)
                    .option(ChannelOption.AUTO_READ, false)
                    .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                    .handler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel origin) {
                            origin.pipeline().addLast(handler);
                        }
                    })
                    .connect(address(authority));
        }

        /** Connects for plain HTTP. */
        ChannelFuture http(Channel client, String authority, ChannelInboundHandler handler) {
            return common(client)
                    .handler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel origin) {
                            origin.pipeline().addLast(new HttpClientCodec(), handler);
                        }
                    })
                    .connect(address(authority));
        }

        private Bootstrap common(Channel client) {
            return new Bootstrap()
                    .group(client.eventLoop())
                    .channel(channel)
                    .option(ChannelOption.TCP_NODELAY, true)
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
                    .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK);
        }

        private static InetSocketAddress address(String authority) {
            int colon = authority.lastIndexOf(':');
            return colon < 0
                    ? InetSocketAddress.createUnresolved(authority, 80)
                    : InetSocketAddress.createUnresolved(
                            authority.substring(0, colon), Integer.parseInt(authority.substring(colon + 1)));
        }
    }
}
