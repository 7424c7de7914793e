package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies TLS to an HTTPS proxy with parameters of the embedder's. */
@ExtendWith(LeakCheck.class)
class ProxyTlsTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");
    private static final Certificates CERTIFICATES = Certificates.loopback();

    /** An address for which the proxy's certificate is not valid. */
    private static final String OTHER_ADDRESS = "127.0.0.2";

    private final LinkedBlockingQueue<Seen> handshakes = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<String> requests = new LinkedBlockingQueue<>();
    private Broxy broxy;

    /** What the proxy knows of a handshake. */
    private record Seen(String version, String suite, String protocol, List<String> names) {
        static Seen of(SSLSocket socket) {
            ExtendedSSLSession session = (ExtendedSSLSession) socket.getSession();
            return new Seen(
                    session.getProtocol(),
                    session.getCipherSuite(),
                    socket.getApplicationProtocol(),
                    session.getRequestedServerNames().stream()
                            .map(name -> ((SNIHostName) name).getAsciiName())
                            .toList());
        }
    }

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(1).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    /** A proxy that opens every tunnel and answers every other request, and would agree on either of two protocols. */
    private Origin proxy(String address, String... versions) throws Exception {
        return Origin.start(InetAddress.getByName(address), below -> {
            SSLSocket secure = (SSLSocket) CERTIFICATES
                    .server()
                    .getSocketFactory()
                    .createSocket(below.socket(), null, below.socket().getPort(), true);
            try (secure) {
                secure.setUseClientMode(false);
                SSLParameters parameters = secure.getSSLParameters();
                parameters.setApplicationProtocols(new String[] {"corp/1", "http/1.1"});
                if (versions.length > 0) {
                    parameters.setProtocols(versions);
                }
                secure.setSSLParameters(parameters);
                secure.startHandshake();
                handshakes.add(Seen.of(secure));
                Peer peer = new Peer(secure);
                requests.add(peer.readHead());
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                peer.readAll();
            }
        });
    }

    private Dialer dialer(HostPort proxy, SSLParameters parameters) {
        return broxy.httpProxyDialer(proxy)
                .tls(CERTIFICATES.client(), parameters)
                .build();
    }

    private Seen handshake(HostPort proxy, SSLParameters parameters) throws Exception {
        dialer(proxy, parameters).dial(TARGET).close();
        return nextHandshake();
    }

    private Seen nextHandshake() throws Exception {
        return Objects.requireNonNull(
                handshakes.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "there was no handshake");
    }

    private static DialException failure(Dialer dialer) {
        DialException failure = catchThrowableOfType(
                DialException.class, () -> dialer.dial(TARGET).close());
        return Objects.requireNonNull(failure, "the dial did not fail");
    }

    private static HostPort byName(Origin proxy) {
        return HostPort.of("localhost", proxy.port());
    }

    private static SSLParameters names(SNIServerName... names) {
        SSLParameters parameters = new SSLParameters();
        parameters.setServerNames(List.of(names));
        return parameters;
    }

    // ------------------------------------------------------------------ what they set

    @Test
    void versionSuiteAndApplicationProtocolAreThoseOfTheParameters() throws Exception {
        SSLParameters parameters =
                new SSLParameters(new String[] {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}, new String[] {"TLSv1.2"});
        parameters.setApplicationProtocols(new String[] {"http/1.1"});
        try (Origin proxy = proxy("127.0.0.1")) {
            Seen seen = handshake(proxy.target(), parameters);

            assertThat(seen.version()).isEqualTo("TLSv1.2");
            assertThat(seen.suite()).isEqualTo("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
            assertThat(seen.protocol()).isEqualTo("http/1.1");
        }
    }

    @Test
    void nullsLeaveTheDefaults() throws Exception {
        SSLParameters nulls = new SSLParameters();
        try (Origin proxy = proxy("127.0.0.1");
                Origin other = proxy(OTHER_ADDRESS)) {
            Seen seen = handshake(byName(proxy), nulls);

            assertThat(seen.version()).isEqualTo("TLSv1.3");
            assertThat(seen.protocol()).isEmpty();
            assertThat(seen.names()).containsExactly("localhost");
            assertThat(failure(dialer(other.target(), nulls)).reason())
                    .as("endpoint identification")
                    .isEqualTo(Reason.PROTOCOL);
        }
    }

    @Test
    void noServerNameIsSentToAnAddress() throws Exception {
        try (Origin proxy = proxy("127.0.0.1")) {
            assertThat(handshake(proxy.target(), new SSLParameters()).names()).isEmpty();
        }
    }

    @Test
    void anEmptyListOfServerNamesSendsNone() throws Exception {
        try (Origin proxy = proxy("127.0.0.1")) {
            assertThat(handshake(byName(proxy), names()).names()).isEmpty();
        }
    }

    @Test
    void aServerNameReplacesTheProxysAndItsCertificateWillDo() throws Exception {
        try (Origin proxy = proxy(OTHER_ADDRESS)) {
            assertThat(handshake(proxy.target(), names(new SNIHostName("localhost")))
                            .names())
                    .containsExactly("localhost");
        }
    }

    @Test
    void anEmptyEndpointIdentificationAcceptsACertificateForAnotherAddress() throws Exception {
        SSLParameters parameters = new SSLParameters();
        parameters.setEndpointIdentificationAlgorithm("");
        try (Origin proxy = proxy(OTHER_ADDRESS)) {
            assertThat(handshake(proxy.target(), parameters).version()).isEqualTo("TLSv1.3");
        }
    }

    @Test
    void plainHttpRequestsGoToTheProxyWithTheSameParameters() throws Exception {
        SSLParameters parameters = new SSLParameters(null, new String[] {"TLSv1.2"});
        parameters.setApplicationProtocols(new String[] {"corp/1"});
        try (Origin upstream = proxy("127.0.0.1");
                Proxy proxy = Proxy.start((own, settings) -> settings.dialer(own.httpProxyDialer(upstream.target())
                        .tls(CERTIFICATES.client(), parameters)
                        .build()));
                Peer client = proxy.client()) {
            client.send("GET http://target.example/ HTTP/1.1\r\nHost: target.example\r\n\r\n");

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            Seen seen = nextHandshake();
            assertThat(seen.version()).isEqualTo("TLSv1.2");
            assertThat(seen.protocol()).isEqualTo("corp/1");
            assertThat(requests.take()).startsWith("GET http://target.example/ HTTP/1.1\r\n");
        }
    }

    @Test
    void theParametersAreCopied() throws Exception {
        SSLParameters parameters = new SSLParameters(null, new String[] {"TLSv1.2"});
        try (Origin proxy = proxy("127.0.0.1")) {
            Dialer dialer = dialer(proxy.target(), parameters);
            parameters.setProtocols(new String[] {"TLSv1.3"});

            dialer.dial(TARGET).close();

            assertThat(nextHandshake().version()).isEqualTo("TLSv1.2");
        }
    }

    // ------------------------------------------------------------------ what they cannot set

    @Test
    void aProxyWithoutACommonVersionIsAnErrorOfTheProtocol() throws Exception {
        SSLParameters parameters = new SSLParameters(null, new String[] {"TLSv1.2"});
        try (Origin proxy = proxy("127.0.0.1", "TLSv1.3")) {
            DialException failure = failure(dialer(proxy.target(), parameters));

            assertThat(failure.reason()).isEqualTo(Reason.PROTOCOL);
            assertThat(failure).hasMessageContaining("protocol_version");
        }
    }

    @Test
    void unsupportedVersionsAndSuitesAreRefusedByTheBuilder() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> dialer(TARGET, new SSLParameters(null, new String[] {"TLSv9"})))
                .withMessageContaining("TLSv9");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> dialer(TARGET, new SSLParameters(new String[] {"TLS_NO_SUITE"})))
                .withMessageContaining("TLS_NO_SUITE");
    }

    @ParameterizedTest
    @ValueSource(strings = {"h2", "http/1.1 h2"})
    void http2IsNotOffered(String protocols) {
        SSLParameters parameters = new SSLParameters();
        parameters.setApplicationProtocols(protocols.split(" ", -1));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> dialer(TARGET, parameters))
                .withMessageContaining("h2");
    }
}
