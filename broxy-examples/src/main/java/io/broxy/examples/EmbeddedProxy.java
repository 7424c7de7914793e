package io.broxy.examples;

import io.broxy.AddressPolicy;
import io.broxy.Cidr;
import io.broxy.ProxyHandler;
import io.broxy.TunnelResult;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;

/**
 * A service with an accept loop of its own that makes each client's socket a CONNECT tunnel.
 *
 * <pre>java -cp broxy-mini-server.jar io.broxy.examples.EmbeddedProxy [PORT [CIDR]]</pre>
 *
 * <p>It listens on that port of the loopback, by default on a free one. Clients reach public addresses, and those of the
 * block.
 */
final class EmbeddedProxy {
    private EmbeddedProxy() {}

    /** Runs until the process is ended. */
    public static void main(String[] args) throws IOException {
        int port = args.length > 0 ? Integer.parseInt(args[0]) : 0;
        AddressPolicy policy = AddressPolicy.publicOnly();
        if (args.length > 1) {
            policy = policy.or(AddressPolicy.allowing(Cidr.parse(args[1])));
        }
        try (Broxy broxy = Broxy.create();
                ProxyHandler handler =
                        broxy.proxyHandler().addressPolicy(policy).build();
                ServerSocketChannel server = ServerSocketChannel.open()
                        .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
            System.out.println("listening on 127.0.0.1:" + server.socket().getLocalPort());
            serve(server, handler);
        }
    }

    private static void serve(ServerSocketChannel server, ProxyHandler handler) throws IOException {
        while (true) {
            handler.handleConnect(server.accept()) // returns at once; an event loop does the rest
                    .completion()
                    .thenAccept(EmbeddedProxy::report);
        }
    }

    private static void report(TunnelResult end) {
        System.out.printf(
                "%s: %s, %d bytes to the origin, %d to the client%n",
                end.target(), end.reason(), end.bytesToOrigin(), end.bytesToClient());
    }
}
