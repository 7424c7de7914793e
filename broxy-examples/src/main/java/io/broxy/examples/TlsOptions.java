package io.broxy.examples;

import io.broxy.ServerTls;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * The mini-server's options for TLS towards clients. Threading: filled in by one thread, and not changed after that.
 */
final class TlsOptions {
    private final Setting<List<Path>> certificates;
    private final Setting<List<Path>> keys;
    private final Setting<@Nullable Path> clientAuthority;
    private final Setting<TlsVersions> versions;

    /** Adds its options. */
    TlsOptions(OptionSet options) {
        certificates = options.many(
                "--tls-cert",
                "FILE",
                new FileConverter(),
                "Clients speak TLS to the proxy, as to an https proxy. The file (PEM) has the server's certificate, then"
                        + " that of each issuer. May be repeated, each with its --tls-key: a client gets the certificate"
                        + " for the name that it asks for (SNI), or else the first. A changed file takes effect at once;"
                        + " SIGHUP reads it again. Default: no TLS");
        keys = options.many(
                "--tls-key",
                "FILE",
                new FileConverter(),
                "The private key (PEM, without a passphrase) of the --tls-cert in the same position; it may be the same"
                        + " file. May be repeated.");
        clientAuthority = options.one(
                "--tls-client-ca",
                "FILE",
                new FileConverter(),
                "Clients need a certificate that an authority (CA) in this file (PEM) has issued. Its common name, or"
                        + " else its first DNS name, is the client's user, for which no password is asked. Default: no"
                        + " certificate is asked for");
        versions = options.one(
                "--tls-min",
                "1.2|1.3",
                new TlsVersions.Minimum(),
                TlsVersions.TLS_1_2,
                "The oldest version of TLS. Default: 1.2");
    }

    /**
     * Refuses what does not belong together.
     *
     * @throws UsageException if there is anything
     */
    void refuseContradictions() {
        int chains = certificates.value().size();
        int secrets = keys.value().size();
        if (chains != secrets) {
            throw new UsageException("each --tls-cert needs its --tls-key: there are " + chains + " and " + secrets);
        }
        if (chains == 0) {
            refuseWithoutCertificate("--tls-client-ca", clientAuthority() != null);
            refuseWithoutCertificate("--tls-min", versions() != TlsVersions.TLS_1_2);
        }
    }

    private static void refuseWithoutCertificate(String option, boolean given) {
        if (given) {
            throw new UsageException(option + " needs --tls-cert and --tls-key");
        }
    }

    /** The files of a server with TLS, or null if clients do not speak it. */
    @Nullable
    TlsFiles files() {
        List<Path> chains = certificates.value();
        List<Path> secrets = keys.value();
        if (chains.isEmpty()) {
            return null;
        }
        return new TlsFiles(
                IntStream.range(0, chains.size())
                        .mapToObj(i -> new TlsFiles.Pair(chains.get(i), secrets.get(i)))
                        .toList(),
                clientAuthority());
    }

    /** How the server speaks TLS with these certificates. */
    @SuppressWarnings("NullAway") // which does not see in a class file that a function may give null
    ServerTls serverTls(Supplier<SSLContext> context) {
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(versions().protocols());
        ServerTls.Builder tls = ServerTls.builder(context);
        if (clientAuthority() != null) {
            parameters.setNeedClientAuth(true);
            tls.identity(CertificateNames::identity);
        }
        return tls.parameters(parameters).build();
    }

    /** The file of authorities whose clients are served, or null if no certificate is asked for. */
    @Nullable
    Path clientAuthority() {
        return clientAuthority.value();
    }

    TlsVersions versions() {
        return versions.value();
    }
}
