package io.broxy.examples.clients;

import io.broxy.Credentials;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DnsResolver;
import io.lettuce.core.resource.NettyCustomizer;
import io.lettuce.core.resource.SocketAddressResolver;
import io.netty.channel.Channel;
import io.netty.handler.proxy.Socks5ProxyHandler;
import io.netty.resolver.NoopAddressResolverGroup;
import java.net.InetSocketAddress;

/** Lettuce: Netty's proxy handler comes first in each channel, and names stay unresolved. */
final class LettuceRecipe {
    private LettuceRecipe() {}

    /** Returns the resources of clients, {@code RedisClient.create(resources, uri)}, to be shut down after them. */
    static ClientResources resources(InetSocketAddress proxy, Credentials login) {
        return ClientResources.builder()
                .socketAddressResolver(SocketAddressResolver.create(DnsResolver.unresolved()))
                .addressResolverGroup(NoopAddressResolverGroup.INSTANCE)
                .nettyCustomizer(new NettyCustomizer() {
                    @Override
                    public void afterChannelInitialized(Channel channel) {
                        channel.pipeline().addFirst(new Socks5ProxyHandler(proxy, login.user(), login.password()));
                    }
                })
                .build();
    }
}
