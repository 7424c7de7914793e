package io.broxy.core.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.java_websocket.WebSocket;
import org.java_websocket.handshake.ClientHandshake;
import org.java_websocket.server.WebSocketServer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Specifies that WebSocket (RFC 6455) works from the JDK's client through the proxy to a third-party server. The
 * client asks a proxy for a tunnel, and so never sends an upgrade to it; a front in the test makes one of it.
 * Descriptors are not counted here: such a client keeps its selector until it is collected.
 */
class WebSocketTest {
    private static final int TEN_MEBIBYTES = 10 << 20;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private EchoServer server;

    /** How the client gets to the server. */
    enum Way {
        /** It asks the proxy for a tunnel. */
        CONNECT,
        /** What it sends to the server becomes a request to the proxy. */
        UPGRADE
    }

    /** Echoes messages, and closes on request. */
    private static final class EchoServer extends WebSocketServer {
        private final CountDownLatch started = new CountDownLatch(1);
        private final BlockingQueue<String> closed = new LinkedBlockingQueue<>();
        private final BlockingQueue<String> opened = new LinkedBlockingQueue<>();

        EchoServer() {
            super(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
            setDaemon(true);
            setConnectionLostTimeout(0);
        }

        @Override
        public void onStart() {
            started.countDown();
        }

        @Override
        public void onOpen(WebSocket socket, ClientHandshake handshake) {
            opened.add(handshake.getResourceDescriptor() + " " + handshake.getFieldValue("Via"));
            socket.send("welcome");
        }

        @Override
        public void onMessage(WebSocket socket, String message) {
            if (message.equals("close")) {
                socket.close(4_001, "as you like");
            } else {
                socket.send(message);
            }
        }

        @Override
        public void onMessage(WebSocket socket, ByteBuffer message) {
            socket.send(message);
        }

        @Override
        public void onClose(WebSocket socket, int code, String reason, boolean remote) {
            closed.add(code + " " + reason + " " + remote);
        }

        @Override
        public void onError(WebSocket socket, Exception failure) {
            closed.add(String.valueOf(failure));
        }
    }

    /** Collects what comes. */
    private static final class Client implements java.net.http.WebSocket.Listener {
        private final BlockingQueue<Object> received = new LinkedBlockingQueue<>();
        private final StringBuilder text = new StringBuilder();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public @Nullable CompletionStage<?> onText(java.net.http.WebSocket socket, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                received.add(text.toString());
                text.setLength(0);
            }
            socket.request(1);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onBinary(java.net.http.WebSocket socket, ByteBuffer data, boolean last) {
            byte[] part = new byte[data.remaining()];
            data.get(part);
            bytes.writeBytes(part);
            if (last) {
                received.add(bytes.toByteArray());
                bytes.reset();
            }
            socket.request(1);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onPong(java.net.http.WebSocket socket, ByteBuffer message) {
            received.add("pong " + US_ASCII.decode(message));
            socket.request(1);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onClose(java.net.http.WebSocket socket, int code, String reason) {
            received.add("close " + code + " " + reason);
            return null;
        }

        @Override
        public void onError(java.net.http.WebSocket socket, Throwable failure) {
            received.add(failure);
        }
    }

    @BeforeEach
    void startServer() throws InterruptedException {
        server = new EchoServer();
        server.start();
        assertThat(server.started.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                .isTrue();
    }

    @AfterEach
    void stopServer() throws InterruptedException {
        server.stop(Peer.PATIENCE_MILLIS);
        threads.shutdownNow();
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        return Objects.requireNonNull(queue.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS), "nothing came");
    }

    private java.net.http.WebSocket open(int port, ProxySelector proxies, Client client) throws Exception {
        return HttpClient.newBuilder()
                .proxy(proxies)
                .executor(threads)
                .build()
                .newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + port + "/chat?a=b"), client)
                .get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Makes of a request to a server one to a proxy, and is a wire after that. */
    private Origin front(Proxy proxy) throws Exception {
        return Origin.start(peer -> {
            String head = peer.readHead();
            try (Peer client = proxy.client()) {
                client.send(head.replaceFirst(" /", " http://127.0.0.1:" + server.getPort() + "/"));
                CompletableFuture<?> down = Background.run(() -> pump(client, peer));
                pump(peer, client);
                down.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException broken ? broken : e; // which ends the connection
            }
        });
    }

    private static void pump(Peer from, Peer to) throws IOException {
        from.socket().getInputStream().transferTo(to.socket().getOutputStream());
        to.shutdownOutput();
    }

    /** What is said over a socket that is open. */
    @FunctionalInterface
    private interface Talk {
        void say(java.net.http.WebSocket socket, Client client) throws Exception;
    }

    private void talk(Way way, Talk talk) throws Exception {
        Client client = new Client();
        try (Proxy proxy = Proxy.start(settings -> settings.viaPseudonym("here"));
                Origin front = front(proxy)) {
            java.net.http.WebSocket socket = switch (way) {
                case CONNECT -> open(server.getPort(), ProxySelector.of(proxy.address()), client);
                case UPGRADE -> open(front.port(), HttpClient.Builder.NO_PROXY, client);
            };
            assertThat(next(server.opened)).isEqualTo("/chat?a=b " + (way == Way.UPGRADE ? "1.1 here" : ""));
            assertThat(next(client.received)).isEqualTo("welcome");
            assertThat(proxy.handler().stats().establishedTunnels()).isEqualTo(1);
            talk.say(socket, client);
        }
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    @ParameterizedTest
    @EnumSource
    void textAndBinaryAndPingsGoBothWaysAndTheClientCloses(Way way) throws Exception {
        talk(way, (socket, client) -> {
            get(socket.sendText("good day, Ω", true));
            assertThat(next(client.received)).isEqualTo("good day, Ω");

            byte[] bytes = Payload.bytes(70_000, 1);
            get(socket.sendBinary(ByteBuffer.wrap(bytes), true));
            assertThat(next(client.received)).isEqualTo(bytes);

            get(socket.sendPing(ByteBuffer.wrap("ping".getBytes(US_ASCII))));
            assertThat(next(client.received)).isEqualTo("pong ping");

            get(socket.sendClose(4_000, "enough"));
            assertThat(next(client.received)).isEqualTo("close 4000 enough");
            assertThat(next(server.closed)).isEqualTo("4000 enough true");
        });
    }

    @ParameterizedTest
    @EnumSource
    void theServerCloses(Way way) throws Exception {
        talk(way, (socket, client) -> {
            get(socket.sendText("close", true));

            assertThat(next(client.received)).isEqualTo("close 4001 as you like");
            assertThat(next(server.closed)).startsWith("4001 as you like");
        });
    }

    @ParameterizedTest
    @EnumSource
    void tenMebibytesGoBothWaysByteForByte(Way way) throws Exception {
        byte[] bytes = Payload.bytes(TEN_MEBIBYTES, 2);
        talk(way, (socket, client) -> {
            CompletableFuture<?> sending = socket.sendBinary(ByteBuffer.wrap(bytes), true);

            byte[] echoed = (byte[]) next(client.received);
            assertThat(Payload.read(new ByteArrayInputStream(echoed)))
                    .isEqualTo(Payload.read(new ByteArrayInputStream(bytes)));
            get(sending);
            get(socket.sendClose(java.net.http.WebSocket.NORMAL_CLOSURE, ""));
            assertThat(next(client.received)).isEqualTo("close 1000 ");
        });
    }
}
