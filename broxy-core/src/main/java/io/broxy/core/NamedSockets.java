package io.broxy.core;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Plain sockets for libraries that want the name of a {@link SocketFactory} class: those that {@link
 * SocketsBuilder#register(String)} has registered, in this JVM, by a name.
 *
 * <pre>{@code
 * broxy.sockets(dialer).register("corp");
 * properties.setProperty("socketFactory", "io.broxy.core.NamedSockets");   // pgjdbc
 * properties.setProperty("socketFactoryArg", "corp");
 * }</pre>
 *
 * <p>Each socket comes from the registration of that moment, so a factory may be made before the registration, and
 * outlives it. Without a registration {@code createSocket} fails with a {@link java.net.SocketException} that lists the
 * registered names. A library may take such a failure for a reason to connect without the factory, as Jakarta Mail does
 * unless {@code mail.*.socketFactory.fallback} is false.
 *
 * <p>It may be extended by a class with a constructor without arguments, to name a registration where a library takes no
 * argument.
 *
 * <p>Threading: thread-safe.
 */
public class NamedSockets extends SocketFactory {
    private final @Nullable String name;

    /** The sockets that are registered as {@code default}, or else the only registered ones. */
    public NamedSockets() {
        name = null;
    }

    /**
     * The sockets that are registered by a name.
     *
     * @param name as in {@link SocketsBuilder#register(String)}
     */
    public NamedSockets(String name) {
        this.name = name;
    }

    /** As {@link #NamedSockets()}, for libraries that call this method, such as the JDK's LDAP client. */
    public static SocketFactory getDefault() {
        return new NamedSockets();
    }

    private SocketFactory registered() throws IOException {
        return SocketRegistration.find(name).plain();
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
}
