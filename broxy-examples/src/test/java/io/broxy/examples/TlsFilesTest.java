package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which certificate a client gets, and which clients a server accepts. */
@ExtendWith(LeakCheck.class)
class TlsFilesTest {
    private static final KeyPair ROOT_KEYS = Issued.Keys.generate("EC", "secp256r1");

    private final Path folder;
    private final Issued root;

    TlsFilesTest(@TempDir Path folder) throws Exception {
        this.folder = folder;
        this.root = Issued.of("CN=Root").keys(ROOT_KEYS).authority().issue();
    }

    private TlsFiles.Pair write(String file, Issued certificate) throws Exception {
        return new TlsFiles.Pair(
                Files.writeString(folder.resolve(file + ".pem"), certificate.chainPem()),
                Files.writeString(folder.resolve(file + ".key"), certificate.keyPem()));
    }

    private SSLContext server(Issued... certificates) throws Exception {
        List<TlsFiles.Pair> pairs = new ArrayList<>();
        for (Issued certificate : certificates) {
            pairs.add(write("server-" + pairs.size(), certificate));
        }
        return context(new TlsFiles(pairs, null));
    }

    private static SSLContext context(TlsFiles files) throws ConfigFileException {
        return files.load(files.read()).context();
    }

    private Certificate presented(SSLContext server, @Nullable String name) throws Exception {
        return presented(server, name, parameters -> {});
    }

    private Certificate presented(SSLContext server, @Nullable String name, Consumer<SSLParameters> settings)
            throws Exception {
        return Handshake.presented(Handshake.client(root, null), server, name, settings);
    }

    private static Consumer<SSLParameters> version(String version) {
        return parameters -> parameters.setProtocols(new String[] {version});
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void eachNameGetsItsOwnCertificate(String version) throws Exception {
        Issued one = Issued.of("CN=one").dns("one.example", "uno.example").by(root);
        Issued two =
                Issued.of("CN=two").keys(Issued.Keys.rsa()).dns("two.example").by(root);
        SSLContext server = server(one, two);

        assertThat(presented(server, "one.example", version(version))).isEqualTo(one.certificate());
        assertThat(presented(server, "two.example", version(version))).isEqualTo(two.certificate());
        assertThat(presented(server, "UNO.Example", version(version))).isEqualTo(one.certificate());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void theFirstIsForUnknownNamesAndForNone(String version) throws Exception {
        Issued rsa =
                Issued.of("CN=rsa").keys(Issued.Keys.rsa()).dns("rsa.example").by(root);
        Issued ec = Issued.of("CN=ec").dns("ec.example").by(root);

        for (List<Issued> order : List.of(List.of(rsa, ec), List.of(ec, rsa))) {
            SSLContext server = server(order.toArray(Issued[]::new));
            Certificate first = order.get(0).certificate();
            assertThat(presented(server, null, version(version))).isEqualTo(first);
            assertThat(presented(server, "unknown.example", version(version))).isEqualTo(first);
            assertThat(presented(server, "localhost", version(version))).isEqualTo(first);
        }
    }

    @Test
    void aNameRatherThanItsDomainDecides() throws Exception {
        Issued domain = Issued.of("CN=domain").dns("*.example.org").by(root);
        Issued name = Issued.of("CN=name")
                .keys(Issued.Keys.rsa())
                .dns("www.example.org")
                .by(root);
        Issued first = Issued.of("CN=first").dns("first.example").by(root);
        SSLContext server = server(first, domain, name);

        assertThat(presented(server, "www.example.org")).isEqualTo(name.certificate());
        assertThat(presented(server, "mail.example.org")).isEqualTo(domain.certificate());
        assertThat(presented(server, "a.mail.example.org")).isEqualTo(first.certificate());
        assertThat(presented(server, "example.org")).isEqualTo(first.certificate());
    }

    @Test
    void oneNameMayHaveKeysOfTwoTypes() throws Exception {
        Issued other = Issued.of("CN=other").dns("other.example").by(root);
        Issued rsa =
                Issued.of("CN=rsa").keys(Issued.Keys.rsa()).dns("a.example").by(root);
        Issued ec = Issued.of("CN=ec").dns("a.example").by(root);
        Consumer<SSLParameters> onlyEc = parameters -> {
            parameters.setProtocols(new String[] {"TLSv1.2"});
            parameters.setCipherSuites(new String[] {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"});
        };
        Consumer<SSLParameters> onlyRsa = parameters -> {
            parameters.setProtocols(new String[] {"TLSv1.2"});
            parameters.setCipherSuites(new String[] {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"});
        };

        for (SSLContext server : List.of(server(other, rsa, ec), server(other, ec, rsa))) {
            assertThat(presented(server, "a.example", onlyEc)).isEqualTo(ec.certificate());
            assertThat(presented(server, "a.example", onlyRsa)).isEqualTo(rsa.certificate());
            assertThat(presented(server, "a.example")).isIn(ec.certificate(), rsa.certificate());
        }
        SSLContext asDefault = server(rsa, ec, other);
        assertThat(presented(asDefault, null, onlyEc)).isEqualTo(ec.certificate());
        assertThat(presented(asDefault, "unknown.example", onlyRsa)).isEqualTo(rsa.certificate());
    }

    @Test
    void aClientThatCannotUseTheKeyOfTheNameGetsNoOther() throws Exception {
        Issued rsa =
                Issued.of("CN=rsa").keys(Issued.Keys.rsa()).dns("rsa.example").by(root);
        Issued ec = Issued.of("CN=ec").dns("ec.example").by(root);
        SSLContext server = server(ec, rsa);

        assertThatThrownBy(() -> presented(server, "rsa.example", parameters -> {
                    parameters.setProtocols(new String[] {"TLSv1.2"});
                    parameters.setCipherSuites(new String[] {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"});
                }))
                .isInstanceOf(SSLException.class);
    }

    @Test
    void theFirstOfTwoForOneNameAndTypeIsPresented() throws Exception {
        Issued one = Issued.of("CN=one").dns("a.example").by(root);
        Issued two = Issued.of("CN=two").dns("a.example", "b.example").by(root);
        SSLContext server = server(one, two);

        assertThat(presented(server, "a.example")).isEqualTo(one.certificate());
        assertThat(presented(server, "b.example")).isEqualTo(two.certificate());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Ed25519", "RSASSA-PSS"})
    void otherKeysOfTlsServeClients(String algorithm) throws Exception {
        Issued own = Issued.of("CN=own")
                .keys(Issued.Keys.generate(algorithm, null))
                .dns("own.example")
                .by(root);

        assertThat(presented(server(own), "own.example")).isEqualTo(own.certificate());
    }

    @Test
    void aClientGetsTheChain() throws Exception {
        Issued middle = Issued.of("CN=Middle").authority().by(root);
        Issued leaf = Issued.of("CN=leaf").dns("leaf.example").by(middle);

        assertThat(presented(server(leaf), "leaf.example", parameters -> {
                    parameters.setEndpointIdentificationAlgorithm("HTTPS");
                }))
                .isEqualTo(leaf.certificate());
    }

    @Test
    void theNameDecidesForSocketsToo() throws Exception {
        Issued one = Issued.of("CN=one").dns("one.example").by(root);
        Issued two = Issued.of("CN=two").dns("two.example").by(root);
        SSLContext server = server(one, two);
        try (SSLServerSocket listener = (SSLServerSocket)
                server.getServerSocketFactory().createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Future<?> serving = Background.run(() -> {
                try (SSLSocket accepted = (SSLSocket) listener.accept()) {
                    accepted.getOutputStream().write('!');
                }
            });
            try (Peer peer = Peer.connect(listener.getLocalPort());
                    SSLSocket socket = (SSLSocket) Handshake.client(root, null)
                            .getSocketFactory()
                            .createSocket(peer.socket(), "two.example", listener.getLocalPort(), true)) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setServerNames(List.of(new SNIHostName("two.example")));
                socket.setSSLParameters(parameters);

                assertThat(socket.getInputStream().read()).isEqualTo('!');
                assertThat(socket.getSession().getPeerCertificates()[0]).isEqualTo(two.certificate());
            }
            serving.get();
        }
    }

    private SSLContext serverFor(Issued... authorities) throws Exception {
        StringBuilder content = new StringBuilder();
        for (Issued authority : authorities) {
            content.append(authority.certificatePem());
        }
        Path file = Files.writeString(folder.resolve("clients.pem"), content);
        Issued own = Issued.of("CN=own").dns("own.example").by(root);
        return context(new TlsFiles(List.of(write("own", own)), file));
    }

    private @Nullable String identity(SSLContext server, @Nullable Issued client, String version) throws Exception {
        return CertificateNames.identity(
                Handshake.between(Handshake.client(root, client), server, true, version(version))
                        .serverSession());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void clientsOfTheseAuthoritiesAreAcceptedAndNoOthers(String version) throws Exception {
        Issued staff = Issued.of("CN=Staff").authority().issue();
        Issued guests =
                Issued.of("CN=Guests").keys(Issued.Keys.rsa()).authority().issue();
        SSLContext server = serverFor(staff, guests);

        assertThat(identity(server, Issued.of("CN=alice").by(staff), version)).isEqualTo("alice");
        assertThat(identity(server, Issued.of("CN=bob").by(guests), version)).isEqualTo("bob");
        List<Issued> refused = List.of(
                Issued.of("CN=carol").by(root),
                Issued.of("CN=dave").issue(),
                Issued.of("CN=eve").validUntil(Duration.ofMinutes(-1)).by(staff));
        for (Issued client : refused) {
            assertThatThrownBy(() -> identity(server, client, version)).isInstanceOf(SSLException.class);
        }
        assertThatThrownBy(() -> identity(server, null, version)).isInstanceOf(SSLException.class);
    }

    @Test
    void anAuthorityOfTheSameNameWithAnotherKeyIsNotTrusted() throws Exception {
        Issued staff = Issued.of("CN=Staff").authority().issue();
        Issued impostor = Issued.of("CN=Staff")
                .keys(Issued.Keys.generate("EC", "secp256r1"))
                .authority()
                .issue();
        Issued mallory = Issued.of("CN=mallory").by(impostor);
        SSLContext server = serverFor(staff);

        assertThatThrownBy(() -> identity(server, mallory, "TLSv1.3")).isInstanceOf(SSLException.class);
    }

    @Test
    void withoutAuthoritiesNoClientIsAccepted() throws Exception {
        SSLContext server = server(Issued.of("CN=own").by(root));
        Issued client = Issued.of("CN=alice").by(root);

        assertThatThrownBy(() -> identity(server, client, "TLSv1.3")).isInstanceOf(SSLException.class);
    }

    @Test
    void errorsNameTheFileAsItWasGiven() throws Exception {
        TlsFiles.Pair good = write("good", Issued.of("CN=a").issue());
        Path missing = Path.of("./no/such/../file.pem");

        expectFailure(new TlsFiles(List.of(good), missing), missing + ": no such file");
        expectFailure(
                new TlsFiles(List.of(good, new TlsFiles.Pair(good.chain(), missing)), null),
                missing + ": no such file");
        expectFailure(
                new TlsFiles(List.of(new TlsFiles.Pair(folder, good.key())), null),
                folder + ": cannot be read: Is a directory");
        expectFailure(
                new TlsFiles(List.of(good), good.key()),
                good.key() + ": there is no certificate in it: found \"PRIVATE KEY\"");
    }

    private static void expectFailure(TlsFiles files, String message) {
        assertThatThrownBy(() -> context(files)).isInstanceOf(IOException.class).hasMessage(message);
    }

    @Test
    void aServerNeedsACertificate() {
        assertThatThrownBy(() -> new TlsFiles(List.of(), null)).isInstanceOf(IllegalArgumentException.class);
    }
}
