package io.broxy.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * The PEM files of a server that speaks TLS to its clients.
 *
 * <p>Threading: immutable.
 *
 * @param pairs at least one; the first is presented to clients that ask for an unknown name, or for none
 * @param clientAuthority certificates of those who issue the clients' certificates; null if no client's is accepted
 */
record TlsFiles(List<Pair> pairs, @Nullable Path clientAuthority) {
    /**
     * A server's certificate and its key.
     *
     * @param chain the certificate, then that of each issuer
     * @param key the private key; may be the same file
     */
    record Pair(Path chain, Path key) {}

    /**
     * What the files hold.
     *
     * @param certificates of the server, in the order of the pairs
     */
    record Loaded(SSLContext context, List<ServerCertificate> certificates) {}

    TlsFiles {
        if (pairs.isEmpty()) {
            throw new IllegalArgumentException("a TLS server needs a certificate");
        }
        pairs = List.copyOf(pairs);
    }

    /** All files, each once. */
    Set<Path> paths() {
        Set<Path> paths = new LinkedHashSet<>();
        for (Pair pair : pairs) {
            paths.add(pair.chain);
            paths.add(pair.key);
        }
        if (clientAuthority != null) {
            paths.add(clientAuthority);
        }
        return paths;
    }

    /** Reads all files, as they are now. */
    Map<Path, FileContent> read() {
        Map<Path, FileContent> contents = new LinkedHashMap<>();
        paths().forEach(path -> contents.put(path, FileContent.of(path)));
        return contents;
    }

    /**
     * Makes a context of what was read. It presents the certificate for the name that a client asks for, and accepts the
     * certificates of clients that the authorities have issued, without asking whether they were revoked.
     *
     * @throws ConfigFileException if a file cannot be used
     */
    Loaded load(Map<Path, FileContent> contents) throws ConfigFileException {
        List<ServerCertificate> certificates = new ArrayList<>();
        for (Pair pair : pairs) {
            certificates.add(ServerCertificate.read(
                    pair.chain, bytes(contents, pair.chain), pair.key, bytes(contents, pair.key)));
        }
        List<X509Certificate> authorities = clientAuthority == null
                ? List.of()
                : PemCertificates.authorities(clientAuthority, bytes(contents, clientAuthority));
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(new KeyManager[] {new SniKeyManager(certificates)}, trustManagers(authorities), null);
            return new Loaded(context, List.copyOf(certificates));
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("every JVM has TLS", e);
        }
    }

    private static byte[] bytes(Map<Path, FileContent> contents, Path file) throws ConfigFileException {
        FileContent content = contents.get(file);
        if (content == null) {
            throw new IllegalArgumentException(file + " has not been read");
        }
        return content.bytes();
    }

    /** Without authorities there is none, which accepts no client; null would be the JVM's, which accept many. */
    private static TrustManager[] trustManagers(List<X509Certificate> authorities)
            throws GeneralSecurityException, IOException {
        if (authorities.isEmpty()) {
            return new TrustManager[0];
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        for (int i = 0; i < authorities.size(); i++) {
            trusted.setCertificateEntry("authority-" + i, authorities.get(i));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance("PKIX");
        managers.init(trusted);
        return managers.getTrustManagers();
    }
}
