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
import org.jspecify.annotations.Nullable;

/**
 * Secures connections as a TLS client: the peer's certificate must be valid for its host (RFC 2818 section 3.1), and the host
 * name is sent as SNI (RFC 6066 section 3) unless it is an address. Parameters may override both.
 *
 * <p>Threading: thread-safe.
 */
public final class Tls {
    private final SSLContext context;
    private final @Nullable SSLParameters parameters;
    private final TlsResources resources;

    /** Creates a client whose trust, keys and versions come from a context. */
    public Tls(SSLContext context, TlsResources resources) {
        this.context = context;
        this.parameters = null;
        this.resources = resources;
    }

    /**
     * Creates a client with parameters of its own, whose nulls leave the defaults.
     *
     * @param parameters copied
     * @throws IllegalArgumentException if the context does not support one of them
     */
    public Tls(SSLContext context, SSLParameters parameters, TlsResources resources) {
        this.context = context;
        this.parameters = copy(context, parameters);
        this.resources = resources;
    }

    /** The engine copies all parameters that this JVM has, also those that came after Java 17. */
    private static SSLParameters copy(SSLContext context, SSLParameters parameters) {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(true);
        engine.setSSLParameters(parameters);
        return engine.getSSLParameters();
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
        SSLParameters defaults = engine.getSSLParameters();
        defaults.setEndpointIdentificationAlgorithm("HTTPS");
        defaults.setServerNames(TlsNames.of(peer));
        engine.setSSLParameters(defaults);
        if (parameters != null) {
            engine.setSSLParameters(parameters);
        }
        return engine;
    }
}
