package io.broxy.core.internal.tls;

import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
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

    /** Told how a handshake on a loop ended, once, on the loop. Threading: owned by its event loop. */
    public interface Outcome {
        /** The connection is secure and belongs to whoever is told. */
        void secured(LoopConnection connection);

        /** It is not, and the connection below is closed. */
        void failed(IOException cause);
    }

    /** Creates a client whose trust, keys and versions come from a context. */
    public Tls(SSLContext context, TlsResources means) {
        this.context = context;
        this.means = means;
    }

    /**
     * Begins a handshake on a connection's loop. It has no time limit of its own: whoever has one cancels.
     *
     * @param below given away with this call
     * @param peer whom the certificate must be valid for
     * @param outcome told the end, possibly before this method returns
     * @return cancels the handshake and closes the connection
     */
    public DialHandle onLoop(LoopConnection below, HostPort peer, Outcome outcome) {
        return TlsHandshake.start(below, engine(peer), means, outcome);
    }

    /**
     * Does a handshake on the caller's thread.
     *
     * @param below given away with this call, closed if it fails
     * @param peer whom the certificate must be valid for
     * @param deadlineNanos when the handshake must have ended, by the ticker of the means
     * @throws java.net.SocketTimeoutException if it has not
     * @throws IOException if it failed
     */
    public TlsConnection onCaller(Connection below, HostPort peer, long deadlineNanos) throws IOException {
        return TlsConnection.handshake(below, engine(peer), means, deadlineNanos);
    }

    private TlsEngine engine(HostPort peer) {
        SSLEngine engine = context.createSSLEngine(peer.host(), peer.port());
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setServerNames(serverNames(peer));
        engine.setSSLParameters(parameters);
        return new TlsEngine(engine);
    }

    private static List<SNIServerName> serverNames(HostPort peer) {
        if (peer.isLiteral()) {
            return List.of();
        }
        try {
            return List.of(new SNIHostName(peer.host()));
        } catch (IllegalArgumentException e) { // a name with an underscore, which the DNS allows and the JDK does not
            return List.of();
        }
    }
}
