package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that a mini-server speaks SOCKS beside HTTP if {@code --socks} says so. */
@ExtendWith(LeakCheck.class)
class SocksOptionTest {

    private static RunningServer start(String... more) throws Exception {
        String[] arguments = new String[more.length + 2];
        arguments[0] = "--listen=127.0.0.1:0";
        arguments[1] = "--allow=127.0.0.0/8";
        System.arraycopy(more, 0, arguments, 2, more.length);
        return RunningServer.start(ServerOptions.parse(arguments));
    }

    private static Peer client(RunningServer server) throws Exception {
        return Peer.connect(HostPort.parse(server.address()).port());
    }

    @Test
    void withItBothAreServedAtOnePort() throws Exception {
        try (Origin origin = Origin.echo();
                RunningServer server = start("--socks");
                Peer socks = SocksClient.open(client(server), origin.target());
                Peer http = client(server).send(Proxy.connectHead(origin.target()))) {
            assertThat(socks.send("hello").readText(5)).isEqualTo("hello");
            assertThat(http.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(http.send("hello").readText(5)).isEqualTo("hello");
        }
    }

    @Test
    void withoutItSocksIsABadRequest() throws Exception {
        try (RunningServer server = start();
                Peer socks = client(server).send(SocksClient.greeting())) {
            assertThat(socks.readHead()).startsWith("HTTP/1.1 400 ");
        }
    }
}
