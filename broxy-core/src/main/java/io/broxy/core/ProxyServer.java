package io.broxy.core;

import io.broxy.ClientHandler;
import io.broxy.EngineStats;
import io.broxy.core.internal.loop.Acceptor;
import io.broxy.core.internal.loop.ChannelAcceptor;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.NativeTransport;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.socket.IpSockets;
import io.broxy.core.internal.socket.UnixSocketFile;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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

    private final EngineStats.Transport transport;
    private final SocketAddress localAddress;
    private final EventLoop loop;
    private final Acceptor<?> acceptor;
    /** The file of a Unix domain socket; null for a port. */
    private final @Nullable UnixSocketFile file;
    /** Allows handlers to dial its address again. */
    private final Runnable forgotten;

    private final CountDownLatch closed = new CountDownLatch(1);

    private ProxyServer(
            EngineStats.Transport transport,
            SocketAddress localAddress,
            @Nullable UnixSocketFile file,
            ClientHandler handler,
            EventLoop loop,
            OwnAddresses ownAddresses,
            Consumer<ProxyServer> onClose,
            Function<Runnable, Acceptor<?>> source) {
        this.transport = transport;
        this.localAddress = localAddress;
        this.file = file;
        this.loop = loop;
        this.forgotten = noteOwnAddress(handler, ownAddresses);
        this.acceptor = source.apply(() -> {
            unlink();
            forgotten.run();
            onClose.accept(this);
            closed.countDown();
        });
    }

    private static ProxyServer at(
            ServerSocketChannel channel,
            @Nullable UnixSocketFile file,
            ChannelAcceptor.AtClose atClose,
            ClientHandler handler,
            EventLoop loop,
            OwnAddresses ownAddresses,
            Consumer<ProxyServer> onClose)
            throws IOException {
        return new ProxyServer(
                EngineStats.Transport.NIO,
                channel.getLocalAddress(),
                file,
                handler,
                loop,
                ownAddresses,
                onClose,
                whenClosed -> new ChannelAcceptor(loop, channel, handler::serve, atClose, whenClosed));
    }

    /**
     * Starts a server at a socket of a transport.
     *
     * @return null if the address cannot be bound; NIO says why
     */
    static @Nullable ProxyServer start(
            InetSocketAddress address,
            ClientHandler handler,
            NativeTransport transport,
            NativeTransport.Intake intake,
            EventLoop loop,
            OwnAddresses ownAddresses,
            Consumer<ProxyServer> onClose) {
        NativeTransport.Bound bound;
        try {
            bound = transport.bind(address, BACKLOG);
        } catch (IOException e) {
            return null;
        }
        try {
            return new ProxyServer(
                            EngineStats.Transport.EPOLL,
                            bound.localAddress(),
                            null,
                            handler,
                            loop,
                            ownAddresses,
                            onClose,
                            whenClosed -> bound.onLoop(loop, intake::serve, whenClosed))
                    .begin();
        } catch (RejectedExecutionException e) {
            bound.close();
            throw e;
        }
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
            @Nullable Set<PosixFilePermission> permissions,
            ClientHandler handler,
            EventLoop loop,
            OwnAddresses ownAddresses,
            Consumer<ProxyServer> onClose)
            throws IOException {
        Objects.requireNonNull(handler, "handler");
        if (address instanceof InetSocketAddress internet && internet.isUnresolved()) {
            throw new UnknownHostException("cannot listen on " + internet.getHostString() + ": unknown host");
        }
        ServerSocketChannel channel = open(address);
        try {
            channel.configureBlocking(false);
            UnixSocketFile file = null;
            if (address instanceof UnixDomainSocketAddress unix) {
                file = UnixSocketFile.bind(channel, unix, BACKLOG, permissions);
            } else {
                channel.bind(address, BACKLOG);
            }
            return at(channel, file, ChannelAcceptor.AtClose.CLOSE, handler, loop, ownAddresses, onClose)
                    .begin();
        } catch (IOException e) {
            channel.close();
            throw new IOException("cannot listen on " + text(address) + ": " + e.getMessage(), e);
        } catch (RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** Accepts at a bound channel, which stays the caller's if this fails. */
    static ProxyServer takeOver(
            ServerSocketChannel channel,
            ClientHandler handler,
            EventLoop loop,
            OwnAddresses ownAddresses,
            Consumer<ProxyServer> onClose)
            throws IOException {
        Objects.requireNonNull(handler, "handler");
        if (channel.getLocalAddress() == null) {
            throw new IllegalStateException("the channel is not bound");
        }
        if (channel.isRegistered()) {
            throw new IllegalStateException("the channel is registered with a selector");
        }
        if (channel.provider() != SelectorProvider.provider()) {
            throw new IllegalArgumentException("the channel is not of the default selector provider");
        }
        channel.configureBlocking(false);
        ChannelAcceptor.AtClose atClose = channel == System.inheritedChannel()
                ? ChannelAcceptor.AtClose.LEAVE_OPEN
                : ChannelAcceptor.AtClose.CLOSE;
        return at(channel, null, atClose, handler, loop, ownAddresses, onClose).begin();
    }

    private static ServerSocketChannel open(SocketAddress address) throws IOException {
        if (address instanceof UnixDomainSocketAddress) {
            return ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        }
        return address instanceof InetSocketAddress internet
                ? IpSockets.serverFor(internet)
                : ServerSocketChannel.open(); // refuses the address
    }

    private ProxyServer begin() {
        try {
            loop.execute(acceptor::start);
            return this;
        } catch (RejectedExecutionException e) {
            unlink();
            forgotten.run();
            throw e;
        }
    }

    private void stop() {
        unlink();
        acceptor.close();
    }

    private void unlink() {
        if (file != null) {
            file.delete();
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

    /** The sockets that its clients get. */
    public EngineStats.Transport transport() {
        return transport;
    }

    /** Waits until the server is closed. */
    public void join() throws InterruptedException {
        closed.await();
    }

    /**
     * Stops accepting and frees the port, or removes the file of a Unix domain socket, which is done when this returns unless it is called on an event loop. Clients
     * that were accepted stay with their handler, and those in the queue are accepted first. Repeated calls have no effect.
     *
     * <p>A channel that was {@linkplain Broxy#listen(ServerSocketChannel, ClientHandler) passed in} is closed likewise, while
     * the file of its Unix domain socket stays. Only the JVM's {@link System#inheritedChannel()} stays open, and the
     * clients in its queue wait for the process that inherits it next: the JDK would connect standard output and standard
     * error to {@code /dev/null} if it was closed.
     */
    @Override
    public void close() {
        boolean closing = loop.tryExecute(this::stop); // the end of a loop has closed its acceptors
        try {
            if (closing && EventLoop.current() == null) {
                join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
