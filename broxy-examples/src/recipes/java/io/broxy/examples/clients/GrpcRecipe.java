package io.broxy.examples.clients;

import io.broxy.Credentials;
import io.grpc.HttpConnectProxiedSocketAddress;
import io.grpc.netty.NettyChannelBuilder;
import java.net.InetSocketAddress;

/** gRPC with Netty: a proxy detector sends each connection, by name, through a CONNECT of the local proxy. */
final class GrpcRecipe {
    private GrpcRecipe() {}

    /** @param target such as {@code greeter.corp:443} */
    static NettyChannelBuilder channel(String target, InetSocketAddress proxy, Credentials login) {
        return NettyChannelBuilder.forTarget(target)
                .proxyDetector(address -> HttpConnectProxiedSocketAddress.newBuilder()
                        .setTargetAddress((InetSocketAddress) address)
                        .setProxyAddress(proxy)
                        .setUsername(login.user())
                        .setPassword(login.password())
                        .build());
    }
}
