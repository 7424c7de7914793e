package io.broxy.core;

import io.broxy.ClientHandler;
import io.broxy.core.internal.loop.Acceptor;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.proxy.DefaultProxyHandler;
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
 * Accepts clients on an event loop and gives each to a {@link ClientHandler}, which spreads them over all loops. When no
 * connection can be accepted, as when the process has run out of descriptors, it pauses and resumes by itself; clients wait
 * in the system's queue meanwhile.
 *
 * <p>Threading: thread-safe.
 */
public final class ProxyServer implements AutoCloseable {
    /** How many connections may wait to be accepted; the system may allow fewer. */
    private static final int BACKLOG = 1_024;

    private final SocketAddress localAddress;
    private final EventLoop loop;
    private final Acceptor acceptor;
    /** Lets its address be dialed again. */
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

    /** Neither the handlers of the engine that listens nor the one that is served dial its address; gives what ends that. */
    private Runnable noteOwnAddress(ClientHandler handler, OwnAddresses ownAddresses) {
        if (!(localAddress instanceof InetSocketAddress address)) {
            return () -> {};
        }
        OwnAddresses.Listening own = ownAddresses.add(address);
        if (!(handler instanceof DefaultProxyHandler served) || served.ownAddresses() == ownAddresses) {
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

    /** An address as people write it, where {@link InetSocketAddress} puts a slash before it. */
    private static String text(SocketAddress address) {
        if (!(address instanceof InetSocketAddress internet)) {
            return address.toString();
        }
        String host = internet.getHostString();
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + internet.getPort();
    }

    /** Where it listens, with the port that was taken if port 0 was asked for. */
    public SocketAddress localAddress() {
        return localAddress;
    }

    /** Waits until the server is closed. */
    public void join() throws InterruptedException {
        closed.await();
    }

    /**
     * Stops accepting and frees the port, which is done when this returns unless it is called on an event loop. Clients
     * that were accepted stay with their handler. Repeated calls change nothing.
     */
    @Override
    public void close() {
        try {
            loop.execute(acceptor::close);
            if (EventLoop.current() == null) {
                join();
            }
        } catch (RejectedExecutionException e) {
            // The loop has stopped, and has closed the acceptor by that.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
