package io.broxy.examples;

import io.broxy.ClientHandler;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * Where to listen: a name or an address of this machine, and a port, 0 for a free one.
 *
 * <p>Threading: immutable.
 */
record ListenAddress(String host, int port) implements ListenPoint {
    /** The default address. */
    static final ListenAddress DEFAULT = new ListenAddress("127.0.0.1", 3128);

    private static final String FREE_PORT = ":0";

    /**
     * Reads {@code HOST:PORT} as {@link HostPort} does, with port 0 allowed.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    static ListenAddress parse(String text) {
        if (text.endsWith(FREE_PORT)) {
            String host = text.substring(0, text.length() - FREE_PORT.length());
            try {
                return new ListenAddress(HostPort.parse(host + ":1").host(), 0);
            } catch (IllegalArgumentException e) { // whose message shows the port that is not there
                String message = String.valueOf(e.getMessage());
                throw new IllegalArgumentException(
                        "not a target: " + Found.value(text) + message.substring(message.lastIndexOf(": ")));
            }
        }
        HostPort parsed = HostPort.parse(text);
        return new ListenAddress(parsed.host(), parsed.port());
    }

    /** An address that is listened on. */
    static ListenAddress of(InetSocketAddress address) {
        return new ListenAddress(address.getAddress().getHostAddress(), address.getPort());
    }

    /** Looks a name up, which may block; the address stays unresolved if there is no such name. */
    InetSocketAddress resolve() {
        return new InetSocketAddress(host, port);
    }

    /**
     * As {@link #resolve}.
     *
     * @throws IOException if there is no such name
     */
    InetSocketAddress resolved() throws IOException {
        InetSocketAddress address = resolve();
        if (address.isUnresolved()) {
            throw new IOException("cannot listen on " + host + ": unknown host");
        }
        return address;
    }

    @Override
    public ProxyServer open(Broxy broxy, ClientHandler handler) throws IOException {
        return broxy.listen(resolve(), handler);
    }

    /** {@code HOST:PORT}, an IPv6 address in brackets. */
    @Override
    public String toString() {
        return host.indexOf(':') < 0 ? host + ":" + port : "[" + host + "]:" + port;
    }
}
