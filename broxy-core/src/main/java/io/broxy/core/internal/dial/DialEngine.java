package io.broxy.core.internal.dial;

import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.tls.Tls;
import io.broxy.core.internal.tls.TlsResources;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * What dialers take from the engine.
 *
 * @param buffers for TLS on callers' threads
 * @param callers the dials on callers' threads
 * <p>Threading: immutable.
 */
public record DialEngine(EventLoops loops, Workers workers, BufferPool buffers, Ticker ticker, CallerDials callers) {

    /** TLS as a client. */
    Tls tls(SSLContext context) {
        return new Tls(context, tlsResources());
    }

    /**
     * TLS as a client with parameters of its own.
     *
     * @throws IllegalArgumentException if the context does not support one of them
     */
    Tls tls(SSLContext context, SSLParameters parameters) {
        return new Tls(context, parameters, tlsResources());
    }

    private TlsResources tlsResources() {
        return new TlsResources(buffers, workers.tls(), ticker);
    }
}
