package io.broxy.core.internal.epoll;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.socket.SocketOptions;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** One loop of sockets of the engine's own for a test. To be opened behind {@link Sockets#assumePossible}. */
final class EpollRig implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    final BufferPool buffers = new BufferPool(1 << 20, 64 << 20);
    final EventLoops loops;
    final EventLoop loop;
    final EpollPoller poller;
    private final List<AutoCloseable> open = new ArrayList<>();

    EpollRig() throws IOException {
        loops = Sockets.EPOLL.startLoops(2, buffers, Ticker.SYSTEM);
        loop = loops.next();
        poller = (EpollPoller) loop.poller();
    }

    /** A connected pair: a socket on the loop, and the test's end. */
    record Pair(EpollSocket near, Peer far) {}

    /** A task of the loop. */
    interface Task {
        void run() throws Exception;
    }

    void run(Task task) throws Exception {
        call(loop, () -> {
            task.run();
            return 0;
        });
    }

    <T> T call(Callable<T> task) throws Exception {
        return call(loop, task);
    }

    static <T> T call(EventLoop loop, Callable<T> task) throws Exception {
        CompletableFuture<T> result = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                result.complete(task.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return result.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Waits for the end of a turn that begins from now on. */
    void turn() throws Exception {
        run(() -> {});
        run(() -> {});
    }

    static ConditionFactory await() {
        return Awaitility.await().atMost(PATIENCE).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(5));
    }

    Pair pair() throws Exception {
        return pair(SocketOptions.DEFAULT, 0);
    }

    /** A pair whose test's end has a receive buffer of about this size, 0 for the system's choice. */
    Pair pair(SocketOptions options, int receiveBuffer) throws Exception {
        try (ServerSocket server = new ServerSocket()) {
            if (receiveBuffer > 0) {
                server.setReceiveBufferSize(receiveBuffer);
            }
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            CompletableFuture<LoopConnection> near = new CompletableFuture<>();
            run(() -> poller.connect(
                    loop,
                    (InetSocketAddress) server.getLocalSocketAddress(),
                    options,
                    null,
                    near::complete,
                    near::completeExceptionally));
            Socket far = server.accept();
            open.add(far);
            return new Pair((EpollSocket) near.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS), new Peer(far));
        }
    }

    /** An option of a socket. */
    static int option(Libc libc, int fd, int level, int option) throws Exception {
        return option(libc, fd, level, option, 4);
    }

    /** The last four bytes of an option's value. */
    static int option(Libc libc, int fd, int level, int option, int bytes) throws Exception {
        Object getsockopt = new ForeignFunctions().address("getsockopt");
        libc.scratch.putInt(Libc.RESULTS, bytes);
        libc.checked(
                libc.call(getsockopt, fd, level, option, libc.scratchAddress, libc.scratchAddress + Libc.RESULTS, 0));
        return libc.scratch.getInt(bytes - 4);
    }

    /** The descriptors of this process whose kind begins so, as {@code pipe:} or {@code anon_inode:[eventpoll]}. */
    static List<String> descriptors(String kind) {
        List<String> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path descriptor : all) {
                String target = target(descriptor);
                if (target.startsWith(kind)) {
                    found.add(descriptor.getFileName() + " " + target);
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return found;
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // closed meanwhile
        }
    }

    @Override
    public void close() throws Exception {
        boolean ended = loops.stop(PATIENCE.toNanos());
        for (AutoCloseable each : open) {
            each.close();
        }
        assertThat(ended).as("the loops have ended").isTrue();
        assertThat(buffers.heldBytes()).as("held bytes in the end").isZero();
    }
}
