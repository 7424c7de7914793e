package io.broxy.core.internal.tls;

import io.broxy.Connection;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
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
 * A TLS connection on its loop, over another connection of the same loop whose readiness it receives. It forwards the handler's
 * interest to the underlying connection, with two exceptions: plaintext may be available although the underlying connection is
 * not readable, of which the handler is notified in a separate turn; and pending ciphertext must be sent before the handler is
 * notified that it can write.
 *
 * <p>An idle connection holds no buffer.
 *
 * <p>For a client, {@link #shutdownOutput} requires TLS 1.3, in which the peer continues after a close_notify. TLS 1.2 has no
 * half-close, so the call fails; see {@link TlsEngine#mayEndFirst}.
 *
 * <p>Threading: owned by its event loop.
 */
final class TlsLoopConnection extends DrivenConnection implements ChannelEvents {
    private static final Logger log = LoggerFactory.getLogger(TlsLoopConnection.class);

    private final LoopConnection below;
    private final TlsEngine engine;
    private final TlsResources resources;
    private final TlsLoopInput input;
    private final TlsLoopOutput output;

    /** While the engine's tasks run on another thread, nothing can be read or written. */
    private boolean busy;

    private @Nullable TlsRelease release;

    /** Takes over a connection after the handshake. */
    TlsLoopConnection(
            LoopConnection below, TlsEngine engine, TlsResources resources, TlsLoopInput input, TlsLoopOutput output) {
        super(below.loop(), input.plaintext());
        this.below = below;
        this.engine = engine;
        this.resources = resources;
        this.input = input;
        this.output = output;
        below.handler(this);
        proceed();
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

    /** Runs a task after the close. It need not wait for the last bytes of a connection that uses no threads. */
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

    /** Whether reading pauses, because the peer requests answers without accepting them, which would pile up. */
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
            proceed();
        }
        int wanted = busy ? 0 : readyOps & interest;
        if (output.isPending()) {
            wanted &= ~SelectionKey.OP_WRITE;
        }
        if (wanted != 0) {
            handler().ready(wanted);
        }
    }

    /** Continues pending work: unsent ciphertext, answers, a close, the release to a user. */
    private void proceed() {
        boolean drained = output.proceed();
        if (release != null && output.failure() != null) {
            release.fail(output.failure());
            return;
        }
        try {
            if (output.takeTaskRequest()) {
                startTasks();
            }
            if (release != null && drained && !busy) {
                release.complete();
                return;
            }
            wantBelow();
        } catch (IOException e) {
            log.debug("a TLS connection's output failed; the next write will fail", output.failed(e));
        }
        checkUnseen();
    }

    @Override
    protected int unseenOps() {
        int ops = 0;
        if (wants(SelectionKey.OP_READ) && input.mayYield() && !isStalled()) {
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
                proceed(); // an answer, or the alert for a failure
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
            if (output.takeTaskRequest()) {
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
                    engine.protocol() + " has no half-close: the peer would discard data that it has not sent yet");
        }
    }

    // ------------------------------------------------------------------ the engine's tasks

    private void startTasks() throws IOException {
        if (!busy) {
            busy = true;
            TlsTasks.start(engine, resources.tasks(), loop, this::tasksDone);
        }
    }

    private void tasksDone(@Nullable SSLException failure) {
        busy = false;
        if (failure != null) {
            log.debug("a TLS connection can no longer send", output.failed(failure));
        }
        if (isOpen()) {
            proceed();
        }
    }

    // ------------------------------------------------------------------ closing

    /** Closes the connection after sending the written bytes and a close_notify. */
    @Override
    public void close() {
        assert loop.inLoop();
        if (isOpen()) {
            engine.closeOutput();
            ByteBuffer last = output.failure() == null ? output.takeFinalBytes() : ByteBuffer.allocate(0);
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
        release(() -> passToUser(ready, failed), failed);
    }

    @Override
    public void moveTo(EventLoop other, Consumer<LoopConnection> arrived, Consumer<IOException> failed) {
        release(() -> passToLoop(other, arrived, failed), failed);
    }

    private void release(Runnable pass, Consumer<IOException> failed) {
        assert loop.inLoop();
        interest = 0;
        release = new TlsRelease(this, pass, failed);
        proceed();
    }

    private void passToUser(Consumer<Connection> ready, Consumer<IOException> failed) {
        ByteBuffer ciphertext = input.takeCiphertext();
        ByteBuffer plaintext = leftover.takeAll();
        end();
        below.release(user -> ready.accept(new TlsConnection(user, engine, resources, ciphertext, plaintext)), failed);
    }

    private void passToLoop(EventLoop other, Consumer<LoopConnection> arrived, Consumer<IOException> failed) {
        ByteBuffer ciphertext = input.takeCiphertext();
        ByteBuffer plaintext = leftover.takeAll();
        end();
        below.moveTo(other, base -> arrived.accept(resume(base, engine, resources, ciphertext, plaintext)), failed);
    }

    /**
     * Resumes a connection on a loop.
     *
     * @param ciphertext what was read ahead and not decrypted; null for none
     * @param plaintext what was decrypted and not read
     */
    static TlsLoopConnection resume(
            LoopConnection base,
            TlsEngine engine,
            TlsResources resources,
            @Nullable ByteBuffer ciphertext,
            ByteBuffer plaintext) {
        TlsLoopInput input = new TlsLoopInput(base, engine);
        if (ciphertext != null) {
            input.unreadCiphertext(ciphertext);
        }
        input.plaintext().unread(plaintext);
        return new TlsLoopConnection(base, engine, resources, input, new TlsLoopOutput(base, engine));
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
