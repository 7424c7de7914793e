package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.ProxyProtocol;
import io.broxy.core.internal.haproxy.ProxyHeader;
import io.broxy.core.internal.haproxy.ProxyHeaderWriter;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Dials with another dialer, and sends a header of the PROXY protocol over each connection before anything else
 * (proxy-protocol.txt, section 2). A race of addresses is the other dialer's, so that only its winner gets the header.
 *
 * <p>Threading: thread-safe.
 */
public final class ProxyHeaderDialer implements Dialer, LoopDialer {
    /** The default of every built-in dialer. */
    static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

    /** A connection that blocks takes something with each call; one that did not for so long never will. */
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

    /** A client whose addresses are not known, or are none of TCP, is told of as a connection of our own is. */
    private static ProxyHeader header(DialRequest.@Nullable Client client) {
        return client != null && isResolved(client.source()) && isResolved(client.destination())
                ? new ProxyHeader((InetSocketAddress) client.source(), (InetSocketAddress) client.destination())
                : ProxyHeader.UNKNOWN;
    }

    private static boolean isResolved(SocketAddress address) {
        return address instanceof InetSocketAddress internet && !internet.isUnresolved();
    }

    /** A dialer of a user's may have no time of its own; and where a loop waits for it, the loop's end must end that. */
    private DialRequest timed(DialRequest request) {
        return request.timeout() != null || below instanceof LoopDialer
                ? request
                : request.toBuilder().timeout(DEFAULT_TIMEOUT).build();
    }

    // ------------------------------------------------------------------ on a loop

    @Override
    public DialHandle dial(EventLoop loop, DialRequest request, Outcome outcome) {
        assert loop.inLoop();
        return start(loop, request, engine.ticker().nanos(), outcome);
    }

    @Override
    public CompletableFuture<Connection> dialAsync(DialRequest request, Executor executor) {
        long start = engine.ticker().nanos();
        return FutureDial.start(
                engine.loops().next(),
                request.target(),
                engine.workers()::complete,
                (loop, outcome) -> start(loop, request, start, outcome));
    }

    private DialHandle start(EventLoop loop, DialRequest asked, long startNanos, Outcome outcome) {
        DialRequest request = timed(asked);
        ProxyHeaderDial dial = new ProxyHeaderDial(
                loop, request, header(request), startNanos, UserDialerAdapter.forUsers(outcome, request.target()));
        dial.begin(onLoop);
        return dial;
    }

    // ------------------------------------------------------------------ on the caller's thread

    /** The few bytes fit into a fresh connection's buffer, so that writing them does not wait. */
    @Override
    public Connection dial(DialRequest request) throws DialException {
        if (EventLoop.current() != null) {
            throw new IllegalStateException("a blocking dial on an event loop would stop everything that it serves");
        }
        long start = engine.ticker().nanos();
        Connection connection = Objects.requireNonNull(below.dial(timed(request)), "the dialer gave no connection");
        try {
            write(connection, header(request));
            return connection;
        } catch (IOException | RuntimeException e) {
            connection.abort();
            boolean interrupted = Thread.currentThread().isInterrupted();
            throw failure(interrupted ? Reason.CANCELLED : Reason.PROTOCOL, request, e)
                    .duration(Duration.ofNanos(engine.ticker().nanos() - start))
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

    /** Begins the failure of a dial whose connection stands. */
    static DialException.Builder failure(Reason reason, DialRequest request, Throwable cause) {
        String why = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return DialException.builder(reason, request.target())
                .cause(new IOException("the PROXY header could not be sent: " + why, cause));
    }

    /** Names the dialer that makes the connections. */
    @Override
    public String toString() {
        return below + " with PROXY headers";
    }
}
