package io.broxy.core;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import javax.net.SocketFactory;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * TLS sockets for libraries that want the name of an {@link SSLSocketFactory} class: as {@link NamedSockets}, with the TLS
 * of the same registration.
 *
 * <p>Threading: thread-safe.
 */
public class NamedTlsSockets extends SSLSocketFactory {
    private final @Nullable String name;

    /** The sockets that are registered as {@code default}, or else the only registered ones. */
    public NamedTlsSockets() {
        name = null;
    }

    /**
     * The sockets that are registered by a name.
     *
     * @param name as in {@link SocketsBuilder#register(String)}
     */
    public NamedTlsSockets(String name) {
        this.name = name;
    }

    /** As {@link #NamedTlsSockets()}, for libraries that call this method, such as the JDK's LDAP client. */
    public static SocketFactory getDefault() {
        return new NamedTlsSockets();
    }

    private SSLSocketFactory registered() throws SocketException {
        return SocketRegistration.find(name).tls();
    }

    private SSLSocketFactory registeredNow() {
        try {
            return registered();
        } catch (SocketException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public Socket createSocket() throws IOException {
        return registered().createSocket();
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return registered().createSocket(host, port);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return registered().createSocket(host, port, localHost, localPort);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return registered().createSocket(host, port);
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort)
            throws IOException {
        return registered().createSocket(address, port, localAddress, localPort);
    }

    @Override
    public Socket createSocket(Socket socket, String host, int port, boolean autoClose) throws IOException {
        return registered().createSocket(socket, host, port, autoClose);
    }

    @Override
    public Socket createSocket(Socket socket, InputStream consumed, boolean autoClose) throws IOException {
        return registered().createSocket(socket, consumed, autoClose);
    }

    /**
     * The cipher suites of the registered sockets.
     *
     * @throws IllegalStateException if there are none
     */
    @Override
    public String[] getDefaultCipherSuites() {
        return registeredNow().getDefaultCipherSuites();
    }

    /**
     * The cipher suites of the registered sockets.
     *
     * @throws IllegalStateException if there are none
     */
    @Override
    public String[] getSupportedCipherSuites() {
        return registeredNow().getSupportedCipherSuites();
    }
}
