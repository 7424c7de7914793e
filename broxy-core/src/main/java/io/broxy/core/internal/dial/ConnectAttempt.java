package io.broxy.core.internal.dial;

import io.broxy.DialException.Reason;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Connector;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopSocket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A non-blocking connect on a loop.
 *
 * <p>Threading: owned by its event loop.
 */
final class ConnectAttempt implements ChannelEvents, Runnable {
    private static final Logger log = LoggerFactory.getLogger(ConnectAttempt.class);

    private final EventLoop loop;
    private final HostPort target;
    private final AddressRace.Contender<LoopConnection> contender;
    private final long startNanos;
    private @Nullable SocketChannel channel;
    private @Nullable SelectionKey key;

    ConnectAttempt(EventLoop loop, HostPort target, AddressRace.Contender<LoopConnection> contender) {
        this.loop = loop;
        this.target = target;
        this.contender = contender;
        this.startNanos = loop.nowNanos();
    }

    /** Starts connecting; the result cancels the attempt. */
    Runnable begin(NewSockets sockets, InetSocketAddress address) {
        if (loop.isStopping()) {
            contender.failed(Reason.CANCELLED, new IOException("the event loop is stopping"));
            return this;
        }
        if (loop.poller() instanceof Connector connector) {
            return begin(connector, sockets, address);
        }
        SocketChannel opened;
        try {
            opened = sockets.open(address.getAddress());
        } catch (IOException | RuntimeException e) {
            contender.failed(Reason.LOCAL, e);
            return this;
        }
        channel = opened;
        try {
            opened.configureBlocking(false);
            // The second check is for the loopback, where the handshake is complete when connect returns.
            if (!opened.connect(address) && !opened.finishConnect()) {
                key = loop.register(opened, SelectionKey.OP_CONNECT, this);
                return this;
            }
        } catch (IOException | RuntimeException e) {
            fail(e);
            return this;
        }
        passOn(new LoopSocket(loop, opened).dialed(target));
        return this;
    }

    /** As the other method, with a socket that is no channel. */
    private Runnable begin(Connector connector, NewSockets sockets, InetSocketAddress address) {
        try {
            return connector.connect(
                    loop,
                    address,
                    sockets.options(),
                    sockets.localAddress(),
                    contender::connected,
                    failure -> contender.failed(reason(failure), failure));
        } catch (IOException | RuntimeException e) {
            contender.failed(Reason.LOCAL, e);
            return this;
        }
    }

    private Reason reason(Exception failure) {
        return DialFailures.ofConnecting(failure, loop.nowNanos() - startNanos);
    }

    @Override
    public void ready(int readyOps) {
        SocketChannel connecting = channel;
        SelectionKey own = key;
        if (connecting == null || own == null) {
            return;
        }
        try {
            if (!connecting.finishConnect()) {
                return;
            }
        } catch (IOException e) {
            fail(e);
            return;
        }
        passOn(new LoopSocket(loop, connecting, own).dialed(target));
    }

    private void passOn(LoopConnection connection) {
        channel = null;
        key = null;
        contender.connected(connection);
    }

    private void fail(Exception failure) {
        close();
        contender.failed(reason(failure), failure);
    }

    /** Cancels the attempt. */
    @Override
    public void run() {
        close();
    }

    private void close() {
        SocketChannel own = channel;
        channel = null;
        if (key != null) {
            if (key.isValid()) {
                loop.close(key);
            }
        } else if (own != null) {
            try {
                own.close();
            } catch (IOException e) {
                log.debug("closing a socket failed", e);
            }
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        if (channel != null) {
            close();
            contender.failed(loop.isStopping() ? Reason.CANCELLED : Reason.LOCAL, cause);
        }
    }
}
