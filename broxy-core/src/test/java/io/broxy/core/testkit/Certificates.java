package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * A key and its self-signed certificate, mostly for {@code localhost} and {@code 127.0.0.1}, made for the test by the JDK's own
 * {@code keytool}.
 *
 * <p>Threading: immutable.
 */
public final class Certificates {
    private static final String ALIAS = "server";
    private static final String PASSWORD = "only-for-tests";
    private static final String LOOPBACK_NAMES = "dns:localhost,ip:127.0.0.1";
    private static final List<String> EC = List.of("-keyalg", "EC", "-groupname", "secp256r1");
    private static final List<String> RSA = List.of("-keyalg", "RSA", "-keysize", "2048");
    private static final long KEYTOOL_SECONDS = 60;

    private final KeyStore store;

    private Certificates(KeyStore store) {
        this.store = store;
    }

    /** The certificate that all tests of this JVM share; made at the first call. */
    public static Certificates loopback() {
        return Shared.LOOPBACK;
    }

    private static final class Shared {
        static final Certificates LOOPBACK = makeInTemporaryFolder();

        private static Certificates makeInTemporaryFolder() {
            try {
                Path folder = Files.createTempDirectory("broxy-certificates");
                Path file = folder.resolve("server.p12");
                try {
                    return make(file);
                } finally {
                    Files.deleteIfExists(file);
                    Files.delete(folder);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /**
     * Makes a new certificate, which only the {@link #client} of the same object trusts.
     *
     * @param file where the key store (PKCS #12) is written; it must not exist
     */
    public static Certificates make(Path file) throws IOException {
        return make(file, LOOPBACK_NAMES, EC);
    }

    /** As {@link #makeRsa}, for one name instead of the loopback's. */
    public static Certificates makeFor(String name, Path file) throws IOException {
        return make(file, "dns:" + name, RSA);
    }

    /** As {@link #make}, with a key for RSA, which is the only kind that some programs take. */
    public static Certificates makeRsa(Path file) throws IOException {
        return make(file, LOOPBACK_NAMES, RSA);
    }

    private static Certificates make(Path file, String names, List<String> key) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                ALIAS,
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=" + names,
                "-startdate",
                "-1d",
                "-validity",
                "30",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                PASSWORD));
        command.addAll(key);
        keytool(command);
        try (InputStream in = Files.newInputStream(file)) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(in, PASSWORD.toCharArray());
            return new Certificates(store);
        } catch (GeneralSecurityException e) {
            throw new IOException("keytool has made a key store that cannot be read", e);
        }
    }

    private static void keytool(List<String> command) throws IOException {
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (InputStream out = keytool.getInputStream()) {
            keytool.getOutputStream().close();
            String said = new String(out.readAllBytes(), UTF_8);
            if (!keytool.waitFor(KEYTOOL_SECONDS, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
                throw new IOException("keytool failed: " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while keytool was at work", e);
        } finally {
            keytool.destroyForcibly();
        }
    }

    /** Writes certificate and key for a program that reads them as PEM (RFC 7468). */
    public void writePem(Path certificate, Path key) throws IOException {
        try {
            byte[] itsKey = store.getKey(ALIAS, PASSWORD.toCharArray()).getEncoded();
            Files.writeString(
                    certificate, pem("CERTIFICATE", store.getCertificate(ALIAS).getEncoded()));
            Files.writeString(key, pem("PRIVATE KEY", itsKey));
        } catch (GeneralSecurityException e) {
            throw new IOException("keytool has made a key store that cannot be read", e);
        }
    }

    /** The SHA-256 digest of the certificate's public key, as browsers name one (RFC 7469 section 2.4). */
    public String publicKeyDigest() {
        try {
            byte[] key = store.getCertificate(ALIAS).getPublicKey().getEncoded();
            return Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("SHA-256").digest(key));
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JVM has SHA-256, and the store a certificate", e);
        }
    }

    /** Writes certificate and key for a program of Java that reads them as PKCS #12. */
    public void writeKeyStore(Path file, String password) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            KeyStore copy = KeyStore.getInstance("PKCS12");
            copy.load(null, null);
            copy.setKeyEntry(
                    ALIAS,
                    store.getKey(ALIAS, PASSWORD.toCharArray()),
                    password.toCharArray(),
                    store.getCertificateChain(ALIAS));
            copy.store(out, password.toCharArray());
        } catch (GeneralSecurityException e) {
            throw new IOException("the key store cannot be copied", e);
        }
    }

    /** Writes the certificate for a program of Java that reads what it trusts as PKCS #12. */
    public void writeTrustStore(Path file, String password) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            trusted().store(out, password.toCharArray());
        } catch (GeneralSecurityException e) {
            throw new IOException("the certificate cannot be stored", e);
        }
    }

    private static String pem(String label, byte[] content) {
        String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        return "-----BEGIN " + label + "-----\n" + lines + "\n-----END " + label + "-----\n";
    }

    /** The server's side: it presents the certificate. */
    public SSLContext server() {
        return context(this, null);
    }

    /** A server that presents the certificate, and trusts clients with another one. */
    public SSLContext serverFor(Certificates clients) {
        return context(this, clients);
    }

    /** A client's side: it trusts the certificate and no other. */
    public SSLContext client() {
        return context(null, this);
    }

    /** A client that trusts the certificate, and presents another one. */
    public SSLContext clientWith(Certificates own) {
        return context(own, this);
    }

    private static SSLContext context(@Nullable Certificates own, @Nullable Certificates trusted) {
        try {
            KeyManager[] keyManagers = null;
            if (own != null) {
                KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
                keys.init(own.store, PASSWORD.toCharArray());
                keyManagers = keys.getKeyManagers();
            }
            TrustManager[] trustManagers = trusted == null ? null : trusted.trustManagers();
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keyManagers, trustManagers, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError("every JVM has TLS", e);
        }
    }

    /** What {@link #client} trusts with, for libraries that want it beside the context. */
    public X509TrustManager trustManager() {
        try {
            return (X509TrustManager) trustManagers()[0];
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError("every JVM has TLS", e);
        }
    }

    private TrustManager[] trustManagers() throws GeneralSecurityException, IOException {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted());
        return trust.getTrustManagers();
    }

    private KeyStore trusted() throws GeneralSecurityException, IOException {
        KeyStore anchors = KeyStore.getInstance("PKCS12");
        anchors.load(null, null);
        anchors.setCertificateEntry(ALIAS, store.getCertificate(ALIAS));
        return anchors;
    }
}
