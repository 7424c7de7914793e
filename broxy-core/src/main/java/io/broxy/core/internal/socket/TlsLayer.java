package io.broxy.core.internal.socket;

import io.broxy.HostPort;
import java.io.IOException;
import java.net.Socket;
import java.util.List;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Lays TLS over sockets: the peer's name is sent along (SNI, RFC 6066 section 3), and its certificate must be valid for its
 * host (RFC 2818 section 3.1) unless that is turned off.
 *
 * <p>Threading: immutable.
 *
 * @param factory of a TLS context
 * @param identifiesPeer whether certificates must be valid for the host
 */
record TlsLayer(SSLSocketFactory factory, boolean identifiesPeer) {

    /** A socket that is never connected, and keeps the settings of one that will be. */
    SSLSocket unconnected() throws IOException {
        return prepared((SSLSocket) factory.createSocket(), null);
    }

    /** TLS over a connected socket. */
    SSLSocket over(Socket below, @Nullable String host, int port, boolean autoClose) throws IOException {
        return prepared((SSLSocket) factory.createSocket(below, host, port, autoClose), host);
    }

    private SSLSocket prepared(SSLSocket socket, @Nullable String host) {
        SSLParameters parameters = socket.getSSLParameters();
        if (identifiesPeer) {
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        List<SNIServerName> names = host == null ? List.of() : serverNames(host);
        if (!names.isEmpty()) {
            parameters.setServerNames(names); // the JDK itself sends no name without a dot
        }
        socket.setSSLParameters(parameters);
        return socket;
    }

    private static List<SNIServerName> serverNames(String host) {
        try {
            return TlsNames.of(HostPort.of(host, 1));
        } catch (IllegalArgumentException e) {
            return List.of();
        }
    }
}
