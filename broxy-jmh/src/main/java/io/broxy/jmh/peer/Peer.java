package io.broxy.jmh.peer;

import io.netty.channel.epoll.Epoll;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The proxies that are measured, by the names that benchmarks, results and command lines use.
 *
 * <p>Threading: immutable.
 */
public enum Peer {
    /** Broxy with its defaults. */
    BROXY("broxy", true),
    /** Netty 4.2, hand-written, on NIO. */
    NETTY_NIO("netty-nio", true),
    /** The same on Netty's epoll transport. */
    NETTY_EPOLL("netty-epoll", true),
    /** Jetty 12: its {@code ConnectHandler} around its {@code ProxyHandler.Forward}. */
    JETTY("jetty", true),
    /** LittleProxy 2.x. */
    LITTLEPROXY("littleproxy", true),
    /** Blocking, two platform threads and two new buffers a tunnel: what the seed calls unpooled. */
    BLOCKING("blocking", false),
    /** The same with two virtual threads a tunnel. */
    VTHREAD("vthread", false);

    private final String label;
    private final boolean plainHttp;

    Peer(String label, boolean plainHttp) {
        this.label = label;
        this.plainHttp = plainHttp;
    }

    /**
     * The peer of that name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Peer named(String label) {
        return Arrays.stream(values())
                .filter(peer -> peer.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no peer " + label + ", but " + labels()));
    }

    /** The names of all peers. */
    public static List<String> labels() {
        return Arrays.stream(values()).map(Peer::label).toList();
    }

    /** Its name. */
    public String label() {
        return label;
    }

    /** Whether it forwards plain HTTP besides CONNECT. */
    public boolean forwardsPlainHttp() {
        return plainHttp;
    }

    /** Why it cannot run here, if it cannot. */
    public Optional<String> unavailable() {
        return switch (this) {
            case NETTY_EPOLL ->
                Epoll.isAvailable()
                        ? Optional.empty()
                        : Optional.of("Netty's epoll transport does not run on this system");
            case VTHREAD ->
                Threads.haveVirtual()
                        ? Optional.empty()
                        : Optional.of("Java " + Runtime.version().feature() + " has no virtual threads, 21 has");
            default -> Optional.empty();
        };
    }

    /**
     * Starts it on 127.0.0.1.
     *
     * @param port where to listen; 0 takes a free one
     * @throws UnsupportedOperationException if it is {@link #unavailable}
     */
    public PeerProxy start(int port) throws Exception {
        return start(port, null);
    }

    /**
     * Starts it on 127.0.0.1.
     *
     * @param port where to listen; 0 takes a free one
     * @param tls what its clients speak TLS with; null for clients without TLS
     * @throws UnsupportedOperationException if it is {@link #unavailable}, or serves no clients with TLS here
     */
    public PeerProxy start(int port, @Nullable SSLContext tls) throws Exception {
        unavailable().ifPresent(reason -> {
            throw new UnsupportedOperationException(reason);
        });
        return switch (this) {
            case BROXY -> BroxyProxy.start(port, tls);
            case NETTY_NIO -> NettyProxy.start(NettyTransport.NIO, port, tls);
            case NETTY_EPOLL -> NettyProxy.start(NettyTransport.EPOLL, port, tls);
            case JETTY -> JettyProxy.start(withoutTls(port, tls));
            case LITTLEPROXY -> LittleProxy.start(withoutTls(port, tls));
            case BLOCKING -> blocking(Threads.platform(), port, tls);
            case VTHREAD -> blocking(Threads.virtual(), port, tls);
        };
    }

    private static PeerProxy blocking(ExecutorService threads, int port, @Nullable SSLContext tls) throws IOException {
        return tls == null ? BlockingProxy.start(threads, port) : BlockingTlsProxy.start(threads, port, tls);
    }

    private int withoutTls(int port, @Nullable SSLContext tls) {
        if (tls != null) {
            throw new UnsupportedOperationException(label + " is measured without TLS only");
        }
        return port;
    }
}
