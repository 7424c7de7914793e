package io.broxy.core.internal.dial;

import io.broxy.Connection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.UserDialing;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;

/**
 * A handshake over a connection that no loop can drive, on a thread that may block. It reads byte by byte, for what is read
 * too far could not be put back. It has no time limit of its own: whoever has one abandons it.
 *
 * <p>Threading: owned by an event loop, but for what runs on the thread.
 */
final class ForeignTalk {

    /** Told how it ended, once, on the loop. Threading: owned by its event loop. */
    interface End {
        /** The way is open, and the connection belongs to whoever is told. */
        void open(Connection connection);

        /** The proxy refuses, or breaks its protocol. */
        void refused(HandshakeException refusal);

        /** The connection broke. */
        void broken(IOException cause);
    }

    private final EventLoop loop;
    private final Workers workers;
    private final Connection connection;
    private final End end;
    private boolean over;

    private ForeignTalk(EventLoop loop, Workers workers, Connection connection, End end) {
        this.loop = loop;
        this.workers = workers;
        this.connection = connection;
        this.end = end;
    }

    /** Begins to talk; the end is told after this method has returned. */
    static ForeignTalk start(EventLoop loop, Workers workers, Connection connection, Handshake handshake, End end) {
        ForeignTalk talk = new ForeignTalk(loop, workers, connection, end);
        try {
            workers.callbacks().execute(() -> talk.run(handshake));
        } catch (RejectedExecutionException e) {
            loop.execute(() -> talk.ended(() -> end.broken(new IOException("the engine ends", e))));
        }
        return talk;
    }

    /** Resets the connection, which ends the talk; its end is not told any more. */
    void abandon() {
        if (!over) {
            over = true;
            UserDialing.abandon(connection, workers);
        }
    }

    private void ended(Runnable tell) {
        if (!over) {
            over = true;
            tell.run();
        }
    }

    // ------------------------------------------------------------------ on the thread

    private void run(Handshake handshake) {
        Runnable tell;
        try {
            talk(handshake);
            tell = () -> end.open(connection);
        } catch (HandshakeException e) {
            tell = () -> {
                UserDialing.abandon(connection, workers);
                end.refused(e);
            };
        } catch (IOException | RuntimeException e) {
            IOException cause = e instanceof IOException own ? own : new IOException("the connection failed", e);
            tell = () -> {
                UserDialing.abandon(connection, workers);
                end.broken(cause);
            };
        }
        Runnable last = tell;
        try {
            loop.execute(() -> ended(last));
        } catch (RejectedExecutionException e) {
            connection.abort(); // the loop has stopped, and has ended the dial by that
        }
    }

    private void talk(Handshake handshake) throws HandshakeException, IOException {
        ByteBuffer in = ByteBuffer.allocate(1);
        write(handshake.output());
        while (true) {
            if (connection.read(in.clear()) < 0) {
                throw new EOFException("the proxy ended the connection before its answer");
            }
            switch (handshake.feed(in.flip())) {
                case READ -> {}
                case SEND -> write(handshake.output());
                case DONE -> {
                    return;
                }
            }
        }
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            connection.write(bytes);
        }
    }
}
