package io.broxy.examples.hosts;

import io.broxy.Connection;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.util.concurrent.Semaphore;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * A connection of XNIO, which Undertow is built on, as a blocking one: with or without TLS. Copy this file.
 *
 * <p>It waits for XNIO's listeners instead of {@code awaitReadable}, whose selector would keep a socket open that another thread
 * closes.
 *
 * <p>Threading: as {@link Connection} says; never call it on an I/O thread of XNIO.
 */
public final class XnioConnection implements Connection {
    private final StreamConnection connection;
    private final ConduitStreamSourceChannel source;
    private final ConduitStreamSinkChannel sink;
    private final Semaphore readable = new Semaphore(0);
    private final Semaphore writable = new Semaphore(0);

    /** Takes a connection over, from which nothing else reads. */
    public XnioConnection(StreamConnection connection) {
        this.connection = connection;
        this.source = connection.getSourceChannel();
        this.sink = connection.getSinkChannel();
        source.suspendReads();
        sink.suspendWrites();
        source.setReadListener(ready -> {
            source.suspendReads();
            readable.release();
        });
        sink.setWriteListener(ready -> {
            sink.suspendWrites();
            writable.release();
        });
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        if (!into.hasRemaining()) {
            return 0;
        }
        while (true) {
            int count = source.read(into);
            if (count != 0) {
                return count;
            }
            source.resumeReads();
            await(readable);
        }
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        int count = from.remaining();
        while (from.hasRemaining()) {
            if (sink.write(from) == 0) {
                sink.resumeWrites();
                await(writable);
            }
        }
        flush();
        return count;
    }

    private void flush() throws IOException {
        while (!sink.flush()) {
            sink.resumeWrites();
            await(writable);
        }
    }

    private void await(Semaphore ready) throws IOException {
        try {
            ready.acquire();
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            throw new ClosedByInterruptException();
        }
    }

    @Override
    public void shutdownOutput() throws IOException {
        sink.shutdownWrites();
        flush();
    }

    @Override
    public void abort() {
        try {
            connection.setOption(Options.CLOSE_ABORT, true); // makes the close send RST
            close();
        } catch (IOException e) {
            // it was closed before
        }
    }

    @Override
    public void close() throws IOException {
        connection.close();
        readable.release();
        writable.release();
    }

    @Override
    public boolean isOpen() {
        return connection.isOpen();
    }

    @Override
    public SocketAddress localAddress() {
        return connection.getLocalAddress();
    }

    @Override
    public SocketAddress remoteAddress() {
        return connection.getPeerAddress();
    }

    /** Not supported: relays need none. */
    @Override
    public Socket asSocket() throws IOException {
        throw new IOException("a connection of XNIO is not a socket");
    }
}
