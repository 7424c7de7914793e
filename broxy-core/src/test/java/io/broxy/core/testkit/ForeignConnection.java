package io.broxy.core.testkit;

import io.broxy.Connection;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A connection that an engine knows nothing of but the interface. Threading: as {@link Connection} says. */
public class ForeignConnection implements Connection {
    private final Connection inner;
    private final Set<String> callers = ConcurrentHashMap.newKeySet();

    /** Passes everything on that is not overridden. */
    protected ForeignConnection(Connection inner) {
        this.inner = inner;
    }

    /** Passes everything on. */
    public static ForeignConnection over(Connection inner) {
        return new ForeignConnection(inner);
    }

    /** The names of the threads that have used it. */
    public Set<String> callers() {
        return callers;
    }

    private Connection called() {
        callers.add(Thread.currentThread().getName());
        return inner;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return called().read(into);
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return called().write(from);
    }

    @Override
    public SocketAddress localAddress() {
        return called().localAddress();
    }

    @Override
    public SocketAddress remoteAddress() {
        return called().remoteAddress();
    }

    @Override
    public void shutdownOutput() throws IOException {
        called().shutdownOutput();
    }

    @Override
    public void abort() {
        called().abort();
    }

    @Override
    public Socket asSocket() throws IOException {
        return called().asSocket();
    }

    @Override
    public boolean isOpen() {
        return inner.isOpen();
    }

    @Override
    public void close() throws IOException {
        called().close();
    }
}
