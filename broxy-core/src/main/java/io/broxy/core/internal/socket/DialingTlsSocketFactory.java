package io.broxy.core.internal.socket;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;

/** Makes TLS sockets over sockets that a {@link io.broxy.Dialer} connects. Threading: thread-safe. */
public final class DialingTlsSocketFactory extends SSLSocketFactory {
    private final DialingSocketFactory plain;
    private final TlsLayer tls;

    /**
     * Creates a factory.
     *
     * @param identifiesPeer whether the certificates of peers must be valid for their hosts
     */
    public DialingTlsSocketFactory(SocketSettings settings, SSLContext context, boolean identifiesPeer) {
        plain = new DialingSocketFactory(settings);
        tls = new TlsLayer(context.getSocketFactory(), identifiesPeer);
    }

    @Override
    public Socket createSocket() throws IOException {
        return new DialedTlsSocket(plain.createSocket(), tls);
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return DialingSocketFactory.connect(createSocket(), InetSocketAddress.createUnresolved(host, port), null);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return DialingSocketFactory.connect(
                createSocket(),
                InetSocketAddress.createUnresolved(host, port),
                new InetSocketAddress(localHost, localPort));
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return DialingSocketFactory.connect(createSocket(), new InetSocketAddress(host, port), null);
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort)
            throws IOException {
        return DialingSocketFactory.connect(
                createSocket(), new InetSocketAddress(address, port), new InetSocketAddress(localAddress, localPort));
    }

    @Override
    public Socket createSocket(Socket socket, String host, int port, boolean autoClose) throws IOException {
        return tls.over(socket, host, port, autoClose);
    }

    /** The server's side of a handshake. */
    @Override
    public Socket createSocket(Socket socket, InputStream consumed, boolean autoClose) throws IOException {
        return tls.factory().createSocket(socket, consumed, autoClose);
    }

    @Override
    public String[] getDefaultCipherSuites() {
        return tls.factory().getDefaultCipherSuites();
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return tls.factory().getSupportedCipherSuites();
    }
}
