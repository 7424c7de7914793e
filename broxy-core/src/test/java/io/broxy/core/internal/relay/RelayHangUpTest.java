package io.broxy.core.internal.relay;

import static io.broxy.core.internal.relay.RelayRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Connection;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.relay.RelayRig.Relayed;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Specifies that a relay that waits for something else is not woken again and again by a hang-up that the selector
 * keeps reporting.
 */
@ParameterizedClass
@EnumSource
@ExtendWith(LeakCheck.class)
class RelayHangUpTest {
    private static final int TURNS = 50;

    private final AtomicInteger told = new AtomicInteger();

    private final Sockets sockets;

    private RelayRig rig;

    RelayHangUpTest(Sockets sockets) {
        this.sockets = sockets.ifPossible();
    }

    @BeforeEach
    void start() throws IOException {
        rig = new RelayRig(sockets);
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    private Relayed relay() throws Exception {
        return rig.onLoop(RelayRig.PATIENT, true, connection -> new Counted(connection, told));
    }

    /** The relay is at rest: turns of the loop do not notify it. */
    private void assertQuiet(Relayed relayed) throws Exception {
        AtomicInteger seen = new AtomicInteger(-1);
        await().until(() -> {
            rig.turns(2);
            return seen.getAndSet(told.get()) == told.get();
        });
        int before = told.get();
        rig.turns(TURNS);
        assertThat(told.get() - before).as("events in %s turns", TURNS).isLessThan(TURNS / 2);
        assertThat(relayed.hasEnded()).isFalse();
    }

    @Test
    void endOfOneStream() throws Exception {
        Relayed relayed = relay();
        relayed.client().shutdownOutput();
        relayed.origin().expectEnd();

        assertQuiet(relayed);
    }

    @Test
    void resetAfterTheEnd() throws Exception {
        Relayed relayed = relay();
        relayed.origin().send("all").shutdownOutput();
        relayed.client().readText(3);
        relayed.client().expectEnd();
        relayed.origin().reset();

        assertQuiet(relayed);
    }

    @Test
    void resetAfterTheEndWithTheOtherSideSendingIntoTheVoid() throws Exception {
        Relayed relayed = relay();
        relayed.origin().send("all").shutdownOutput();
        relayed.client().readText(3);
        relayed.client().expectEnd();
        relayed.origin().reset();
        relayed.client().send("one").send("two");

        assertQuiet(relayed);
    }

    @Test
    void resetOfASenderWhoseBytesAreHeld() throws Exception {
        Relayed relayed = relay();
        relayed.origin().send(Payload.bytes(100_000, 1));
        rig.awaitHeld();
        relayed.origin().reset();

        assertQuiet(relayed);
    }

    @Test
    void endOfASenderWhoseBytesAreHeld() throws Exception {
        Relayed relayed = relay();
        relayed.origin().send(Payload.bytes(100_000, 2)).shutdownOutput();
        rig.awaitHeld();

        assertQuiet(relayed);
    }

    @Test
    void bothSidesReadNothing() throws Exception {
        Relayed relayed = relay();
        relayed.origin().send(Payload.bytes(100_000, 3));
        relayed.client().send(Payload.bytes(100_000, 4));
        rig.awaitHeld();

        assertQuiet(relayed);
    }

    @Test
    void readinessThatWasAwaitedBeforeTheRelayBegan() throws Exception {
        RelayRig.Accepted<LoopConnection> client = rig.onLoop(true);
        RelayRig.Accepted<LoopConnection> origin = rig.onLoop(true);
        TunnelHandle tunnel = rig.tunnel();
        rig.inLoop(() -> {
            LoopConnection one = new Counted(client.near(), told);
            LoopConnection other = new Counted(origin.near(), told);
            one.handler(new Ignoring());
            other.handler(new Ignoring());
            try {
                one.interest(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                other.interest(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            ByteBuffer early = rig.loop.buffers().hold(ByteBuffer.wrap(Payload.bytes(200_000, 5)));
            Relay.start(one, other, RelayRig.PATIENT, tunnel, null, early, null, 0);
        });
        client.peer().send("more");

        assertQuiet(new Relayed(client.peer(), origin.peer(), tunnel));
        assertThat(origin.peer().read(200_000)).isEqualTo(Payload.bytes(200_000, 5));
        assertThat(origin.peer().readText(4)).isEqualTo("more");
    }

    private static final class Ignoring implements ChannelEvents {
        @Override
        public void ready(int readyOps) {}

        @Override
        public void abandoned(Throwable cause) {}
    }

    /** Counts the notifications of its handler. */
    private record Counted(LoopConnection inner, AtomicInteger told) implements LoopConnection {
        @Override
        public EventLoop loop() {
            return inner.loop();
        }

        @Override
        public void handler(ChannelEvents handler) {
            inner.handler(new ChannelEvents() {
                @Override
                public void ready(int readyOps) {
                    told.incrementAndGet();
                    handler.ready(readyOps);
                }

                @Override
                public void abandoned(Throwable cause) {
                    handler.abandoned(cause);
                }
            });
        }

        @Override
        public void interest(int ops) throws IOException {
            inner.interest(ops);
        }

        @Override
        public int interest() {
            return inner.interest();
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            return inner.read(into);
        }

        @Override
        public void unread(ByteBuffer bytes) {
            inner.unread(bytes);
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            return inner.write(from);
        }

        @Override
        public void shutdownOutput() throws IOException {
            inner.shutdownOutput();
        }

        @Override
        public void close() {
            inner.close();
        }

        @Override
        public void abort() {
            inner.abort();
        }

        @Override
        public boolean isOpen() {
            return inner.isOpen();
        }

        @Override
        public SocketAddress remoteAddress() {
            return inner.remoteAddress();
        }

        @Override
        public void release(Consumer<Connection> ready, Consumer<IOException> failed) {
            inner.release(ready, failed);
        }
    }
}
