package io.broxy;

import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * How a proxy speaks TLS to its clients: the keys, versions and client certificates of {@link ProxyHandler#overTls}.
 *
 * <pre>{@code
 * SSLParameters parameters = new SSLParameters();
 * parameters.setNeedClientAuth(true);
 * ServerTls tls = ServerTls.builder(sslContext).parameters(parameters).build();
 * broxy.listen(new InetSocketAddress(3129), handler.overTls(tls));
 * }</pre>
 *
 * <p>TLS 1.3 and TLS 1.2 are served, and nothing older, whatever the context allows. Renegotiation (TLS 1.2) ends the
 * connection. With ALPN (RFC 7301) only {@code http/1.1} is agreed on, unless the parameters name other protocols; a
 * client without ALPN is served as well. The context's key manager chooses the certificate by the client's SNI (RFC
 * 6066 section 3): that of {@code KeyManagerFactory.getInstance("PKIX")} does.
 *
 * <p>Threading: immutable.
 */
public final class ServerTls {
    private static final String[] VERSIONS = {"TLSv1.3", "TLSv1.2"};
    private static final String[] APPLICATION_PROTOCOLS = {"http/1.1"};

    private final Supplier<SSLContext> context;
    private final SSLParameters parameters;
    private final Function<SSLSession, @Nullable String> identity;

    private ServerTls(Builder builder) {
        context = builder.context;
        parameters = builder.parameters;
        identity = builder.identity;
    }

    /** Returns the TLS of a context with the defaults: no client certificates are asked for. */
    public static ServerTls of(SSLContext context) {
        return builder(context).build();
    }

    /** Returns a builder with a fixed context. */
    public static Builder builder(SSLContext context) {
        Objects.requireNonNull(context, "context");
        return new Builder(() -> context);
    }

    /**
     * Returns a builder with a context that may change, such as when certificates are renewed.
     *
     * @param context called for each handshake on an event loop; must not block, and must return the same context as
     *     long as nothing has changed, because a new context resumes no sessions of another
     */
    public static Builder builder(Supplier<SSLContext> context) {
        return new Builder(Objects.requireNonNull(context, "context"));
    }

    /** Creates an engine for one client, ready for its handshake. */
    public SSLEngine newEngine() {
        SSLEngine engine = context.get().createSSLEngine();
        engine.setUseClientMode(false);
        SSLParameters applied = engine.getSSLParameters();
        applied.setProtocols(VERSIONS);
        applied.setApplicationProtocols(APPLICATION_PROTOCOLS);
        applied.setUseCipherSuitesOrder(parameters.getUseCipherSuitesOrder());
        applied.setSNIMatchers(parameters.getSNIMatchers());
        applied.setAlgorithmConstraints(parameters.getAlgorithmConstraints());
        if (parameters.getProtocols() != null) {
            applied.setProtocols(parameters.getProtocols());
        }
        if (parameters.getCipherSuites() != null) {
            applied.setCipherSuites(parameters.getCipherSuites());
        }
        if (parameters.getApplicationProtocols().length > 0) {
            applied.setApplicationProtocols(parameters.getApplicationProtocols());
        }
        if (parameters.getNeedClientAuth()) {
            applied.setNeedClientAuth(true);
        } else if (parameters.getWantClientAuth()) {
            applied.setWantClientAuth(true);
        }
        engine.setSSLParameters(applied);
        return engine;
    }

    /** The identity that a client's session proves, or null. */
    public @Nullable String identity(SSLSession session) {
        return identity.apply(session);
    }

    /** Collects the settings. Threading: for one thread. */
    public static final class Builder {
        private final Supplier<SSLContext> context;
        private SSLParameters parameters = new SSLParameters();
        private Function<SSLSession, @Nullable String> identity = session -> null;

        private Builder(Supplier<SSLContext> context) {
            this.context = context;
        }

        /**
         * The versions, cipher suites, application protocols, SNI matchers, algorithm constraints, and whether client
         * certificates are {@linkplain SSLParameters#setNeedClientAuth needed} or {@linkplain
         * SSLParameters#setWantClientAuth wanted}. Null and empty values leave the defaults.
         *
         * @param parameters copied; later changes have no effect
         * @throws IllegalArgumentException if it names a version older than TLS 1.2
         */
        public Builder parameters(SSLParameters parameters) {
            this.parameters = copy(parameters);
            return this;
        }

        /**
         * Tells the identity of a client from its session, such as from its certificate; by default none. A client with
         * an identity is authenticated: the {@link Authenticator} is not asked. For null it is, if there is one. An
         * exception fails the connection.
         *
         * @param identity called once for each handshake on an event loop; must not block
         */
        public Builder identity(Function<SSLSession, @Nullable String> identity) {
            this.identity = Objects.requireNonNull(identity, "identity");
            return this;
        }

        /** Builds the settings. */
        public ServerTls build() {
            return new ServerTls(this);
        }

        private static SSLParameters copy(SSLParameters from) {
            SSLParameters copy = new SSLParameters(from.getCipherSuites(), from.getProtocols());
            if (from.getProtocols() != null) {
                for (String version : from.getProtocols()) {
                    if (!version.equals("TLSv1.2") && !version.equals("TLSv1.3")) {
                        throw new IllegalArgumentException(version + " is not served: TLSv1.2 is the oldest version");
                    }
                }
            }
            copy.setApplicationProtocols(from.getApplicationProtocols());
            copy.setUseCipherSuitesOrder(from.getUseCipherSuitesOrder());
            copy.setSNIMatchers(from.getSNIMatchers());
            copy.setAlgorithmConstraints(from.getAlgorithmConstraints());
            if (from.getNeedClientAuth()) {
                copy.setNeedClientAuth(true);
            } else if (from.getWantClientAuth()) {
                copy.setWantClientAuth(true);
            }
            return copy;
        }
    }
}
