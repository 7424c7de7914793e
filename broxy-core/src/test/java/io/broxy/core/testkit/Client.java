package io.broxy.core.testkit;

import io.broxy.ConnectRequest;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.Tunnel;
import java.io.IOException;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * A client that an embedder has accepted by itself and given to a handler.
 *
 * @param peer the client
 * @param tunnel what the handler has returned
 */
public record Client(Peer peer, Tunnel tunnel) implements AutoCloseable {

    /** The kinds of sockets that an embedder may have. */
    public enum Form {
        /** A channel. */
        CHANNEL {
            @Override
            Client come(ProxyHandler handler, @Nullable ConnectRequest request) throws IOException {
                Accepted<SocketChannel> accepted = Accepted.channel();
                return new Client(
                        accepted.client(),
                        request == null
                                ? handler.handleConnect(accepted.end())
                                : handler.handleConnect(accepted.end(), request));
            }
        },
        /** A socket over a channel. */
        SOCKET_WITH_CHANNEL {
            @Override
            Client come(ProxyHandler handler, @Nullable ConnectRequest request) throws IOException {
                Accepted<SocketChannel> accepted = Accepted.channel();
                return give(new Accepted<>(accepted.client(), accepted.end().socket()), handler, request);
            }
        },
        /** A socket of a plain server socket. */
        SOCKET {
            @Override
            Client come(ProxyHandler handler, @Nullable ConnectRequest request) throws IOException {
                return give(Accepted.socket(), handler, request);
            }
        },
        /** An {@code SSLSocket} of TLS 1.2. */
        TLS12 {
            @Override
            Client come(ProxyHandler handler, @Nullable ConnectRequest request) throws IOException {
                return give(Accepted.tls("TLSv1.2"), handler, request);
            }
        },
        /** An {@code SSLSocket} of TLS 1.3. */
        TLS13 {
            @Override
            Client come(ProxyHandler handler, @Nullable ConnectRequest request) throws IOException {
                return give(Accepted.tls("TLSv1.3"), handler, request);
            }
        };

        abstract Client come(ProxyHandler handler, @Nullable ConnectRequest request) throws IOException;

        private static Client give(Accepted<Socket> accepted, ProxyHandler handler, @Nullable ConnectRequest request) {
            return new Client(
                    accepted.client(),
                    request == null
                            ? handler.handleConnect(accepted.end())
                            : handler.handleConnect(accepted.end(), request));
        }

        /** One that has said nothing yet. */
        public Client come(ProxyHandler handler) throws IOException {
            return come(handler, null);
        }

        /** One that has asked for a target. */
        public Client ask(ProxyHandler handler, HostPort target) throws IOException {
            Client client = come(handler, null);
            client.peer.send(Proxy.connectHead(target));
            return client;
        }

        /** A client with a request that the embedder has read. */
        public Client serve(ProxyHandler handler, ConnectRequest request) throws IOException {
            return come(handler, request);
        }
    }

    @Override
    public void close() throws IOException {
        peer.close();
    }
}
