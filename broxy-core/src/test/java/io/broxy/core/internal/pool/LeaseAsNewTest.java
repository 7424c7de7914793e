package io.broxy.core.internal.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.ConnPool;
import io.broxy.ConnPool.Lease;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import java.io.IOException;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Specifies that a lease gets its connection as new: options, timeouts, ended streams and interrupts of the previous
 * lease are gone.
 */
@ExtendWith(LeakCheck.class)
class LeaseAsNewTest {
    private Broxy broxy;
    private Dialer direct;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(1).build();
        direct = broxy.directDialer()
                .option(StandardSocketOptions.SO_KEEPALIVE, false)
                .build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    @Test
    void optionsAndTimeoutAreTheDialersAgain() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease first = pool.lease(key);
            Socket socket = first.connection().asSocket();
            final int keepIdle = socket.getOption(ExtendedSocketOptions.TCP_KEEPIDLE);
            first.connection().readTimeout(Duration.ofSeconds(1));
            socket.setTcpNoDelay(false);
            socket.setSoLinger(true, 0);
            socket.setSoLinger(true, 5);
            socket.setKeepAlive(true);
            socket.setTrafficClass(16);
            socket.setOOBInline(true);
            socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, keepIdle + 1);
            final int port = Talk.port(first.connection());
            first.giveBack();

            try (Lease second = pool.lease(key)) {
                assertThat(second.wasIdle()).isTrue();
                assertThat(Talk.port(second.connection())).isEqualTo(port);
                Socket again = second.connection().asSocket();
                assertThat(second.connection().readTimeout()).isZero();
                assertThat(again.getSoTimeout()).isZero();
                assertThat(again.getTcpNoDelay()).isTrue();
                assertThat(again.getSoLinger()).isEqualTo(-1);
                assertThat(again.getKeepAlive()).isFalse();
                assertThat(again.getTrafficClass()).isZero();
                assertThat(again.getOOBInline()).isFalse();
                assertThat(again.getOption(ExtendedSocketOptions.TCP_KEEPIDLE)).isEqualTo(keepIdle);
                assertThat(Talk.ask(second, "as new")).isEqualTo("as new");
            }
        }
    }

    @Test
    void bufferSizesCannotBeUndoneSoTheConnectionGoes() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease first = pool.lease(key);
            first.connection().asSocket().setReceiveBufferSize(20_000);
            first.giveBack();

            try (Lease second = pool.lease(key)) {
                assertThat(second.wasIdle()).isFalse();
            }
            assertThat(pool.stats().discarded()).isEqualTo(2);
        }
    }

    @Test
    void socketOfAnEndedLeaseIsUnusable() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease first = pool.lease(key);
            Socket old = first.connection().asSocket();
            first.giveBack();
            try (Lease second = pool.lease(key)) {
                assertThat(second.wasIdle()).isTrue();
                assertThat(old.isClosed()).isTrue();
                assertThatThrownBy(() -> old.setTcpNoDelay(false)).isInstanceOf(java.net.SocketException.class);
                assertThatThrownBy(() -> old.getOutputStream().write(1)).isInstanceOf(java.net.SocketException.class);
                old.close();
                assertThat(second.connection().asSocket().getTcpNoDelay()).isTrue();
                assertThat(Talk.ask(second, "mine")).isEqualTo("mine");
            }
        }
    }

    @Test
    void connectionWhoseOutputHasEndedIsDiscarded() throws Exception {
        try (Origin origin = Origin.discard();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease first = pool.lease(key);
            first.connection().shutdownOutput();
            first.giveBack();
            assertThat(pool.stats().idle()).isZero();
            assertThat(pool.stats().discarded()).isEqualTo(1);
        }
    }

    @Test
    void connectionWhoseInputHasEndedIsDiscarded() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.shutdownOutput();
                    peer.readAll();
                });
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease byPeer = pool.lease(key);
            assertThat(byPeer.connection().read(ByteBuffer.allocate(1))).isEqualTo(-1);
            byPeer.giveBack();
            assertThat(pool.stats().idle()).isZero();

            Lease byUser = pool.lease(key);
            byUser.connection().asSocket().shutdownInput();
            byUser.giveBack();
            assertThat(pool.stats().idle()).isZero();
            assertThat(pool.stats().discarded()).isEqualTo(2);
        }
    }

    @Test
    void connectionOfASocketWithoutOptionsIsKeptToo(@TempDir Path folder) throws Exception {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(folder.resolve("peer"));
        try (ServerSocketChannel server =
                        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(HostPort.of("unix.example", 1), request -> {
                try {
                    return broxy.asConnection(SocketChannel.open(address));
                } catch (IOException e) {
                    throw new DialException(DialException.Reason.LOCAL, request.target(), Duration.ZERO, List.of(), e);
                }
            });
            pool.lease(key).giveBack();
            try (Lease second = pool.lease(key);
                    SocketChannel peer = server.accept()) {
                assertThat(second.wasIdle()).isTrue();
                peer.write(ByteBuffer.allocate(1));
                assertThat(second.connection().read(ByteBuffer.allocate(1))).isEqualTo(1);
                second.connection().shutdownOutput();
                second.giveBack();
                assertThat(pool.stats().idle()).isZero();
            }
        }
    }

    @Test
    @Tag("slow")
    void leaseThatIsInterruptedPutsTheConnectionBack() throws Exception {
        try (Origin origin = Origin.echo();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), direct);
            Lease first = pool.lease(key);
            final int port = Talk.port(first.connection());
            first.giveBack();
            int interrupted = 0;
            for (int i = 0; i < 50; i++) {
                Thread.currentThread().interrupt();
                try {
                    pool.lease(key).giveBack(); // the hand-over was over before it was waited for
                } catch (DialException e) {
                    interrupted++;
                    assertThat(e.reason()).isEqualTo(DialException.Reason.CANCELLED);
                } finally {
                    assertThat(Thread.interrupted()).isTrue();
                }
                await().until(() -> pool.stats().idle() == 1 && pool.stats().leased() == 0);
            }

            assertThat(interrupted).isPositive();
            try (Lease last = pool.lease(key)) {
                assertThat(last.wasIdle()).isTrue();
                Connection connection = last.connection();
                assertThat(Talk.port(connection)).isEqualTo(port);
                assertThat(Talk.ask(connection, "still here")).isEqualTo("still here");
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }
}
