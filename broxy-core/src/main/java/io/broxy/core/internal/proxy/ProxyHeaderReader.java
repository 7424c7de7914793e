package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.core.internal.haproxy.ProxyHeader;
import io.broxy.core.internal.haproxy.ProxyHeaderException;
import io.broxy.core.internal.haproxy.ProxyHeaderParser;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.relay.Stage;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the header of the PROXY protocol that a trusted sender puts before its client's first byte. Without a valid one the
 * connection is cut without a word, as the specification demands: nobody is served under an address that is not his.
 *
 * <p>Threading: owned by the client's event loop, but for {@link #end}.
 */
final class ProxyHeaderReader implements ChannelEvents, Stage {
    private final ClientConnection served;
    private final RareWarning warning;
    private final Consumer<ClientConnection> next;
    private final ProxyHeaderParser parser = new ProxyHeaderParser();
    private final TimerQueue.Timer deadline;
    private boolean over;

    private ProxyHeaderReader(ClientConnection served, RareWarning warning, Consumer<ClientConnection> next) {
        this.served = served;
        this.warning = warning;
        this.next = next;
        this.deadline = served.loop()
                .timers()
                .schedule(
                        served.tunnel().startNanos()
                                + served.handler().settings().headTimeoutNanos(),
                        this::timedOut);
    }

    /**
     * Begins to read. What came behind the header stays with the connection.
     *
     * @param warning told what a sender has done wrong
     * @param next told the client with the address that the sender has named, if it has named one
     */
    static void start(ClientConnection served, RareWarning warning, Consumer<ClientConnection> next) {
        ProxyHeaderReader reading = new ProxyHeaderReader(served, warning, next);
        served.client().handler(reading);
        served.tunnel().stage(reading);
        if (!reading.over) { // its end was not asked for before
            reading.begin();
        }
    }

    private void begin() {
        try {
            read(); // it has often arrived together with the connection
            if (!over) {
                served.client().interest(SelectionKey.OP_READ);
            }
        } catch (IOException e) {
            gone(e);
        } catch (RuntimeException | Error e) { // such as no memory for a buffer
            served.logFailure(e);
            abandoned(e);
        }
    }

    @Override
    public void ready(int readyOps) {
        if (!over) {
            read();
        }
    }

    private void read() {
        ByteBuffer buffer = served.loop().buffers().shared().limit(LoopBuffers.HEAD_READ);
        ProxyHeader header;
        try {
            if (served.client().read(buffer) < 0) {
                ended();
                return;
            }
            header = parser.feed(buffer.flip());
        } catch (ProxyHeaderException e) {
            refuse(String.valueOf(e.getMessage()));
            return;
        } catch (IOException e) {
            gone(e);
            return;
        }
        if (header != null) {
            pass(header, buffer);
        }
    }

    private void pass(ProxyHeader header, ByteBuffer rest) {
        stop();
        served.client().unread(rest);
        next.accept(served.of(header.source(), header.destination()));
    }

    /** Balancers look whether somebody listens by connecting and going away. */
    private void ended() {
        if (parser.begun()) {
            refuse("the connection ended within the header");
        } else {
            gone(null);
        }
    }

    private void gone(@Nullable IOException cause) {
        finish(served.client()::close, CloseReason.CLIENT_GONE, cause);
    }

    private void timedOut() {
        if (served.loop().isStopping()) {
            endInLoop(CloseReason.CLOSED, null);
        } else {
            refuse("the header did not come in time");
        }
    }

    private void refuse(String problem) {
        warning.warn("a connection from {} is cut, for its PROXY header is refused: {}", sender(), problem);
        endInLoop(
                CloseReason.REFUSED,
                Rejection.ofProxyHeader(problem));
    }

    private String sender() {
        return String.valueOf(served.clientAddress());
    }

    // ------------------------------------------------------------------ ends

    @Override
    public void end(CloseReason reason) {
        served.onLoop(() -> endInLoop(reason, null));
    }

    private void endInLoop(CloseReason reason, @Nullable Throwable cause) {
        finish(served.client()::abort, reason, cause);
    }

    private void finish(Runnable close, CloseReason reason, @Nullable Throwable cause) {
        if (!over) {
            stop();
            served.visit(); // the sender itself, for nobody else is known; once closed it has no address any more
            close.run();
            served.over(reason, cause);
        }
    }

    private void stop() {
        over = true;
        served.loop().timers().cancel(deadline);
    }

    @Override
    public void abandoned(Throwable cause) {
        CloseReason reason = served.reasonOfAbandon();
        endInLoop(reason, reason == CloseReason.FAILED ? cause : null);
    }
}
