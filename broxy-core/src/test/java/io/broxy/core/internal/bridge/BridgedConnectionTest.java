package io.broxy.core.internal.bridge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.Connection;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopReader;
import io.broxy.core.internal.net.LoopWriter;
import io.broxy.core.internal.net.NetEngine;
import io.broxy.core.internal.net.SocketConnection;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.net.WriteFailures;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.ForeignConnection;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.ManualTicker;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies how a connection that can only block is driven by an event loop. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class BridgedConnectionTest {
    private static final int MIB = 1 << 20;
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    /** What kind of a connection blocks. */
    private enum Kind {
        SOCKET,
        TLS,
        FOREIGN
    }

    private final List<AutoCloseable> open = new ArrayList<>();
    private NetEngine engine;

    @SuppressWarnings("NullAway.Init") // by connect()
    private Peer peer;

    @SuppressWarnings("NullAway.Init")
    private Connection user;

    @BeforeEach
    void start() throws IOException {
        engine = new NetEngine();
    }

    @AfterEach
    void stop() throws Exception {
        engine.close();
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    /** Another engine with a manual clock. */
    private void restart(Ticker ticker) throws Exception {
        engine.close();
        engine = new NetEngine(ticker);
    }

    /** A connection between {@link #peer} and {@link #user}. */
    private void connect(Kind kind) throws Exception {
        if (kind == Kind.FOREIGN) {
            Accepted<SocketChannel> accepted = Accepted.channel();
            open.add(accepted);
            peer = accepted.client();
            user = ForeignConnection.over(SocketConnection.of(accepted.end()));
        } else {
            Accepted<Socket> accepted = kind == Kind.TLS ? Accepted.tls("TLSv1.3") : Accepted.socket();
            open.add(accepted);
            peer = accepted.client();
            user = new StreamConnection(accepted.end());
        }
    }

    private LoopConnection bridge(Kind kind) throws Exception {
        connect(kind);
        return engine.bridge(user);
    }

    private static ConditionFactory await20() {
        return await().atMost(PATIENCE).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(5));
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(US_ASCII));
    }

    private int write(LoopConnection connection, String text) throws Exception {
        return engine.onLoop(() -> connection.write(bytes(text)));
    }

    private String read(LoopConnection connection, int count) throws Exception {
        LoopReader reader = engine.onLoop(() -> LoopReader.read(connection, count, count));
        return new String(NetEngine.patiently(reader.result), US_ASCII);
    }

    private String readAll(LoopConnection connection) throws Exception {
        LoopReader reader = engine.onLoop(() -> LoopReader.readAll(connection));
        return new String(NetEngine.patiently(reader.result), US_ASCII);
    }

    private void onLoop(Runnable task) throws Exception {
        engine.onLoop(() -> {
            task.run();
            return null;
        });
    }

    private void turns() throws Exception {
        for (int i = 0; i < 5; i++) {
            onLoop(() -> {});
        }
    }

    private CompletableFuture<Void> closed(LoopConnection connection) throws Exception {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        onLoop(() -> connection.whenClosed(() -> closed.complete(null)));
        return closed;
    }

    private LoopWriter flood(LoopConnection connection) throws Exception {
        LoopWriter writer = new LoopWriter(connection, Payload.bytes(16 * MIB, 1));
        onLoop(writer::start);
        AtomicInteger before = new AtomicInteger(-1);
        await20().pollInterval(Duration.ofMillis(200)).until(() -> {
            int now = writer.taken();
            return now > 0 && now == before.getAndSet(now);
        });
        return writer;
    }

    /** Records notifications and does nothing else. */
    private static final class Events implements ChannelEvents {
        final List<Integer> told = new ArrayList<>();
        final CompletableFuture<Void> first = new CompletableFuture<>();
        final CompletableFuture<Throwable> cause = new CompletableFuture<>();

        @Override
        public void ready(int readyOps) {
            told.add(readyOps);
            first.complete(null);
        }

        @Override
        public void abandoned(Throwable why) {
            cause.complete(why);
        }
    }

    private Events wait(LoopConnection connection, int ops) throws Exception {
        Events events = new Events();
        engine.onLoop(() -> {
            connection.handler(events);
            connection.interest(ops);
            return null;
        });
        return events;
    }

    // ------------------------------------------------------------------ bytes and ends

    @ParameterizedTest
    @EnumSource
    void carriesBytesBothWaysAndTheEndsToo(Kind kind) throws Exception {
        LoopConnection connection = bridge(kind);
        CompletableFuture<?> far = Background.run(() -> {
            assertThat(peer.readText(5)).isEqualTo("hello");
            peer.send("world");
            peer.expectEnd();
            peer.send("and more").shutdownOutput();
        });

        assertThat(write(connection, "hello")).isEqualTo(5);
        assertThat(read(connection, 5)).isEqualTo("world");
        engine.onLoop(() -> {
            connection.shutdownOutput();
            connection.shutdownOutput();
            return null;
        });

        assertThat(readAll(connection)).isEqualTo("and more");
        assertThat(engine.<Integer>onLoop(() -> connection.read(ByteBuffer.allocate(1))))
                .as("the end stays the end")
                .isEqualTo(-1);
        far.get();
        assertThat(connection.remoteAddress()).isEqualTo(user.remoteAddress());
        onLoop(connection::close);
        NetEngine.patiently(closed(connection));
        assertThat(user.isOpen()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void megabytesGoBothWaysAtOnce(Kind kind) throws Exception {
        LoopConnection connection = bridge(kind);
        byte[] there = Payload.bytes(8 * MIB, 2);
        byte[] back = Payload.bytes(8 * MIB, 3);
        CompletableFuture<?> sending = Background.run(() -> peer.send(back));
        CompletableFuture<byte[]> received = Background.supply(() -> peer.read(there.length));

        ByteBuffer source = ByteBuffer.wrap(there);
        ByteBuffer sink = ByteBuffer.allocate(back.length);
        CompletableFuture<Void> done = new CompletableFuture<>();
        engine.onLoop(() -> {
            connection.handler(new ChannelEvents() {
                @Override
                public void ready(int readyOps) {
                    try {
                        connection.read(sink);
                        connection.write(source);
                        connection.interest((sink.hasRemaining() ? SelectionKey.OP_READ : 0)
                                | (source.hasRemaining() ? SelectionKey.OP_WRITE : 0));
                    } catch (IOException e) {
                        done.completeExceptionally(e);
                    }
                    if (!sink.hasRemaining() && !source.hasRemaining()) {
                        done.complete(null);
                    }
                }

                @Override
                public void abandoned(Throwable cause) {
                    done.completeExceptionally(cause);
                }
            });
            connection.interest(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
            return null;
        });

        done.get(60, TimeUnit.SECONDS);
        sending.get();
        assertThat(Arrays.equals(received.get(), there)).isTrue();
        assertThat(Arrays.equals(sink.array(), back)).isTrue();
        await20().until(() -> connection.unsent() == 0);
        onLoop(connection::close);
    }

    @Test
    void thousandsOfMessagesGoToAndFroWithoutAStop() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        int rounds = 3_000;
        engine.onLoop(() -> {
            connection.handler(new ChannelEvents() {
                @Override
                public void ready(int readyOps) {
                    ByteBuffer message = ByteBuffer.allocate(100);
                    try {
                        connection.read(message);
                        connection.write(message.flip());
                    } catch (IOException e) {
                        connection.abort();
                    }
                }

                @Override
                public void abandoned(Throwable cause) {
                    connection.abort();
                }
            });
            connection.interest(SelectionKey.OP_READ);
            return null;
        });
        for (int i = 0; i < rounds; i++) {
            assertThat(peer.send("ping").readText(4)).isEqualTo("ping");
        }
        onLoop(connection::close);
        peer.expectEnd();
    }

    @Test
    void touchesAForeignConnectionOnThreadsOfItsOwnOnly() throws Exception {
        connect(Kind.FOREIGN);
        SocketAddress remote = user.remoteAddress();
        LoopConnection connection =
                engine.onLoop(() -> new BridgedConnection(engine.loop, user, remote, engine.workers));
        peer.send("x");
        write(connection, "y");
        assertThat(read(connection, 1)).isEqualTo("x");
        engine.onLoop(() -> {
            connection.remoteAddress();
            connection.shutdownOutput();
            connection.close();
            return null;
        });
        NetEngine.patiently(closed(connection));
        assertThat(((ForeignConnection) user).callers())
                .isNotEmpty()
                .allSatisfy(name -> assertThat(name).doesNotContain("loop"));
    }

    // ------------------------------------------------------------------ readiness

    @ParameterizedTest
    @EnumSource
    void nothingIsReadUnrequested(Kind kind) throws Exception {
        connect(kind);
        AtomicInteger reads = new AtomicInteger();
        LoopConnection connection = engine.bridge(new Reads(user, reads));
        CompletableFuture<?> sending = Background.run(() -> peer.send("first"));
        turns();
        assertThat(reads).hasValue(0);

        Events events = wait(connection, SelectionKey.OP_READ);
        NetEngine.patiently(events.first);
        turns();
        assertThat(reads).as("what was read has not been taken").hasValue(1);
        onLoop(() -> assertThat(events.told).hasSizeGreaterThan(2).containsOnly(SelectionKey.OP_READ));

        engine.onLoop(() -> {
            connection.interest(0);
            ByteBuffer into = ByteBuffer.allocate(3);
            assertThat(connection.read(into)).isEqualTo(3);
            assertThat(connection.read(into)).as("no room").isZero();
            assertThat(connection.read(into.clear())).isEqualTo(2);
            assertThat(connection.read(into)).isZero();
            events.told.clear();
            return null;
        });
        turns();
        assertThat(reads).hasValue(1);
        onLoop(() -> assertThat(events.told).isEmpty());
        sending.get();
        onLoop(connection::abort);
    }

    /** Counts the reads. */
    private static final class Reads extends ForeignConnection {
        private final AtomicInteger count;

        Reads(Connection inner, AtomicInteger count) {
            super(inner);
            this.count = count;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            count.incrementAndGet();
            return super.read(into);
        }
    }

    @Test
    void aPeerThatIsNotReadIsStopped() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        Events events = wait(connection, SelectionKey.OP_READ);
        CompletableFuture<?> sending = Background.run(() -> peer.send(Payload.bytes(64 * MIB, 4)));
        NetEngine.patiently(events.first);
        await().during(Duration.ofMillis(500)).until(() -> !sending.isDone());

        LoopReader reader = engine.onLoop(() -> LoopReader.read(connection, 64 * MIB, 1 << 16));
        assertThat(reader.result.get(60, TimeUnit.SECONDS)).hasSize(64 * MIB);
        sending.get();
        onLoop(connection::close);
    }

    @ParameterizedTest
    @EnumSource
    void takesNoMoreThanASlowReaderLeavesRoomFor(Kind kind) throws Exception {
        LoopConnection connection = bridge(kind);
        if (kind == Kind.TLS) {
            CompletableFuture<?> handshake = Background.run(() -> peer.readText(1));
            write(connection, "x");
            handshake.get();
        }
        LoopWriter writer = flood(connection);
        assertThat(writer.taken()).isLessThan(16 * MIB);
        assertThat(connection.unsent()).isBetween(1L, 64L << 10);

        byte[] received = peer.read(16 * MIB);
        NetEngine.patiently(writer.done);
        assertThat(Arrays.equals(received, Payload.bytes(16 * MIB, 1))).isTrue();
        await20().until(() -> connection.unsent() == 0);
        onLoop(connection::close);
    }

    @Test
    void toldOfRoomAsLongAsThereIsSome() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        Events events = wait(connection, SelectionKey.OP_WRITE);
        await20().until(() -> engine.onLoop(events.told::size) > 3);
        onLoop(() -> assertThat(events.told).containsOnly(SelectionKey.OP_WRITE));
        onLoop(connection::close);
    }

    @Test
    void unreadBytesComeFirstAndAreReportedThoughThePeerIsSilent() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        LoopReader reader = engine.onLoop(() -> {
            connection.unread(bytes("over "));
            connection.unread(bytes("left "));
            return LoopReader.read(connection, 10, 4);
        });
        assertThat(new String(NetEngine.patiently(reader.result), US_ASCII)).isEqualTo("left over ");
        peer.send("wire").shutdownOutput();
        onLoop(() -> connection.unread(bytes("the ")));
        assertThat(readAll(connection)).isEqualTo("the wire");
        onLoop(connection::close);
    }

    @Test
    void aHandlerThatFailsIsAbandonedAndThePeerReset() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        CompletableFuture<Throwable> cause = new CompletableFuture<>();
        IllegalStateException failure = new IllegalStateException("a mistake");
        engine.onLoop(() -> {
            connection.handler(new ChannelEvents() {
                @Override
                public void ready(int readyOps) {
                    throw failure;
                }

                @Override
                public void abandoned(Throwable why) {
                    cause.complete(why);
                }
            });
            connection.interest(SelectionKey.OP_READ);
            return null;
        });
        peer.send("x");
        assertThat(NetEngine.patiently(cause)).isSameAs(failure);
        peer.expectReset();
        assertThat(engine.onLoop(connection::isOpen)).isFalse();
    }

    // ------------------------------------------------------------------ breaks

    @Test
    void whatCameBeforeAResetIsReadBeforeIt() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        Events events = wait(connection, SelectionKey.OP_READ);
        peer.send("half of an answer");
        NetEngine.patiently(events.first);
        peer.reset();

        assertThat(read(connection, 17)).isEqualTo("half of an answer");
        assertThatThrownBy(() -> readAll(connection)).hasRootCauseInstanceOf(IOException.class);
        NetEngine.patiently(closed(connection));
    }

    /** The system tells one thread of the break, and the other sees an end. */
    @Test
    void aCutNeverLooksLikeAnEndThoughAWriteFindsItFirst() throws Exception {
        for (int i = 0; i < 50; i++) {
            LoopConnection connection = bridge(Kind.SOCKET);
            CompletableFuture<Boolean> end = new CompletableFuture<>();
            ByteBuffer source = ByteBuffer.allocate(16 * MIB);
            engine.onLoop(() -> {
                connection.handler(new ChannelEvents() {
                    @Override
                    public void ready(int readyOps) {
                        try {
                            if ((readyOps & SelectionKey.OP_READ) != 0) {
                                end.complete(connection.read(ByteBuffer.allocate(1)) < 0);
                                connection.abort();
                            } else {
                                connection.write(source);
                            }
                        } catch (IOException e) {
                            end.complete(false);
                            connection.abort();
                        }
                    }

                    @Override
                    public void abandoned(Throwable cause) {
                        end.completeExceptionally(cause);
                    }
                });
                connection.interest(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                return null;
            });
            peer.read(100_000);
            peer.reset();

            assertThat(NetEngine.patiently(end)).as("an end in order").isFalse();
        }
    }

    @Test
    void aBrokenWriteIsReportedToAHandlerThatWaitsForRoom() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        LoopWriter writer = flood(connection);
        peer.reset();
        assertThatThrownBy(() -> NetEngine.patiently(writer.done)).hasCauseInstanceOf(IOException.class);
        NetEngine.patiently(closed(connection));
        assertThat(connection.unsent()).as("lost").isPositive();
    }

    @Test
    void aWriteAfterThePeersEndFailsAsOne() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        peer.shutdownOutput();
        assertThat(readAll(connection)).isEmpty();
        peer.reset();
        LoopWriter writer = new LoopWriter(connection, Payload.bytes(16 * MIB, 5));
        onLoop(writer::start);
        assertThatThrownBy(() -> NetEngine.patiently(writer.done))
                .cause()
                .matches(failure -> WriteFailures.isAfterEnd((IOException) failure), "after the end");
    }

    @Test
    void exceptionsOfThirdPartyCodeAreFailuresOfTheConnection() throws Exception {
        connect(Kind.SOCKET);
        LoopConnection connection = engine.bridge(new ForeignConnection(user) {
            @Override
            public int read(ByteBuffer into) {
                throw new IllegalArgumentException("a mistake");
            }

            @Override
            public int write(ByteBuffer from) {
                throw new StackOverflowError();
            }
        });
        assertThatThrownBy(() -> readAll(connection))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(IOException.class)
                .hasCauseInstanceOf(IllegalArgumentException.class);

        LoopConnection other = engine.bridge(new ForeignConnection(user) {
            @Override
            public int write(ByteBuffer from) {
                throw new StackOverflowError();
            }
        });
        write(other, "x");
        await20()
                .untilAsserted(() -> assertThatThrownBy(() -> write(other, "y"))
                        .cause()
                        .isInstanceOf(IOException.class)
                        .hasCauseInstanceOf(StackOverflowError.class));
        onLoop(other::abort);
    }

    @Test
    void aConnectionThatDoesNotBlockAndMovesNothingIsGivenUp() throws Exception {
        connect(Kind.SOCKET);
        LoopConnection connection = engine.bridge(new ForeignConnection(user) {
            @Override
            public int read(ByteBuffer into) {
                return 0;
            }

            @Override
            public int write(ByteBuffer from) {
                return 0;
            }
        });
        write(connection, "x");
        await20()
                .untilAsserted(() -> assertThatThrownBy(() -> write(connection, "y"))
                        .cause()
                        .hasMessageContaining("writes no bytes"));
        assertThatThrownBy(() -> readAll(connection)).cause().hasMessageContaining("reads no bytes");
    }

    @Test
    void withoutThreadsItFails() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        engine.workers.streams().shutdown();
        assertThatThrownBy(() -> readAll(connection)).cause().hasMessageContaining("no thread");
        peer.expectReset();

        LoopConnection other = bridge(Kind.SOCKET);
        write(other, "x");
        assertThatThrownBy(() -> write(other, "y")).cause().hasMessageContaining("no thread");
        onLoop(other::close);
        peer.expectReset();
        NetEngine.patiently(closed(other));
    }

    // ------------------------------------------------------------------ the end

    @ParameterizedTest
    @EnumSource
    void closeSendsWhatWasWrittenAndEndsInOrder(Kind kind) throws Exception {
        LoopConnection connection = bridge(kind);
        byte[] last = Payload.bytes(60_000, 6);
        CompletableFuture<Void> closed = closed(connection);
        engine.onLoop(() -> {
            connection.write(ByteBuffer.wrap(last));
            connection.close();
            connection.close();
            connection.abort();
            return null;
        });
        assertThat(engine.onLoop(connection::isOpen)).isFalse();
        assertThatThrownBy(() -> write(connection, "x")).hasCauseInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> engine.onLoop(() -> connection.read(ByteBuffer.allocate(1))))
                .hasCauseInstanceOf(ClosedChannelException.class);

        assertThat(peer.read(32 << 10)).isEqualTo(Arrays.copyOf(last, 32 << 10));
        peer.readAll();
        NetEngine.patiently(closed);
        assertThat(user.isOpen()).isFalse();
    }

    @Test
    void closeEndsAReadThatIsInProgress() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        wait(connection, SelectionKey.OP_READ);
        turns();
        CompletableFuture<Void> closed = closed(connection);
        onLoop(connection::close);
        peer.expectEnd();
        NetEngine.patiently(closed);
    }

    @ParameterizedTest
    @EnumSource
    void abortResetsThePeerThoughItsReadsAndWritesAreInProgress(Kind kind) throws Exception {
        LoopConnection connection = bridge(kind);
        if (kind == Kind.TLS) {
            CompletableFuture<?> handshake = Background.run(() -> peer.readText(1));
            write(connection, "x");
            handshake.get();
        }
        LoopWriter writer = flood(connection);
        engine.onLoop(() -> {
            connection.interest(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
            return null;
        });
        turns();
        CompletableFuture<Void> closed = closed(connection);
        onLoop(connection::abort);
        NetEngine.patiently(closed);
        assertThat(user.isOpen()).isFalse();
        assertThat(writer.done).isNotDone();
        peer.expectReset();
    }

    @Test
    void aPeerThatTakesNothingOfTheLastBytesIsResetInTheEnd() throws Exception {
        ManualTicker ticker = new ManualTicker();
        restart(ticker);
        LoopConnection connection = bridge(Kind.SOCKET);
        flood(connection);
        CompletableFuture<Void> closed = closed(connection);
        onLoop(connection::close);

        ticker.advance(Duration.ofSeconds(60));
        turns();
        assertThat(closed).as("it has taken something since the close began").isNotDone();
        ticker.advance(Duration.ofSeconds(60));
        turns();
        NetEngine.patiently(closed);
        peer.expectReset();
    }

    @Test
    void theEndOfTheLoopAbandonsTheHandlerAndResetsThePeer() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        Events events = wait(connection, SelectionKey.OP_READ);
        turns();
        Peer idle = peer;
        bridge(Kind.SOCKET);
        Peer closing = peer;
        LoopConnection draining = engine.bridge(user);
        flood(draining);
        CompletableFuture<Void> closed = closed(draining);
        onLoop(draining::close);

        engine.close();

        assertThat(NetEngine.patiently(events.cause)).hasMessageContaining("stopped");
        assertThat(closed).isDone();
        idle.expectReset();
        closing.expectReset();
    }

    // ------------------------------------------------------------------ to a user

    @Test
    void aConnectionThatWasNotTouchedIsGivenAsItIs() throws Exception {
        LoopConnection connection = bridge(Kind.FOREIGN);
        assertThat(engine.toUser(connection)).isSameAs(user);
        assertThat(connection.isOpen()).isFalse();
        user.close();
    }

    @ParameterizedTest
    @EnumSource
    void itIsGivenBetweenTwoMessagesWithWhatWasReadTooFar(Kind kind) throws Exception {
        LoopConnection connection = bridge(kind);
        CompletableFuture<?> far = Background.run(() -> {
            assertThat(peer.readText(8)).isEqualTo("question");
            peer.send("answer, and more of it");
            assertThat(peer.readText(3)).isEqualTo("bye");
            peer.send(" from the wire").shutdownOutput();
        });
        write(connection, "question");
        CompletableFuture<Connection> given = new CompletableFuture<>();
        engine.onLoop(() -> {
            connection.handler(new ChannelEvents() {
                @Override
                public void ready(int readyOps) {
                    try {
                        ByteBuffer into = ByteBuffer.allocate(100);
                        int count = connection.read(into);
                        connection.unread(into.flip().position(6));
                        assertThat(count).isEqualTo(22);
                        connection.release(given::complete, given::completeExceptionally);
                    } catch (IOException | AssertionError e) {
                        given.completeExceptionally(e);
                    }
                }

                @Override
                public void abandoned(Throwable cause) {
                    given.completeExceptionally(cause);
                }
            });
            connection.interest(SelectionKey.OP_READ);
            return null;
        });
        try (Connection own = NetEngine.patiently(given);
                Socket socket = own.asSocket()) {
            InputStream in = socket.getInputStream();
            assertThat(new String(in.readNBytes(16), US_ASCII)).isEqualTo(", and more of it");
            own.write(bytes("bye"));
            assertThat(new String(in.readAllBytes(), US_ASCII)).isEqualTo(" from the wire");
            assertThat(own.remoteAddress()).isEqualTo(user.remoteAddress());
            far.get();
        }
    }

    @Test
    void itIsGivenOnceWhatWasWrittenHasGoneOut() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        LoopWriter writer = flood(connection);
        CompletableFuture<Connection> given = new CompletableFuture<>();
        onLoop(() -> connection.release(given::complete, given::completeExceptionally));
        turns();
        assertThat(given).isNotDone();

        peer.read(writer.taken());

        try (Connection own = NetEngine.patiently(given)) {
            own.write(bytes("next"));
            assertThat(peer.readText(4)).isEqualTo("next");
        }
    }

    @Test
    void itIsGivenWithWhatAReadThatIsInProgressBrings() throws Exception {
        LoopConnection connection = bridge(Kind.FOREIGN);
        wait(connection, SelectionKey.OP_READ);
        turns();
        CompletableFuture<Connection> given = new CompletableFuture<>();
        onLoop(() -> connection.release(given::complete, given::completeExceptionally));
        turns();
        assertThat(given).isNotDone();

        peer.send("first");

        try (Connection own = NetEngine.patiently(given)) {
            peer.send(" second").shutdownOutput();
            assertThat(new String(own.asSocket().getInputStream().readAllBytes(), US_ASCII))
                    .isEqualTo("first second");
        }
    }

    @Test
    void itIsResetWhenAReadKeepsItFromItsUserForTooLong() throws Exception {
        ManualTicker ticker = new ManualTicker();
        restart(ticker);
        LoopConnection connection = bridge(Kind.SOCKET);
        wait(connection, SelectionKey.OP_READ);
        turns();
        CompletableFuture<Connection> given = new CompletableFuture<>();
        onLoop(() -> connection.release(given::complete, given::completeExceptionally));
        ticker.advance(Duration.ofSeconds(10));
        turns();
        assertThatThrownBy(() -> NetEngine.patiently(given)).hasCauseInstanceOf(SocketTimeoutException.class);
        peer.expectReset();
    }

    @Test
    void itIsNotReleasedWhenTheLoopEnds() throws Exception {
        LoopConnection connection = bridge(Kind.SOCKET);
        wait(connection, SelectionKey.OP_READ);
        turns();
        CompletableFuture<Connection> given = new CompletableFuture<>();
        CountDownLatch told = new CountDownLatch(1);
        onLoop(() -> connection.release(given::complete, failure -> {
            given.completeExceptionally(failure);
            told.countDown();
        }));
        engine.close();
        assertThat(told.getCount()).isZero();
        assertThat(given).isCompletedExceptionally();
        peer.expectReset();
    }
}
