package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.Explanation;
import io.broxy.ProxyProtocol;
import io.broxy.core.internal.haproxy.ProxyHeader;
import io.broxy.core.internal.haproxy.ProxyHeaderWriter;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.TimerQueue;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Dials with another dialer, and sends a header of the PROXY protocol over each connection before anything else
 * (proxy-protocol.txt, section 2). A race of addresses is the other dialer's, so that only its winner gets the header.
 *
 * <p>Threading: thread-safe.
 */
public final class ProxyHeaderDialer implements EngineDialer {
    /** A connection that blocks accepts bytes with each call; one that accepts none in so many calls never will. */
    private static final int MAX_IDLE_WRITES = 1_000;

    private final Dialer below;
    private final LoopDialer onLoop;
    private final ProxyProtocol version;
    private final DialEngine engine;

    /**
     * Creates one.
     *
     * @param below makes the connections
     */
    public ProxyHeaderDialer(Dialer below, ProxyProtocol version, DialEngine engine) {
        this.below = Objects.requireNonNull(below, "dialer");
        this.onLoop = UserDialerAdapter.of(below, engine.workers());
        this.version = Objects.requireNonNull(version, "version");
        this.engine = engine;
    }

    Dialer below() {
        return below;
    }

    @Override
    public boolean sendsClientAddress() {
        return true;
    }

    private ByteBuffer header(DialRequest request) {
        ProxyHeader header = header(request.client());
        return ByteBuffer.wrap(
                switch (version) {
                    case V1 -> ProxyHeaderWriter.version1(header);
                    case V2 -> ProxyHeaderWriter.version2(header);
                });
    }

    /** A client whose addresses are unknown, or not those of TCP, is announced like a connection of Broxy's own. */
    private static ProxyHeader header(DialRequest.@Nullable Client client) {
        return client != null && isResolved(client.source()) && isResolved(client.destination())
                ? new ProxyHeader((InetSocketAddress) client.source(), (InetSocketAddress) client.destination())
                : ProxyHeader.UNKNOWN;
    }

    private static boolean isResolved(SocketAddress address) {
        return address instanceof InetSocketAddress internet && !internet.isUnresolved();
    }

    /** Gives a user's dialer, which may have no timeout, the default one. */
    private DialRequest timed(DialRequest request) {
        return request.timeout() != null || below instanceof LoopDialer
                ? request
                : request.toBuilder()
                        .timeout(Duration.ofNanos(DEFAULT_TIMEOUT_NANOS))
                        .build();
    }

    @Override
    public DialEngine engine() {
        return engine;
    }

    @Override
    public Explanation explain(DialRequest request) {
        return Explanation.admitted(Explanation.Part.ROUTE, "with a PROXY header, " + version)
                .then(below.explain(request));
    }

    @Override
    public DialHandle start(Dial dial) {
        return new HeaderDial(dial).begin();
    }

    /** The few bytes fit into a fresh connection's buffer, so that writing them does not wait. */
    @Override
    public Connection dialOnCaller(DialRequest request, long startNanos) throws DialException {
        Connection connection = Objects.requireNonNull(below.dial(timed(request)), "the dialer gave no connection");
        try {
            write(connection, header(request));
            return connection;
        } catch (IOException | RuntimeException e) {
            connection.abort();
            boolean interrupted = Thread.currentThread().isInterrupted();
            throw DialException.builder(interrupted ? Reason.CANCELLED : Reason.PROTOCOL, request.target())
                    .duration(Duration.ofNanos(ticker().nanos() - startNanos))
                    .cause(notSent(e))
                    .build();
        }
    }

    private static void write(Connection connection, ByteBuffer header) throws IOException {
        for (int idle = 0; header.hasRemaining(); ) {
            if (connection.write(header) == 0 && ++idle == MAX_IDLE_WRITES) {
                throw new IOException("the connection takes nothing");
            }
        }
    }

    /** The failure of a dial whose connection was open. */
    static IOException notSent(Throwable cause) {
        String why = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return new IOException("the PROXY header could not be sent: " + why, cause);
    }

    /** Names the dialer that makes the connections. */
    @Override
    public String toString() {
        return below + " with PROXY headers";
    }

    /**
     * One dial on a loop. The dialer below keeps the deadline until it has connected; after that
     * the header mostly goes out at once.
     *
     * <pre>
     *   DIALING ──> SENDING ──> OVER
     * </pre>
     *
     * <p>Threading: owned by its event loop.
     */
    private final class HeaderDial implements DialHandle, Completion<LoopConnection>, ChannelEvents {
        private enum State {
            DIALING,
            SENDING,
            OVER
        }

        private final Dial dial;
        private final ByteBuffer header;

        private State state = State.DIALING;
        private @Nullable DialHandle dialing;
        private @Nullable LoopConnection connection;
        private TimerQueue.@Nullable Timer deadline;

        HeaderDial(Dial dial) {
            this.dial = dial;
            this.header = header(dial.request());
        }

        // ------------------------------------------------------------------ DIALING

        DialHandle begin() {
            DialHandle underWay = onLoop.dial(dial.loop(), timed(dial.request()), dial.client(), this);
            if (state == State.DIALING) {
                dialing = underWay;
            }
            return this;
        }

        @Override
        public void failed(DialException failure) {
            state = State.OVER;
            dial.completion().failed(failure);
        }

        @Override
        public void broken(DialException failure) {
            state = State.OVER;
            dial.completion().broken(failure);
        }

        @Override
        public void done(LoopConnection dialed) {
            state = State.SENDING;
            connection = dialed;
            try {
                dialed.write(header);
                if (header.hasRemaining()) {
                    dialed.handler(this);
                    deadline = dial.loop().timers().schedule(dial.endNanos(), this::timedOut);
                    dialed.interest(SelectionKey.OP_WRITE);
                    return;
                }
            } catch (IOException e) {
                fail(Reason.PROTOCOL, e);
                return;
            }
            sent(dialed);
        }

        // ------------------------------------------------------------------ SENDING

        @Override
        public void ready(int readyOps) {
            LoopConnection own = connection;
            if (state != State.SENDING || own == null) {
                return;
            }
            try {
                own.write(header);
                if (header.hasRemaining()) {
                    return;
                }
                own.interest(0);
            } catch (IOException e) {
                fail(Reason.PROTOCOL, e);
                return;
            }
            sent(own);
        }

        private void timedOut() {
            if (dial.loop().isStopping()) {
                fail(Reason.CANCELLED, new IOException("the event loop is ending"));
            } else {
                fail(Reason.TIMEOUT, new SocketTimeoutException("the peer did not accept it in the dial's time"));
            }
        }

        // ------------------------------------------------------------------ ends

        private void sent(LoopConnection announced) {
            end();
            dial.completion().done(announced);
        }

        private void fail(Reason reason, Throwable cause) {
            if (state == State.SENDING) {
                discard();
                dial.completion()
                        .failed(dial.failure(reason).cause(notSent(cause)).build());
            }
        }

        /** Resets the connection, so that a peer with a part of the header does not see an orderly end. */
        private void discard() {
            end();
            if (connection != null) {
                connection.abort();
            }
        }

        private void end() {
            state = State.OVER;
            if (deadline != null) {
                dial.loop().timers().cancel(deadline);
            }
        }

        @Override
        public void clientEnded() {
            if (dialing != null) {
                dialing.clientEnded();
            }
        }

        @Override
        public void cancel() {
            if (state == State.DIALING && dialing != null) {
                dialing.cancel();
            }
            if (state != State.OVER) {
                discard();
            }
        }

        @Override
        public void abandoned(Throwable cause) {
            fail(dial.loop().isStopping() ? Reason.CANCELLED : Reason.LOCAL, cause);
        }
    }
}
