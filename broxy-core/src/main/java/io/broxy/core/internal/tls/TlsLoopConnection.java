package io.broxy.core.internal.tls;

import io.broxy.Connection;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.net.DrivenConnection;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A TLS connection on its loop, over another connection of the same loop whose readiness it is told. What readiness the
 * handler wants is what it wants below, but for this: plaintext may be there though nothing is readable below, which the
 * handler is told in a turn of its own; and ciphertext that is held must go out before the handler is told that it can write.
 *
 * <p>An idle connection holds no buffer.
 *
 * <p>{@link #shutdownOutput} of a client is for TLS 1.3, whose peer goes on behind a close_notify; TLS 1.2 has no half-close,
 * so the call is refused there: see {@link TlsEngine#mayEndFirst}.
 *
 * <p>Threading: owned by its event loop.
 */
final class TlsLoopConnection extends DrivenConnection implements ChannelEvents {
    private static final Logger log = LoggerFactory.getLogger(TlsLoopConnection.class);

    private final LoopConnection below;
    private final TlsEngine engine;
    private final TlsResources means;
    private final TlsLoopInput input;
    private final TlsLoopOutput output;

    /** The engine's tasks run elsewhere, and nothing can be read or written meanwhile. */
    private boolean busy;

    private @Nullable TlsRelease release;

    /** Takes over a connection whose handshake is done. */
    TlsLoopConnection(
            LoopConnection below, TlsEngine engine, TlsResources means, TlsLoopInput input, TlsLoopOutput output) {
        super(below.loop(), input.plaintext());
        this.below = below;
        this.engine = engine;
        this.means = means;
        this.input = input;
        this.output = output;
        below.handler(this);
        goOn();
    }

    @Override
    public SocketAddress remoteAddress() {
        return below.remoteAddress();
    }

    @Override
    public @Nullable SocketAddress localAddress() {
        return below.localAddress();
    }

    @Override
    public boolean takesThreads() {
        return below.takesThreads();
    }

    /** The last bytes of a connection that takes no threads are nothing that anybody waits for. */
    @Override
    public void whenClosed(Runnable task) {
        if (takesThreads()) {
            below.whenClosed(task);
        } else {
            loop.afterClosing(task);
        }
    }

    @Override
    public long unsent() {
        return below.unsent();
    }

    @Override
    public @Nullable IOException lost() {
        return below.lost();
    }

    // ------------------------------------------------------------------ readiness

    @Override
    public void interest(int ops) throws IOException {
        assert loop.inLoop();
        if (ops != interest && isOpen()) {
            interest = ops;
            wantBelow();
            checkUnseen();
        }
    }

    private boolean wants(int op) {
        return (interest & op) != 0;
    }

    /** A peer that asks for answers and does not take them is not read, so that they cannot pile up. */
    private boolean isStalled() {
        return busy || (input.step() == TlsEngine.Step.OUTPUT && output.isPending());
    }

    private void wantBelow() throws IOException {
        int ops = output.isPending() ? SelectionKey.OP_WRITE : 0;
        if (wants(SelectionKey.OP_READ) && !isStalled()) {
            ops |= SelectionKey.OP_READ;
        }
        if (wants(SelectionKey.OP_WRITE) && !busy) {
            ops |= SelectionKey.OP_WRITE;
        }
        below.interest(ops);
    }

    @Override
    public void ready(int readyOps) {
        if ((readyOps & SelectionKey.OP_WRITE) != 0 && output.isPending()) {
            goOn();
        }
        int told = busy ? 0 : readyOps & interest;
        if (output.isPending()) {
            told &= ~SelectionKey.OP_WRITE;
        }
        if (told != 0) {
            handler().ready(told);
        }
    }

    /** Goes on with what is under way: held ciphertext, answers, an end, the way to a user. */
    private void goOn() {
        boolean drained = output.goOn();
        if (release != null && output.failure() != null) {
            release.fail(output.failure());
            return;
        }
        try {
            if (output.takeNeedOfTasks()) {
                startTasks();
            }
            if (release != null && drained && !busy) {
                release.goOn();
                return;
            }
            wantBelow();
        } catch (IOException e) {
            log.debug("a TLS connection's output failed; a write will tell", output.failed(e));
        }
        checkUnseen();
    }

    @Override
    protected int unseenOps() {
        int ops = 0;
        if (wants(SelectionKey.OP_READ) && input.mayGive() && !isStalled()) {
            ops |= SelectionKey.OP_READ;
        }
        if (wants(SelectionKey.OP_WRITE) && output.failure() != null) {
            ops |= SelectionKey.OP_WRITE;
        }
        return ops;
    }

    // ------------------------------------------------------------------ bytes

    @Override
    public int read(ByteBuffer into) throws IOException {
        ensureOpen();
        if (!into.hasRemaining() || isStalled()) {
            return 0;
        }
        int count;
        do {
            count = readOnce(into);
        } while (count == 0 && input.step() == TlsEngine.Step.OUTPUT && !output.isPending() && !busy);
        if (input.step() == TlsEngine.Step.TASK && !busy) {
            startTasks();
        }
        wantBelow();
        checkUnseen();
        return count;
    }

    private int readOnce(ByteBuffer into) throws IOException {
        try {
            return input.read(into);
        } finally {
            if (engine.wantsOutput()) {
                goOn(); // an answer; or the alert that tells the peer what failed
            }
        }
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        ensureOpen();
        if (busy) {
            return 0;
        }
        try {
            int count = output.write(from);
            if (output.takeNeedOfTasks()) {
                startTasks();
            }
            return count;
        } finally {
            wantBelow();
        }
    }

    @Override
    public void shutdownOutput() throws IOException {
        ensureOpen();
        refuseHalfCloseBefore13(engine);
        output.end();
        wantBelow();
    }

    @Override
    public void lookForBreak(Consumer<IOException> broken) {
        below.lookForBreak(failure -> {
            if (isOpen()) {
                broken.accept(output.failed(failure));
            }
        });
    }

    static void refuseHalfCloseBefore13(TlsEngine engine) throws SocketException {
        if (!engine.mayEndFirst()) {
            throw new SocketException(
                    engine.protocol() + " knows no half-close: the peer would drop what it has yet to send");
        }
    }

    // ------------------------------------------------------------------ the engine's tasks

    private void startTasks() throws IOException {
        if (!busy) {
            busy = true;
            TlsTasks.start(engine, means.tasks(), loop, this::tasksDone);
        }
    }

    private void tasksDone(@Nullable SSLException failure) {
        busy = false;
        if (failure != null) {
            log.debug("a TLS connection can send nothing any more", output.failed(failure));
        }
        if (isOpen()) {
            goOn();
        }
    }

    // ------------------------------------------------------------------ ends

    /** What was written still goes out, and the close_notify behind it. */
    @Override
    public void close() {
        assert loop.inLoop();
        if (isOpen()) {
            engine.closeOutput();
            ByteBuffer last = output.failure() == null ? output.takeLast() : ByteBuffer.allocate(0);
            end();
            LingeringClose.start(below, last, () -> {});
        }
    }

    @Override
    public void abort() {
        if (isOpen()) {
            end();
            below.abort();
        }
    }

    private void end() {
        over();
        input.release();
        output.release();
    }

    @Override
    public void release(Consumer<Connection> ready, Consumer<IOException> failed) {
        assert loop.inLoop();
        interest = 0;
        release = new TlsRelease(this, ready, failed);
        goOn();
    }

    /** Passes it on; nothing may be under way. */
    void passToUser(Consumer<Connection> ready, Consumer<IOException> failed) {
        ByteBuffer ciphertext = input.takeCiphertext();
        ByteBuffer plaintext = leftover.takeAll();
        end();
        below.release(user -> ready.accept(new TlsConnection(user, engine, means, ciphertext, plaintext)), failed);
    }

    @Override
    public void abandoned(Throwable cause) {
        if (release != null) {
            release.fail(new IOException("the connection's loop has ended", cause));
        } else if (hasHandler()) {
            handler().abandoned(cause);
        } else {
            abort();
        }
    }
}
