package io.broxy.core.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies which certificates clients of the test kit trust. */
@ExtendWith(LeakCheck.class)
class CertificatesTest {

    @Test
    void clientTrustsTheServerByItsNameAndByItsAddress() throws Exception {
        Certificates certificates = Certificates.loopback();

        assertThat(handshake(certificates, certificates.client(), "localhost")).isEqualTo('!');
        assertThat(handshake(certificates, certificates.client(), "127.0.0.1")).isEqualTo('!');
    }

    @Test
    void clientTrustsNoOtherCertificate(@TempDir Path folder) throws Exception {
        SSLContext stranger = Certificates.make(folder.resolve("other.p12")).client();

        assertThatThrownBy(() -> handshake(Certificates.loopback(), stranger, "localhost"))
                .isInstanceOf(SSLHandshakeException.class);
    }

    private static int handshake(Certificates server, SSLContext client, String name) throws Exception {
        try (SSLServerSocket listener = (SSLServerSocket)
                server.server().getServerSocketFactory().createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread answering = new Thread(() -> {
                try (SSLSocket accepted = (SSLSocket) listener.accept()) {
                    accepted.getOutputStream().write('!');
                } catch (IOException e) {
                    // the client does not trust it
                }
            });
            answering.start();
            try (Peer peer = Peer.connect(listener.getLocalPort());
                    SSLSocket socket = (SSLSocket) client.getSocketFactory()
                            .createSocket(peer.socket(), name, listener.getLocalPort(), true)) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
                return socket.getInputStream().read();
            } finally {
                answering.join();
            }
        }
    }
}
