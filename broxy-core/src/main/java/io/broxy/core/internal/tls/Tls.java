package io.broxy.core.internal.tls;

import io.broxy.HostPort;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.net.LoopConnection;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;

/**
 * Secures connections as a TLS client: the peer's certificate must be valid for its host (RFC 2818 section 3.1), and the host
 * name is sent as SNI (RFC 6066 section 3) unless it is an address.
 *
 * <p>Threading: thread-safe.
 */
public final class Tls {
    private final SSLContext context;
    private final TlsResources resources;

    /** Creates a client whose trust, keys and versions come from a context. */
    public Tls(SSLContext context, TlsResources resources) {
        this.context = context;
        this.resources = resources;
    }

    /**
     * Starts a handshake on a connection's loop. There is no time limit: the caller cancels a handshake that takes too long.
     * One of the two consumers is called, once, on the loop, possibly before this method returns; neither is called after a
     * cancellation.
     *
     * @param below the connection to secure, which this call takes over and closes if the handshake fails
     * @param peer the host and port for which the certificate must be valid
     * @param secured receives the secure connection and owns it
     * @return a handle that cancels the handshake and closes the connection
     */
    public DialHandle onLoop(
            LoopConnection below, HostPort peer, Consumer<LoopConnection> secured, Consumer<IOException> failed) {
        return TlsHandshake.start(below, engine(peer), resources, new TlsHandshake.Outcome() {
            @Override
            public void secured(LoopConnection connection) {
                secured.accept(connection);
            }

            @Override
            public void failed(IOException cause, ByteBuffer alert) {
                if (cause instanceof SSLException) {
                    LingeringClose.start(below, alert, () -> {});
                } else {
                    below.close();
                }
                failed.accept(cause instanceof EOFException ? new SSLHandshakeException(cause.getMessage()) : cause);
            }
        });
    }

    private SSLEngine engine(HostPort peer) {
        SSLEngine engine = context.createSSLEngine(peer.host(), peer.port());
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setServerNames(serverNames(peer));
        engine.setSSLParameters(parameters);
        return engine;
    }

    private static List<SNIServerName> serverNames(HostPort peer) {
        if (peer.isLiteral()) {
            return List.of();
        }
        try {
            return List.of(new SNIHostName(peer.host()));
        } catch (IllegalArgumentException e) { // a name with an underscore, which DNS permits but the JDK rejects
            return List.of();
        }
    }
}
