package io.broxy.core;

import io.broxy.ClientHandler;
import io.broxy.core.internal.loop.Acceptor;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.socket.IpSockets;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/**
 * Accepts clients on an event loop and passes each one to a {@link ClientHandler}; a {@link io.broxy.ProxyHandler}
 * spreads them over all loops. If no connection can be accepted, for example because the process has run out of
 * descriptors, the server pauses and resumes by itself; clients wait in the system's queue meanwhile.
 *
 * <p>Threading: thread-safe.
 */
public final class ProxyServer implements AutoCloseable {
    /** The most connections waiting to be accepted; the system may allow fewer. */
    private static final int BACKLOG = 1_024;

    private final SocketAddress localAddress;
    private final EventLoop loop;
    private final Acceptor acceptor;
    /** Allows handlers to dial its address again. */
    private final Runnable forgotten;

    private final CountDownLatch closed = new CountDownLatch(1);

    private ProxyServer(
            ServerSocketChannel channel,
            ClientHandler handler,
            EventLoop loop,
            OwnAddresses ownAddresses,
            Consumer<ProxyServer> onClose)
            throws IOException {
        this.localAddress = channel.getLocalAddress();
        this.loop = loop;
        this.forgotten = noteOwnAddress(handler, ownAddresses);
        this.acceptor = new Acceptor(loop, channel, handler::serve, () -> {
            forgotten.run();
            onClose.accept(this);
            closed.countDown();
        });
    }

    /**
     * Keeps the handlers of the listening engine, and the one being served, from dialing this address; returns the
     * undo.
     */
    private Runnable noteOwnAddress(ClientHandler handler, OwnAddresses ownAddresses) {
        if (!(localAddress instanceof InetSocketAddress address)) {
            return () -> {};
        }
        OwnAddresses.Listening own = ownAddresses.add(address);
        if (!(handler instanceof OwnAddresses.Holder served) || served.ownAddresses() == ownAddresses) {
            return own::close;
        }
        OwnAddresses.Listening ofHandler = served.ownAddresses().add(address);
        return () -> {
            own.close();
            ofHandler.close();
        };
    }

    static ProxyServer start(
            SocketAddress address,
            ClientHandler handler,
            EventLoop loop,
            OwnAddresses ownAddresses,
            Consumer<ProxyServer> onClose)
            throws IOException {
        Objects.requireNonNull(handler, "handler");
        if (address instanceof InetSocketAddress internet && internet.isUnresolved()) {
            throw new UnknownHostException("cannot listen on " + internet.getHostString() + ": unknown host");
        }
        ServerSocketChannel channel = IpSockets.serverFor(address);
        try {
            channel.bind(address, BACKLOG);
            channel.configureBlocking(false);
            return new ProxyServer(channel, handler, loop, ownAddresses, onClose).begin();
        } catch (IOException e) {
            channel.close();
            throw new IOException("cannot listen on " + text(address) + ": " + e.getMessage(), e);
        } catch (RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private ProxyServer begin() {
        try {
            loop.execute(acceptor::start);
            return this;
        } catch (RejectedExecutionException e) {
            forgotten.run();
            throw e;
        }
    }

    /** The address as people write it; {@link InetSocketAddress} puts a slash before it. */
    private static String text(SocketAddress address) {
        if (!(address instanceof InetSocketAddress internet)) {
            return address.toString();
        }
        String host = internet.getHostString();
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + internet.getPort();
    }

    /** The address that the server listens on, with the actual port if port 0 was given. */
    public SocketAddress localAddress() {
        return localAddress;
    }

    /** Waits until the server is closed. */
    public void join() throws InterruptedException {
        closed.await();
    }

    /**
     * Stops accepting and frees the port, which is done when this returns unless it is called on an event loop. Clients
     * that were accepted stay with their handler. Repeated calls have no effect.
     */
    @Override
    public void close() {
        boolean closing = loop.tryExecute(acceptor::close); // the end of a loop has closed its acceptors
        try {
            if (closing && EventLoop.current() == null) {
                join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
