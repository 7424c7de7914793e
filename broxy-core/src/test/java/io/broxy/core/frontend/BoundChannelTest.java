package io.broxy.core.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies servers at a channel that was bound before: whose it is, what becomes of it, and that no handler dials it. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class BoundChannelTest {

    private static ServerSocketChannel bound(String host) throws IOException {
        return ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getByName(host), 0));
    }

    private static int port(ServerSocketChannel channel) throws IOException {
        return ((InetSocketAddress) channel.getLocalAddress()).getPort();
    }

    private static int status(int port, String request) throws IOException {
        try (Peer client = Peer.connect(port)) {
            return Http.read(client.send(request)).status();
        }
    }

    // ------------------------------------------------------------------ clients

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void clientsOfAChannelInEitherBlockingModeAreServed(boolean blocking) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                ServerSocketChannel channel = bound("127.0.0.1")) {
            channel.configureBlocking(blocking);
            try (Peer early = Peer.connect(port(channel)).send(Proxy.connectHead(origin.target()));
                    ProxyServer server = proxy.broxy().listen(channel, proxy.handler())) {
                assertThat(server.localAddress()).isEqualTo(channel.getLocalAddress());
                assertThat(early.readHead()).startsWith("HTTP/1.1 200 ");
                assertThat(status(port(channel), Proxy.connectHead(origin.target())))
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void closingTheServerClosesTheChannelButNotItsClients() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                ServerSocketChannel channel = bound("127.0.0.1")) {
            ProxyServer server = proxy.broxy().listen(channel, proxy.handler());
            try (Peer client = Peer.connect(port(channel)).send(Proxy.connectHead(origin.target()))) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                server.close();
                assertThat(channel.isOpen()).isFalse();
                assertThat(client.send("still here").readText(10)).isEqualTo("still here");
            }
        }
    }

    @Test
    void theFileOfAUnixDomainSocketStays(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("proxy.sock");
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                ServerSocketChannel channel =
                        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(file))) {
            ProxyServer server = proxy.broxy().listen(channel, proxy.handler());
            try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(file))) {
                client.write(ByteBuffer.wrap(Proxy.connectHead(origin.target()).getBytes(StandardCharsets.ISO_8859_1)));
                ByteBuffer answer = ByteBuffer.allocate(12);
                while (answer.hasRemaining() && client.read(answer) >= 0) {
                    // until the status has arrived
                }
                assertThat(new String(answer.array(), StandardCharsets.ISO_8859_1))
                        .isEqualTo("HTTP/1.1 200");
            }
            server.close();
            assertThat(channel.isOpen()).isFalse();
            assertThat(file).exists();
        }
    }

    // ------------------------------------------------------------------ its address

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "0.0.0.0", "::"})
    void noHandlerOfTheEngineDialsIt(String host) throws Exception {
        try (Proxy proxy = Proxy.start();
                ServerSocketChannel channel = bound(host);
                ProxyServer server = proxy.broxy().listen(channel, proxy.handler())) {
            int port = port(channel);
            for (String name : new String[] {"127.0.0.1", "localhost", "::ffff:127.0.0.1"}) {
                assertThat(status(port, Proxy.connectHead(HostPort.of(name, port))))
                        .as(name)
                        .isEqualTo(403);
            }
            assertThat(server.localAddress()).isEqualTo(channel.getLocalAddress());
        }
    }

    // ------------------------------------------------------------------ misuse

    @Test
    void anUnboundChannelIsRefusedAndStaysOpen() throws Exception {
        try (Proxy proxy = Proxy.start();
                ServerSocketChannel channel = ServerSocketChannel.open()) {
            assertThatThrownBy(() -> proxy.broxy().listen(channel, proxy.handler()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the channel is not bound");
            assertThat(channel.isOpen()).isTrue();
            assertThat(channel.isBlocking()).isTrue();
        }
    }

    @Test
    void aRegisteredChannelIsRefusedAndStaysRegistered() throws Exception {
        try (Proxy proxy = Proxy.start();
                Selector selector = Selector.open();
                ServerSocketChannel channel = bound("127.0.0.1")) {
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_ACCEPT);
            assertThatThrownBy(() -> proxy.broxy().listen(channel, proxy.handler()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the channel is registered with a selector");
            assertThat(key.isValid()).isTrue();
        }
    }

    @Test
    void aClosedChannelIsRefused() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            ServerSocketChannel channel = bound("127.0.0.1");
            channel.close();
            assertThatThrownBy(() -> proxy.broxy().listen(channel, proxy.handler()))
                    .isInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void aClosedEngineRefusesTheChannelAndLeavesItOpen() throws Exception {
        Broxy broxy = Broxy.create();
        broxy.close();
        try (ServerSocketChannel channel = bound("127.0.0.1")) {
            assertThatThrownBy(() -> broxy.listen(channel, client -> {})).isInstanceOf(IllegalStateException.class);
            assertThat(channel.isOpen()).isTrue();
        }
    }
}
