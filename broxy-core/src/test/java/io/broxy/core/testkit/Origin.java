package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.HostPort;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A server on a free port of the loopback that plays a script with each connection, each on a thread of its own.
 *
 * <p>A script's {@link IOException} ends its connection, which a peer's reset may well do; any other failure of a script
 * fails the test when the origin is closed.
 */
public final class Origin implements AutoCloseable {

    /** What to do with a connection, which is closed afterwards. */
    @FunctionalInterface
    public interface Script {
        void play(Peer peer) throws Exception;
    }

    /** The end of a script comes at once, and is waited for in every test. */
    private static final Duration POLL = Duration.ofMillis(2);

    private final ServerSocket server;
    private final Script script;
    private final Thread acceptor;
    private final Set<Thread> players = ConcurrentHashMap.newKeySet();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private final AtomicInteger accepted = new AtomicInteger();

    private Origin(ServerSocket server, Script script) {
        this.server = server;
        this.script = script;
        this.acceptor = new Thread(this::accept, "origin-" + server.getLocalPort());
        acceptor.setDaemon(true);
        acceptor.start();
    }

    /** Starts a server. */
    public static Origin start(Script script) throws IOException {
        return start(InetAddress.getLoopbackAddress(), script);
    }

    /** Starts a server at an address of this machine. */
    public static Origin start(InetAddress address, Script script) throws IOException {
        return new Origin(new ServerSocket(0, 1_024, address), script);
    }

    /** Starts a server that speaks TLS. */
    public static Origin startTls(Certificates certificates, Script script) throws IOException {
        return new Origin(
                certificates
                        .server()
                        .getServerSocketFactory()
                        .createServerSocket(0, 1_024, InetAddress.getLoopbackAddress()),
                script);
    }

    /** Echoes bytes, and ends its stream after the client's. */
    public static Origin echo() throws IOException {
        return start(Origin::echo);
    }

    /** An {@link #echo()} at a known address. */
    public static Origin echo(InetSocketAddress address) throws IOException {
        ServerSocket server = new ServerSocket();
        try {
            server.setReuseAddress(true);
            server.bind(address);
        } catch (IOException e) {
            server.close();
            throw e;
        }
        return new Origin(server, Origin::echo);
    }

    private static void echo(Peer peer) throws IOException {
        peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
        peer.shutdownOutput();
    }

    /** Reads all and sends nothing. */
    public static Origin discard() throws IOException {
        return start(peer -> {
            peer.socket().getInputStream().transferTo(OutputStream.nullOutputStream());
        });
    }

    /** Sends a text at once, then reads to the end. */
    public static Origin greeting(String text) throws IOException {
        return start(peer -> {
            peer.send(text.getBytes(ISO_8859_1));
            peer.readAll();
        });
    }

    /** The target that leads to it. */
    public HostPort target() {
        return HostPort.of(address().getAddress().getHostAddress(), port());
    }

    /** The address it listens on. */
    public InetSocketAddress address() {
        return (InetSocketAddress) server.getLocalSocketAddress();
    }

    /** The port it listens on. */
    public int port() {
        return server.getLocalPort();
    }

    /** Takes no further connection; those that have come go on. */
    public void stopListening() throws IOException {
        server.close();
    }

    /** How many connections have come. */
    public int accepted() {
        return accepted.get();
    }

    /** How many of them are open still. */
    public int open() {
        return open.size();
    }

    private void accept() {
        while (!server.isClosed()) {
            Socket socket;
            try {
                socket = server.accept();
            } catch (IOException e) {
                continue; // closed, or out of descriptors in a test of just that
            }
            accepted.incrementAndGet();
            open.add(socket);
            Thread player = new Thread(() -> play(socket), "origin-" + server.getLocalPort() + "-player");
            player.setDaemon(true);
            players.add(player);
            player.start();
        }
    }

    private void play(Socket socket) {
        try (socket) {
            script.play(new Peer(socket));
        } catch (IOException e) {
            // ends this connection
        } catch (Throwable e) {
            failures.add(e);
        } finally {
            open.remove(socket);
            players.remove(Thread.currentThread());
        }
    }

    /** Ends everything, and fails if a script has failed. */
    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
        await().alias("the end of every script")
                .pollDelay(Duration.ZERO)
                .pollInterval(POLL)
                .atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                .until(() -> !acceptor.isAlive() && players.isEmpty());
        assertThat(failures).as("failures of scripts").isEmpty();
    }
}
