package io.broxy.core.frontend;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessRequest;
import io.broxy.Authenticator;
import io.broxy.ProxyHandler;
import io.broxy.ProxyListener;
import io.broxy.core.Broxy;
import io.broxy.core.PortForward;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.WebServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies servers that listen on a Unix domain socket: its file, and clients without an address. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class UnixDomainSocketTest {
    private final Path folder;
    private final UnixDomainSocketAddress address;

    UnixDomainSocketTest(@TempDir Path folder) {
        this.folder = folder;
        this.address = UnixDomainSocketAddress.of(folder.resolve("proxy.sock"));
    }

    private Path file() {
        return address.getPath();
    }

    private static String talk(UnixDomainSocketAddress address, String text) throws IOException {
        try (SocketChannel client = SocketChannel.open(address)) {
            client.write(ByteBuffer.wrap(text.getBytes(ISO_8859_1)));
            client.shutdownOutput();
            return readAll(client);
        }
    }

    private static String readAll(SocketChannel client) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        ByteBuffer some = ByteBuffer.allocate(1_024);
        while (client.read(some) >= 0) {
            all.write(some.array(), 0, some.position());
            some.clear();
        }
        return all.toString(ISO_8859_1);
    }

    /** Leaves a socket's file behind, like a killed process. */
    private static void leaveBehind(UnixDomainSocketAddress address) throws IOException {
        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address).close();
        assertThat(address.getPath()).exists();
    }

    // ------------------------------------------------------------------ clients

    @Test
    void tunnelsAndForwardedRequestsAreServed() throws Exception {
        try (Origin origin = Origin.echo();
                WebServer web = WebServer.start();
                Proxy proxy = Proxy.start();
                ProxyServer server = proxy.broxy().listen(address, proxy.handler())) {
            assertThat(server.localAddress()).isEqualTo(address);
            assertThat(talk(address, Proxy.connectHead(origin.target()) + "over a path"))
                    .isEqualTo("HTTP/1.1 200 OK\r\n\r\nover a path");
            assertThat(talk(
                            address,
                            "GET " + web.url("/bytes/5/1") + " HTTP/1.1\r\nHost: localhost\r\n"
                                    + "Connection: close\r\n\r\n"))
                    .startsWith("HTTP/1.1 200 ");
            assertThat(talk(address, "nonsense\r\n\r\n")).startsWith("HTTP/1.1 400 ");
        }
    }

    @Test
    void theClientHasNoAddressAnywhere() throws Exception {
        List<AccessRequest> asked = new CopyOnWriteArrayList<>();
        AtomicReference<ProxyListener.Client> opened = new AtomicReference<>();
        Authenticator authenticator = Authenticator.basic("here", (user, password) -> user.equals("alice"));
        ProxyListener listener = new ProxyListener() {
            @Override
            public void connectionOpened(Client client) {
                opened.set(client);
            }
        };
        try (CapturedLog log = CapturedLog.startWithAccess();
                Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.listener(listener)
                        .authenticator(authenticator)
                        .maxConnectionsPerClient(1)
                        .rateLimitPerClient(1 << 20)
                        .accessPolicy(request -> {
                            asked.add(request);
                            return true;
                        }));
                ProxyServer server = proxy.broxy().listen(address, proxy.handler());
                SocketChannel uncounted = SocketChannel.open(address)) {
            String head = Proxy.connectHead(origin.target());
            for (int wrong = 0; wrong < 3; wrong++) {
                assertThat(talk(address, head.replace("\r\n\r\n", "\r\nProxy-Authorization: Basic Ym9iOng=\r\n\r\n")))
                        .startsWith("HTTP/1.1 407 ");
            }
            assertThat(talk(
                            address,
                            head.replace("\r\n\r\n", "\r\nProxy-Authorization: Basic YWxpY2U6eA==\r\n\r\n") + "hello"))
                    .endsWith("\r\n\r\nhello");

            assertThat(asked)
                    .singleElement()
                    .satisfies(request -> assertThat(request.client()).isNull());
            await().untilAsserted(() -> {
                assertThat(opened)
                        .hasValueSatisfying(
                                client -> assertThat(client.address()).isNull());
                assertThat(log.lines("kind=tunnel client=- user=alice protocol=http method=CONNECT"))
                        .hasSize(1);
            });
            assertThat(uncounted.isConnected()).isTrue();
        }
    }

    @Test
    void aClientThatIsBoundToAPathHasNoAddressEither() throws Exception {
        AtomicReference<AccessRequest> asked = new AtomicReference<>();
        try (Proxy proxy = Proxy.start(settings -> settings.accessPolicy(request -> {
                    asked.set(request);
                    return false;
                }));
                ProxyServer server = proxy.broxy().listen(address, proxy.handler());
                SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            client.bind(UnixDomainSocketAddress.of(folder.resolve("client.sock")));
            client.connect(address);
            client.write(ByteBuffer.wrap(
                    "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n".getBytes(ISO_8859_1)));

            assertThat(readAll(client)).startsWith("HTTP/1.1 403 ");
            assertThat(asked)
                    .hasValueSatisfying(request -> assertThat(request.client()).isNull());
        }
    }

    @Test
    void aPortForwardMayListenThereToo() throws Exception {
        try (Origin origin = Origin.echo();
                Broxy broxy = Broxy.create();
                PortForward forward = broxy.forward(
                        address, origin.target(), broxy.directDialer().build())) {
            assertThat(forward.localAddress()).isEqualTo(address);
            assertThat(talk(address, "to one target")).isEqualTo("to one target");
            forward.close();
            assertThat(file()).doesNotExist();
        }
    }

    // ------------------------------------------------------------------ the file

    @Test
    void theFileIsRemovedOnCloseAndTunnelsStay() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                ProxyServer server = proxy.broxy().listen(address, proxy.handler());
                SocketChannel client = SocketChannel.open(address)) {
            client.write(ByteBuffer.wrap(Proxy.connectHead(origin.target()).getBytes(ISO_8859_1)));
            await().until(() -> proxy.handler().stats().establishedTunnels() == 1);
            server.close();

            assertThat(file()).doesNotExist();
            client.write(ByteBuffer.wrap("still served".getBytes(ISO_8859_1)));
            client.shutdownOutput();
            assertThat(readAll(client)).endsWith("\r\n\r\nstill served");
            server.close();
            proxy.broxy().listen(address, proxy.handler()).close();
        }
    }

    @Test
    void closingTheEngineRemovesTheFile() throws Exception {
        try (Proxy proxy = Proxy.start();
                ProxyServer server = proxy.broxy().listen(address, proxy.handler())) {
            proxy.broxy().close();
            server.join();
            assertThat(file()).doesNotExist();
        }
    }

    @Test
    void aFileThatNoServerListensAtIsReplaced() throws Exception {
        leaveBehind(address);
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                ProxyServer server = proxy.broxy().listen(address, proxy.handler())) {
            assertThat(talk(address, Proxy.connectHead(origin.target()) + "anew"))
                    .endsWith("\r\n\r\nanew");
        }
        assertThat(file()).doesNotExist();
    }

    @Test
    void aSocketThatAServerListensAtIsInUse() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                ProxyServer server = proxy.broxy().listen(address, proxy.handler())) {
            assertThatThrownBy(() -> proxy.broxy().listen(address, proxy.handler()))
                    .isInstanceOf(IOException.class)
                    .hasMessage("cannot listen on " + file() + ": Address already in use");
            assertThat(talk(address, Proxy.connectHead(origin.target()) + "the first"))
                    .endsWith("\r\n\r\nthe first");
        }
    }

    @Test
    void aServerWhoseQueueIsFullIsAliveToo() throws Exception {
        try (ServerSocketChannel busy =
                        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address, 1);
                SocketChannel first = SocketChannel.open(address);
                SocketChannel second = SocketChannel.open(address);
                Proxy proxy = Proxy.start()) {
            assertThatThrownBy(() -> proxy.broxy().listen(address, proxy.handler()))
                    .hasMessageEndingWith(": Address already in use");
            assertThat(file()).exists();
            assertThat(first.isConnected() && second.isConnected()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "folder", "link"})
    void otherFilesAreNeverDeleted(String kind) throws Exception {
        Path kept = folder.resolve("kept");
        Files.writeString(kept, "content");
        switch (kind) {
            case "file" -> Files.copy(kept, file());
            case "folder" -> Files.createDirectory(file());
            default -> Files.createSymbolicLink(file(), kept);
        }
        try (Proxy proxy = Proxy.start()) {
            assertThatThrownBy(() -> proxy.broxy().listen(address, proxy.handler()))
                    .isInstanceOf(IOException.class)
                    .hasMessage("cannot listen on " + file() + ": the file exists and is no socket");
        }
        assertThat(Files.exists(file(), LinkOption.NOFOLLOW_LINKS)).isTrue();
        assertThat(kept).hasContent("content");
    }

    @Test
    void aFileThatHasReplacedTheServersOwnStays() throws Exception {
        try (Proxy proxy = Proxy.start();
                ProxyServer server = proxy.broxy().listen(address, proxy.handler())) {
            Files.delete(file());
            Files.writeString(file(), "another's");
            server.close();
            assertThat(file()).hasContent("another's");
        }
    }

    @Test
    void aFileThatIsGoneDoesNotDisturbTheClose() throws Exception {
        try (CapturedLog log = CapturedLog.start();
                Proxy proxy = Proxy.start();
                ProxyServer server = proxy.broxy().listen(address, proxy.handler())) {
            Files.delete(file());
            server.close();
            server.join();
            assertThat(log.lines("WARN")).isEmpty();
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void theFileHasTheGivenPermissions() throws Exception {
        for (String permissions : List.of("rw-rw----", "rw-------", "rwxrwxrwx")) {
            try (Proxy proxy = Proxy.start();
                    ProxyServer server = proxy.broxy()
                            .listen(address, PosixFilePermissions.fromString(permissions), proxy.handler())) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                        .isEqualTo(permissions);
                assertThat(server.localAddress()).isEqualTo(address);
            }
        }
    }

    @Test
    void aPathThatIsTooLongIsNamed() throws Exception {
        UnixDomainSocketAddress deep = UnixDomainSocketAddress.of(folder.resolve("a".repeat(120)));
        try (Proxy proxy = Proxy.start()) {
            assertThatThrownBy(() -> proxy.broxy().listen(deep, proxy.handler()))
                    .isInstanceOf(IOException.class)
                    .hasMessage("cannot listen on " + deep.getPath() + ": Unix domain path too long");
        }
    }

    @Test
    void aFolderThatIsMissingIsNamed() throws Exception {
        UnixDomainSocketAddress nowhere = UnixDomainSocketAddress.of(folder.resolve("missing/proxy.sock"));
        try (Proxy proxy = Proxy.start()) {
            assertThatThrownBy(() -> proxy.broxy().listen(nowhere, proxy.handler()))
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("cannot listen on " + nowhere.getPath() + ": ");
        }
    }

    @Test
    void aClosedEngineLeavesNoFile() throws Exception {
        Broxy broxy = Broxy.create();
        ProxyHandler handler = broxy.proxyHandler().build();
        broxy.close();
        assertThatThrownBy(() -> broxy.listen(address, handler)).isInstanceOf(IllegalStateException.class);
        assertThat(file()).doesNotExist();
    }
}
