package io.broxy.core.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.ConnectRequest;
import io.broxy.ConnectResponse;
import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.ForeignConnection;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/** What a host server does that answers its clients itself: it opens tunnels, and has connections to relay. */
final class HostServer {
    static final InetSocketAddress CLIENT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 45_678);

    private HostServer() {}

    static ConnectResponse open(Proxy proxy, HostPort target) throws Exception {
        return open(proxy, ConnectRequest.to(target));
    }

    static ConnectResponse open(Proxy proxy, ConnectRequest request) throws Exception {
        ConnectResponse response =
                proxy.handler().open(request, CLIENT).get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.isOpen()).isTrue();
        return response;
    }

    /** The connections that a host server may pass on. */
    enum Kind {
        CHANNEL {
            @Override
            Pair come(Proxy proxy) throws IOException {
                Accepted<SocketChannel> accepted = Accepted.channel();
                return new Pair(accepted.client(), proxy.broxy().asConnection(accepted.end()));
            }
        },
        SOCKET {
            @Override
            Pair come(Proxy proxy) throws IOException {
                Accepted<Socket> accepted = Accepted.socket();
                return new Pair(accepted.client(), proxy.broxy().asConnection(accepted.end()));
            }
        },
        TLS {
            @Override
            Pair come(Proxy proxy) throws IOException {
                Accepted<Socket> accepted = Accepted.tls("TLSv1.3");
                return new Pair(accepted.client(), proxy.broxy().asConnection(accepted.end()));
            }
        },
        FOREIGN {
            @Override
            Pair come(Proxy proxy) throws IOException {
                Pair channel = CHANNEL.come(proxy);
                return new Pair(channel.client, ForeignConnection.over(channel.end));
            }
        };

        abstract Pair come(Proxy proxy) throws IOException;
    }

    /** Both ends of a client's connection. */
    record Pair(Peer client, Connection end) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            client.close();
            end.close();
        }
    }
}
