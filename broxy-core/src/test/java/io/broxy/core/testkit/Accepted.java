package io.broxy.core.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/**
 * Both ends of a fresh connection, as an embedder has them that accepts by itself.
 *
 * @param client the far end
 * @param end the end that was accepted
 * @param <S> its type
 */
public record Accepted<S extends AutoCloseable>(Peer client, S end) implements AutoCloseable {

    /** Accepted by a channel. */
    public static Accepted<SocketChannel> channel() throws IOException {
        try (ServerSocketChannel server =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            return new Accepted<>(Peer.connect(server.getLocalAddress()), server.accept());
        }
    }

    /** Accepted by a plain server socket, so it has no channel. */
    public static Accepted<Socket> socket() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return new Accepted<>(Peer.connect(server.getLocalSocketAddress()), server.accept());
        }
    }

    /** Accepted by a TLS server; both ends shake hands when one of them is first used. */
    public static Accepted<Socket> tls(String protocol) throws IOException {
        Certificates certificates = Certificates.loopback();
        try (SSLServerSocket server = (SSLServerSocket) certificates
                .server()
                .getServerSocketFactory()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            SSLSocket client = (SSLSocket) certificates
                    .client()
                    .getSocketFactory()
                    .createSocket(server.getInetAddress(), server.getLocalPort());
            client.setEnabledProtocols(new String[] {protocol});
            return new Accepted<>(new Peer(client), server.accept());
        }
    }

    @Override
    public void close() throws Exception {
        client.close();
        end.close();
    }
}
