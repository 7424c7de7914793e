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
 * The measured proxies, with the names used in benchmarks, results and command lines.
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
    /** Vert.x 5: {@code toNetSocket} and two pipes, and its {@code HttpClient} for the rest. */
    VERTX("vertx", true),
    /** Blocking, with two platform threads and two new buffers per tunnel; the seed's "unpooled". */
    BLOCKING("blocking", false),
    /** The same with two virtual threads per tunnel. */
    VTHREAD("vthread", false);

    private final String label;
    private final boolean plainHttp;

    Peer(String label, boolean plainHttp) {
        this.label = label;
        this.plainHttp = plainHttp;
    }

    /**
     * The peer with a name.
     *
     * @throws IllegalArgumentException if there is no such peer
     */
    public static Peer named(String label) {
        return Arrays.stream(values())
                .filter(peer -> peer.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no peer " + label + ", only " + labels()));
    }

    /** The names of all peers. */
    public static List<String> labels() {
        return Arrays.stream(values()).map(Peer::label).toList();
    }

    /** The peer's name. */
    public String label() {
        return label;
    }

    /** Whether it forwards plain HTTP besides CONNECT. */
    public boolean forwardsPlainHttp() {
        return plainHttp;
    }

    /** The reason why the peer cannot run here; empty if it can. */
    public Optional<String> unavailable() {
        return switch (this) {
            case NETTY_EPOLL ->
                Epoll.isAvailable()
                        ? Optional.empty()
                        : Optional.of("Netty's epoll transport does not run on this system");
            case VTHREAD ->
                Threads.haveVirtual()
                        ? Optional.empty()
                        : Optional.of(
                                "Java " + Runtime.version().feature() + " has no virtual threads; they need Java 21");
            default -> Optional.empty();
        };
    }

    /**
     * Starts the peer on 127.0.0.1.
     *
     * @param port the port to listen on; 0 for a free one
     * @throws UnsupportedOperationException if it is {@link #unavailable}
     */
    public PeerProxy start(int port) throws Exception {
        return start(port, null);
    }

    /**
     * Starts the peer on 127.0.0.1.
     *
     * @param port the port to listen on; 0 for a free one
     * @param tls the server's TLS context; null for clients without TLS
     * @throws UnsupportedOperationException if it is {@link #unavailable}, or does not support TLS here
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
            case VERTX -> VertxProxy.start(withoutTls(port, tls));
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
