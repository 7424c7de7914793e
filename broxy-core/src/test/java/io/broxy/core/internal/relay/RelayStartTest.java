package io.broxy.core.internal.relay;

import static io.broxy.core.internal.relay.RelayRig.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.CloseReason;
import io.broxy.TunnelResult;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopSocket;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies what happens when a relay's connections, tunnel or loop end before it begins. */
@ParameterizedClass
@EnumSource
@ExtendWith(LeakCheck.class)
class RelayStartTest {
    private final Sockets sockets;

    private RelayRig rig;
    private RelayRig.Accepted<LoopConnection> client;
    private RelayRig.Accepted<LoopConnection> origin;
    private TunnelHandle tunnel;

    RelayStartTest(Sockets sockets) {
        this.sockets = sockets.ifPossible();
    }

    @BeforeEach
    void start() throws Exception {
        rig = new RelayRig(sockets);
        client = rig.onLoop(true);
        origin = rig.onLoop(true);
        tunnel = rig.tunnel();
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    private void startRelay() {
        ByteBuffer early = rig.loop.buffers().hold(ByteBuffer.allocate(100_000));
        ByteBuffer answer = rig.loop.buffers().hold(ByteBuffer.allocate(100_000));
        Relay.start(client.near(), origin.near(), RelayRig.PATIENT, tunnel, null, early, answer, 1_000);
    }

    private TunnelResult result() throws Exception {
        return tunnel.completion().get(RelayRig.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Test
    void tunnelThatWasClosedBeforeRelaysNothing() throws Exception {
        tunnel.close();

        rig.inLoop(this::startRelay);

        assertThat(result().reason()).isEqualTo(CloseReason.CLOSED);
        assertThat(result().bytesToOrigin()).isZero();
        assertThat(rig.buffers.heldBytes()).isZero();
        client.peer().expectReset();
        origin.peer().expectReset();
    }

    @Test
    void originThatHasResetReleasesWhatBothSidesWereToGet() throws Exception {
        origin.peer().reset();

        rig.inLoop(this::startRelay);

        assertThat(result().reason()).isEqualTo(CloseReason.ORIGIN_RESET);
        assertThat(rig.buffers.heldBytes()).isZero();
        client.peer().expectReset();
    }

    @Test
    void connectionThatIsClosedIsAFailureAndReleasesAll() throws Exception {
        assumeTrue(sockets == Sockets.NIO, "only channels can be closed by others");
        RelayRig.Accepted<SocketChannel> closed = rig.channel(true);
        closed.near().configureBlocking(false);
        closed.near().close();

        rig.inLoop(() -> Relay.start(
                client.near(),
                new LoopSocket(rig.loop, closed.near()),
                RelayRig.PATIENT,
                tunnel,
                null,
                null,
                rig.loop.buffers().hold(ByteBuffer.allocate(100)),
                0));

        assertThat(result().reason()).isEqualTo(CloseReason.FAILED);
        assertThat(result().cause()).isInstanceOf(IOException.class);
        assertThat(rig.buffers.heldBytes()).isZero();
        client.peer().expectReset();
    }

    @Test
    void onlyTheOriginsOwnBytesAreCounted() throws Exception {
        rig.inLoop(this::startRelay);
        CompletableFuture<?> toOrigin = Background.run(() -> origin.peer().read(100_000));
        client.peer().read(100_000);
        toOrigin.get();

        await().until(() -> tunnel.bytesToClient() == 99_000);
        assertThat(tunnel.bytesToOrigin()).isEqualTo(100_000);
    }

    @Test
    void loopThatIsEndingEndsTheRelayToo() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        rig.loop.execute(() -> {
            begun.countDown();
            await().until(rig.loop::isStopping);
            rig.loop.execute(this::startRelay); // runs when the loop has abandoned all it had
        });

        begun.await();
        assertThat(rig.loops.stop(RelayRig.PATIENCE.toNanos()))
                .as("the loop has come to its end")
                .isTrue();
        assertThat(result().reason()).isEqualTo(CloseReason.CLOSED);
        assertThat(rig.buffers.heldBytes()).isZero();
    }
}
