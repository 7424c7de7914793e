package io.broxy.examples;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Presents the certificate for the name that the client asks for (SNI, RFC 6066): one for this very name rather than one
 * for all names of its domain, and for an unknown name or none the first certificate. Several certificates for the same
 * names may have keys of different types; the client's preference decides, and among keys of one type the first.
 *
 * <p>The JDK's own managers fall short: {@code SunX509} ignores the name, and {@code PKIX} has no default for unknown
 * names and opens its key store, which is encrypted, at each handshake.
 *
 * <p>Threading: immutable.
 */
final class SniKeyManager extends X509ExtendedKeyManager {
    private final List<ServerCertificate> certificates;
    private final Map<String, List<Integer>> byName = new HashMap<>();
    private final List<Integer> unnamed = new ArrayList<>();

    /**
     * A manager of these certificates; an alias is an index.
     *
     * @param certificates at least one; the first is the default
     */
    SniKeyManager(List<ServerCertificate> certificates) {
        this.certificates = List.copyOf(certificates);
        for (int i = 0; i < certificates.size(); i++) {
            ServerCertificate certificate = certificates.get(i);
            for (String name : certificate.names()) {
                byName.computeIfAbsent(name, key -> new ArrayList<>()).add(i);
            }
            if (certificate.names().equals(certificates.get(0).names())) {
                unnamed.add(i);
            }
        }
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        return choose(keyType, engine == null ? null : engine.getHandshakeSession());
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return choose(keyType, socket instanceof SSLSocket tls ? tls.getHandshakeSession() : null);
    }

    /** The JDK asks for one type of key after the other, as the client prefers them, and takes the first answer. */
    private @Nullable String choose(String keyType, @Nullable SSLSession handshake) {
        for (int candidate : candidates(handshake)) {
            if (hasType(candidate, keyType)) {
                return String.valueOf(candidate);
            }
        }
        return null;
    }

    private List<Integer> candidates(@Nullable SSLSession handshake) {
        if (handshake instanceof ExtendedSSLSession session) {
            for (SNIServerName requested : session.getRequestedServerNames()) {
                if (requested instanceof SNIHostName host) {
                    return named(host.getAsciiName().toLowerCase(Locale.ROOT));
                }
            }
        }
        return unnamed;
    }

    private List<Integer> named(String name) {
        List<Integer> exact = byName.get(name);
        if (exact != null) {
            return exact;
        }
        int dot = name.indexOf('.');
        return dot < 0 ? unnamed : byName.getOrDefault("*" + name.substring(dot), unnamed);
    }

    private boolean hasType(int index, String keyType) {
        return certificates.get(index).key().getAlgorithm().equals(keyType);
    }

    private @Nullable ServerCertificate certificate(@Nullable String alias) {
        return alias == null ? null : certificates.get(Integer.parseInt(alias));
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(@Nullable String alias) {
        ServerCertificate certificate = certificate(alias);
        return certificate == null ? null : certificate.chain();
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(@Nullable String alias) {
        ServerCertificate certificate = certificate(alias);
        return certificate == null ? null : certificate.key();
    }

    @Override
    public String[] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        List<String> aliases = new ArrayList<>();
        for (int i = 0; i < certificates.size(); i++) {
            if (hasType(i, keyType)) {
                aliases.add(String.valueOf(i));
            }
        }
        return aliases.toArray(String[]::new);
    }

    /** None: these certificates are a server's. */
    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    /** None: these certificates are a server's. */
    @Override
    public @Nullable String chooseClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null;
    }
}
