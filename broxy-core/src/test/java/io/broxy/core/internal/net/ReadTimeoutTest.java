package io.broxy.core.internal.net;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.Connection;
import io.broxy.Tunnel;
import io.broxy.core.testkit.ForeignConnection;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Threads;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies {@link Connection#readTimeout}, for every kind of connection. */
@ExtendWith(LeakCheck.class)
class ReadTimeoutTest {
    private ConnectionKind.Rig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new ConnectionKind.Rig();
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    @ParameterizedTest
    @EnumSource(ConnectionKind.class)
    void readThatGetsNothingInItsTimeFailsAndTheNextGoesOn(ConnectionKind kind) throws Exception {
        for (Threads threads : Threads.available()) {
            CountDownLatch timedOut = new CountDownLatch(1);
            try (Origin origin = kind.origin(peer -> {
                        assertThat(timedOut.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                                .isTrue();
                        peer.send("late");
                        assertThat(peer.readText(2)).isEqualTo("ok");
                    });
                    Connection connection = kind.open(rig, origin)) {
                assertThat(connection.readTimeout()).isZero();
                connection.readTimeout(Duration.ofMillis(20));
                assertThat(connection.readTimeout()).isEqualTo(Duration.ofMillis(20));
                CompletableFuture<String> read = new CompletableFuture<>();
                threads.start(() -> {
                    try {
                        assertThatThrownBy(() -> connection.read(ByteBuffer.allocate(1)))
                                .isInstanceOf(SocketTimeoutException.class);
                        assertThatThrownBy(() -> connection.read(ByteBuffer.allocateDirect(1)))
                                .isInstanceOf(SocketTimeoutException.class);
                        connection.readTimeout(Duration.ZERO);
                        timedOut.countDown();
                        ByteBuffer late = ByteBuffer.allocate(4);
                        while (late.hasRemaining() && connection.read(late) >= 0) {
                            // on
                        }
                        connection.write(ByteBuffer.wrap("ok".getBytes(US_ASCII)));
                        read.complete(US_ASCII.decode(late.flip()).toString());
                    } catch (Throwable e) {
                        read.completeExceptionally(e);
                    }
                });
                assertThat(read.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                        .isEqualTo("late");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ConnectionKind.class)
    void connectionAndSocketHaveOneTimeout(ConnectionKind kind) throws Exception {
        try (Origin origin = kind.origin(peer -> peer.socket().getInputStream().read());
                Connection connection = kind.open(rig, origin)) {
            connection.readTimeout(Duration.ofMillis(1_500).plusNanos(1));
            if (kind != ConnectionKind.UNREAD_FOREIGN) { // with no bytes left over, its socket is the foreign one
                assertThat(connection.asSocket().getSoTimeout()).isEqualTo(1_501);
                connection.asSocket().setSoTimeout(30);
                assertThat(connection.readTimeout()).isEqualTo(Duration.ofMillis(30));
            }
            connection.readTimeout(Duration.ofMillis(30));
            assertThatThrownBy(() -> connection.read(ByteBuffer.allocate(1)))
                    .isInstanceOf(SocketTimeoutException.class);
        }
    }

    @ParameterizedTest
    @EnumSource(ConnectionKind.class)
    void relayIsNotCutByATimeoutThatItsUserHasSet(ConnectionKind kind) throws Exception {
        CountDownLatch silent = new CountDownLatch(1);
        try (Origin origin = kind.origin(peer -> {
                    assertThat(silent.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                            .isTrue();
                    peer.send("late");
                    peer.readAll();
                });
                ServerSocketChannel server =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                Peer client = Peer.connect(server.getLocalAddress())) {
            Connection connection = kind.open(rig, origin);
            connection.readTimeout(Duration.ofMillis(1));
            Tunnel tunnel = rig.broxy.copier().relay(rig.broxy.asConnection(server.accept()), connection);
            await().during(Duration.ofMillis(50))
                    .until(() -> !tunnel.completion().isDone());
            silent.countDown();
            assertThat(client.readText(4)).isEqualTo("late");
            client.shutdownOutput();
            client.expectEnd();
            tunnel.join();
        }
    }

    @Test
    void timeoutThatIsNoneIsRefused() throws Exception {
        try (Origin origin = Origin.discard()) {
            Connection connection = ConnectionKind.CHANNEL.open(rig, origin);
            assertThatThrownBy(() -> connection.readTimeout(Duration.ofMillis(-1)))
                    .isInstanceOf(IllegalArgumentException.class);
            connection.readTimeout(Duration.ofDays(1_000));
            assertThat(connection.readTimeout()).isEqualTo(Duration.ofMillis(Integer.MAX_VALUE));
            connection.close();
            assertThatThrownBy(() -> connection.readTimeout(Duration.ZERO)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void connectionOfAnotherMakeHasNoneUnlessItSaysSo() throws Exception {
        try (Origin origin = Origin.discard();
                Connection connection = ForeignConnection.over(ConnectionKind.CHANNEL.open(rig, origin))) {
            assertThat(connection.readTimeout()).isZero();
            assertThatThrownBy(() -> connection.readTimeout(Duration.ofSeconds(1)))
                    .isInstanceOf(UnsupportedOperationException.class);
        }
    }
}
