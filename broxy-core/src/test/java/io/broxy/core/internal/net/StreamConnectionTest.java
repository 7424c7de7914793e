package io.broxy.core.internal.net;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.Connection;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies connections over sockets without a channel, TLS sockets among them. */
@ExtendWith(LeakCheck.class)
class StreamConnectionTest implements ConnectionContract {

    @Override
    public Transferable connect(SocketAddress address) throws IOException {
        InetSocketAddress origin = (InetSocketAddress) address;
        return new StreamConnection(new Socket(origin.getAddress(), origin.getPort()));
    }

    @Test
    void socketThatIsNotConnectedIsRefusedAndLeftAsItIs() throws Exception {
        try (Socket socket = new Socket()) {
            assertThatThrownBy(() -> new StreamConnection(socket)).isInstanceOf(SocketException.class);
            assertThat(socket.isClosed()).isFalse();
        }
    }

    @Test
    void tlsGoesBothWaysAndEndsEachByItself() throws Exception {
        Certificates certificates = Certificates.loopback();
        try (Origin origin = Origin.startTls(certificates, peer -> {
                    String question = peer.readAll();
                    peer.send(question + ", all of it");
                });
                Connection connection = new StreamConnection(certificates
                        .client()
                        .getSocketFactory()
                        .createSocket(origin.address().getAddress(), origin.port()))) {
            connection.write(ByteBuffer.wrap("there and back".getBytes(US_ASCII)));
            connection.shutdownOutput();

            ByteBuffer all = ByteBuffer.allocate(100);
            while (connection.read(all) >= 0) {
                // more
            }
            assertThat(US_ASCII.decode(all.flip()).toString()).isEqualTo("there and back, all of it");
        }
    }

    @Test
    void socketThatCannotEndItsOutputAloneFailsAndStaysOpen() throws Exception {
        try (Origin origin = Origin.discard();
                Socket whole = new Socket(origin.address().getAddress(), origin.port()) {
                    @Override
                    public void shutdownOutput() {
                        throw new UnsupportedOperationException("not here");
                    }
                };
                Connection connection = new StreamConnection(whole)) {
            assertThatThrownBy(connection::shutdownOutput)
                    .isInstanceOf(SocketException.class)
                    .hasCauseInstanceOf(UnsupportedOperationException.class);
            assertThat(connection.isOpen()).isTrue();
        }
    }
}
