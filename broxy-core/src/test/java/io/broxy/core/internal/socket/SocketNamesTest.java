package io.broxy.core.internal.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.core.Broxy;
import io.broxy.core.SocketsBuilder.Names;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.SocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that a dialer gets the host name that an address carries, and that rules for names apply to it. */
@ExtendWith(LeakCheck.class)
class SocketNamesTest {
    private static final byte[] LOOPBACK = {127, 0, 0, 1};

    private final List<HostPort> targets = new CopyOnWriteArrayList<>();
    private Broxy broxy;
    private Dialer direct;
    private SocketFactory factory;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(1).build();
        direct = broxy.directDialer()
                .resolver(host -> List.of(InetAddress.getByAddress(LOOPBACK)))
                .build();
        factory = broxy.sockets(this::dial).plain();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    private io.broxy.Connection dial(DialRequest request) throws DialException {
        targets.add(request.target());
        return direct.dial(request);
    }

    @Test
    void nameOfAnAddressGoesToTheDialer() throws Exception {
        InetAddress named = InetAddress.getByAddress("DB.example", LOOPBACK);
        InetAddress any = new InetSocketAddress(0).getAddress();
        try (Origin origin = Origin.discard();
                Socket later = factory.createSocket()) {
            factory.createSocket(named, origin.port()).close();
            factory.createSocket(named, origin.port(), any, 0).close();
            later.connect(new InetSocketAddress(named, origin.port()));

            HostPort target = HostPort.of("db.example", origin.port());
            assertThat(targets).containsExactly(target, target, target);
        }
    }

    @Test
    void addressGoesToTheDialerIfThatIsSet() throws Exception {
        InetAddress named = InetAddress.getByAddress("db.example", LOOPBACK);
        try (Origin origin = Origin.discard()) {
            broxy.sockets(this::dial)
                    .names(Names.ADDRESS)
                    .plain()
                    .createSocket(named, origin.port())
                    .close();

            assertThat(targets).containsExactly(origin.target());
        }
    }

    @Test
    void addressWithoutANameStaysOneAndIsNotLookedUp() throws Exception {
        InetAddress unnamed = InetAddress.getByAddress(LOOPBACK);
        try (Origin origin = Origin.discard();
                Socket socket = factory.createSocket(unnamed, origin.port())) {
            assertThat(targets).containsExactly(origin.target());
            assertThat(unnamed.toString()).isEqualTo("/127.0.0.1");
            assertThat(socket.getInetAddress().toString()).isEqualTo("/127.0.0.1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "192.0.2.7", "2130706433", "no host name", "bücher.example", "::1", "fe80::1%1"})
    void addressIsDialedIfItsNameCannotBe(String name) throws Exception {
        try (Origin origin = Origin.discard()) {
            factory.createSocket(InetAddress.getByAddress(name, LOOPBACK), origin.port())
                    .close();

            assertThat(targets).containsExactly(origin.target());
        }
    }

    @Test
    void denialOfANameAppliesToItsAddress() throws Exception {
        Dialer byRules = broxy.routingDialer()
                .direct(direct)
                .rules(Rules.builder()
                        .domain("internal.corp", Route.deny())
                        .otherwise(Route.direct())
                        .build())
                .build();
        InetAddress named = InetAddress.getByAddress("db.internal.corp", LOOPBACK);
        try (Origin origin = Origin.discard()) {
            assertThatThrownBy(() -> broxy.sockets(byRules).plain().createSocket(named, origin.port()))
                    .isInstanceOfSatisfying(
                            DialException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DENIED));

            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void socketReportsTheAddressThatWasReached() throws Exception {
        InetAddress elsewhere = InetAddress.getByAddress("db.example", new byte[] {127, 0, 0, 2});
        try (Origin origin = Origin.discard();
                Socket socket = factory.createSocket(elsewhere, origin.port())) {
            assertThat(socket.getInetAddress()).isEqualTo(InetAddress.getByAddress(LOOPBACK));
        }
    }

    @Test
    void socketBehindAProxyReportsTheAddressThatWasAskedFor() throws Exception {
        InetAddress named = InetAddress.getByAddress("db.example", new byte[] {(byte) 192, 0, 2, 7});
        try (Origin proxy = Origin.start(peer -> {
                    assertThat(peer.readHead()).startsWith("CONNECT db.example:443 HTTP/1.1\r\n");
                    peer.send("HTTP/1.1 200 OK\r\n\r\n");
                    peer.readAll();
                });
                Socket socket = broxy.sockets(
                                broxy.httpProxyDialer(proxy.target()).build())
                        .plain()
                        .createSocket(named, 443)) {
            assertThat(socket.getInetAddress()).isEqualTo(named);
            assertThat(socket.getRemoteSocketAddress()).isEqualTo(new InetSocketAddress(named, 443));
        }
    }
}
