package io.broxy.core.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that a held port refuses connections and belongs to its test alone. */
@ExtendWith(LeakCheck.class)
class HeldPortTest {

    @Test
    void itRefusesBeforeAndAfterAServerListensThere() throws Exception {
        try (HeldPort held = HeldPort.open()) {
            assertThatThrownBy(() -> Peer.connect(held.port())).isInstanceOf(ConnectException.class);
            for (int i = 0; i < 2; i++) {
                try (Origin origin = Origin.echo(held.address());
                        Peer client = Peer.connect(held.port())) {
                    assertThat(origin.target()).isEqualTo(held.target());
                    assertThat(client.send("there").readText(5)).isEqualTo("there");
                }
                assertThatThrownBy(() -> Peer.connect(held.port())).isInstanceOf(ConnectException.class);
            }
        }
    }

    @Test
    void whatListensNowhereIsRefusedAtEachAddressAndTakenFromNoProcess() throws Exception {
        int port = HeldPort.refusing().port();
        for (String address : new String[] {"127.0.0.1", "127.0.0.3"}) {
            assertThatThrownBy(() -> new Socket(address, port)).isInstanceOf(ConnectException.class);
        }
        try (ServerSocket server = new ServerSocket()) {
            assertThatThrownBy(() -> server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)))
                    .isInstanceOf(BindException.class);
        }
        assertThat(HeldPort.refusing().port()).isEqualTo(port);
    }
}
