package io.broxy.core.internal.tls;

import io.broxy.HostPort;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.socket.TlsNames;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;

/**
 * Makes connections secure as a TLS client: the peer's certificate must be valid for its host (RFC 2818 section 3.1), and
 * its name is sent along (SNI, RFC 6066 section 3); an address is none.
 *
 * <p>Threading: thread-safe.
 */
public final class Tls {
    private final SSLContext context;
    private final TlsResources means;

    /** Creates a client whose trust, keys and versions come from a context. */
    public Tls(SSLContext context, TlsResources means) {
        this.context = context;
        this.means = means;
    }

    /**
     * Begins a handshake on a connection's loop. It has no time limit: the caller cancels a handshake that takes too long.
     * One of the two consumers is called, once, on the loop, possibly before this method returns; none after a cancellation.
     *
     * @param below given away with this call, closed if the handshake fails
     * @param peer the host and port for which the certificate must be valid
     * @param secured gets the secure connection, which belongs to it
     * @return cancels the handshake and closes the connection
     */
    public DialHandle onLoop(
            LoopConnection below, HostPort peer, Consumer<LoopConnection> secured, Consumer<IOException> failed) {
        return TlsHandshake.start(below, engine(peer), means, new TlsHandshake.Outcome() {
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
        parameters.setServerNames(TlsNames.of(peer));
        engine.setSSLParameters(parameters);
        return engine;
    }
}
