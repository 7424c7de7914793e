package io.broxy.core.internal.proxy;

import io.broxy.Connection;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * Takes the place of a client's connection that the host server keeps until it has written the response: it has the address
 * and the early bytes of the client, is never ready, and its answer goes to the host server.
 *
 * <p>Threading: owned by its event loop.
 */
final class HostClient implements LoopConnection {
    private final EventLoop loop;
    private final SocketAddress address;
    private final PendingResponse response;
    private final Leftover early = new Leftover();
    private int interest;
    private boolean open = true;

    HostClient(EventLoop loop, SocketAddress address, PendingResponse response) {
        this.loop = loop;
        this.address = address;
        this.response = response;
    }

    /** The response that the host server waits for. */
    PendingResponse response() {
        return response;
    }

    /** Takes the bytes that came with the request. */
    ByteBuffer takeEarlyBytes() {
        return early.takeAll();
    }

    @Override
    public EventLoop loop() {
        return loop;
    }

    @Override
    public void handler(ChannelEvents handler) {
        // It is never ready.
    }

    @Override
    public void interest(int ops) {
        interest = ops;
    }

    @Override
    public int interest() {
        return interest;
    }

    @Override
    public int read(ByteBuffer into) {
        return early.read(into);
    }

    @Override
    public void unread(ByteBuffer bytes) {
        early.unread(bytes);
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        throw new IOException("the host server writes to its client");
    }

    @Override
    public void shutdownOutput() throws IOException {
        throw new IOException("the host server writes to its client");
    }

    /** The host server gets a response if it has none. */
    @Override
    public void close() {
        open = false;
        response.close();
    }

    @Override
    public void abort() {
        close();
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public SocketAddress remoteAddress() {
        return address;
    }

    @Override
    public void release(Consumer<Connection> ready, Consumer<IOException> failed) {
        close();
        failed.accept(new IOException("the host server has the connection"));
    }
}
