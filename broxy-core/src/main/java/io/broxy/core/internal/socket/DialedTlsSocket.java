package io.broxy.core.internal.socket;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.channels.SocketChannel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import javax.net.ssl.HandshakeCompletedEvent;
import javax.net.ssl.HandshakeCompletedListener;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A TLS socket over a socket that a dialer connects. The JDK lays TLS only over a socket that is connected, so the settings
 * of TLS are kept by a socket that never connects until then.
 *
 * <p>Threading: as a socket's; the lock guards the change from one socket of TLS to the other, and the listeners.
 */
final class DialedTlsSocket extends SplitTlsSocket {
    private final Socket below;
    private final TlsLayer layer;
    private final Object lock = new Object();
    /** The listeners, each with what listens to the socket of TLS in its place; under the lock. */
    private final Map<HandshakeCompletedListener, HandshakeCompletedListener> listeners = new LinkedHashMap<>();

    private @Nullable BiFunction<SSLSocket, List<String>, String> protocolSelector;
    private boolean closed;
    private volatile SSLSocket tls;

    /** TLS over a socket that is not connected yet. */
    DialedTlsSocket(Socket below, TlsLayer layer) throws IOException {
        this.below = below;
        this.layer = layer;
        this.tls = layer.unconnected();
    }

    @Override
    SSLSocket tls() {
        return tls;
    }

    @Override
    Socket below() {
        return below;
    }

    // ------------------------------------------------------------------ connecting and closing

    @Override
    public void connect(SocketAddress endpoint) throws IOException {
        connect(endpoint, 0);
    }

    /** The host that was asked for is the one that the handshake names and that the certificate must be valid for. */
    @Override
    public void connect(SocketAddress endpoint, int timeoutMillis) throws IOException {
        below.connect(endpoint, timeoutMillis);
        try {
            InetSocketAddress target = SocketDial.withScope((InetSocketAddress) endpoint);
            String host = SocketDial.request(target, true).target().host();
            adopt(layer.over(below, host, target.getPort(), true));
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private void adopt(SSLSocket connected) throws IOException {
        SSLSocket settings;
        synchronized (lock) {
            if (closed) {
                throw new SocketException("Socket closed");
            }
            settings = tls;
            connected.setUseClientMode(settings.getUseClientMode());
            connected.setEnableSessionCreation(settings.getEnableSessionCreation());
            connected.setSSLParameters(settings.getSSLParameters());
            if (protocolSelector != null) {
                connected.setHandshakeApplicationProtocolSelector(settings.getHandshakeApplicationProtocolSelector());
            }
            listeners.values().forEach(connected::addHandshakeCompletedListener);
            tls = connected;
        }
        settings.close();
    }

    /** Ends a connect, a handshake, a read or a write of another thread, as the JDK's own do. */
    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // it must not wait for the thread that it stops
    public void close() throws IOException {
        SSLSocket own;
        synchronized (lock) {
            closed = true;
            own = tls;
        }
        try (below) {
            own.close();
        }
    }

    @Override
    public @Nullable SocketChannel getChannel() {
        return null;
    }

    // ------------------------------------------------------------------ what sees the socket

    @Override
    public void addHandshakeCompletedListener(HandshakeCompletedListener listener) {
        if (listener == null) {
            throw new IllegalArgumentException("listener is null");
        }
        HandshakeCompletedListener forThis =
                event -> listener.handshakeCompleted(new HandshakeCompletedEvent(this, event.getSession()));
        synchronized (lock) {
            if (listeners.putIfAbsent(listener, forThis) == null) {
                tls.addHandshakeCompletedListener(forThis);
            }
        }
    }

    @Override
    public void removeHandshakeCompletedListener(HandshakeCompletedListener listener) {
        synchronized (lock) {
            HandshakeCompletedListener forThis = listeners.remove(listener);
            if (forThis == null) {
                throw new IllegalArgumentException("no such listener");
            }
            tls.removeHandshakeCompletedListener(forThis);
        }
    }

    @Override
    public void setHandshakeApplicationProtocolSelector(
            @Nullable BiFunction<SSLSocket, List<String>, String> selector) {
        synchronized (lock) {
            protocolSelector = selector;
            tls.setHandshakeApplicationProtocolSelector(
                    selector == null ? null : (own, protocols) -> selector.apply(this, protocols));
        }
    }

    @Override
    public @Nullable BiFunction<SSLSocket, List<String>, String> getHandshakeApplicationProtocolSelector() {
        synchronized (lock) {
            return protocolSelector;
        }
    }

    @Override
    public String toString() {
        return tls.toString();
    }
}
