package io.broxy.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.HostPort;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies where a mini-server may listen: at ports, at Unix domain sockets, and there for one target each. */
@ExtendWith(LeakCheck.class)
class ListenPointTest {
    private final Path folder;

    ListenPointTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private static String talk(Path path, String text) throws IOException {
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            client.write(ByteBuffer.wrap(text.getBytes(US_ASCII)));
            client.shutdownOutput();
            ByteBuffer answer = ByteBuffer.allocate(1_024);
            while (client.read(answer) >= 0) {}
            return new String(answer.array(), 0, answer.position(), US_ASCII);
        }
    }

    private static String permissions(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    @ParameterizedTest
    @CsvSource({
        "'unix:/run/broxy.sock', /run/broxy.sock,",
        "'unix:/run/broxy.sock,mode=0660', /run/broxy.sock, rw-rw----",
        "'unix:relative', relative,",
        "'unix:a,b,mode=777', 'a,b', rwxrwxrwx",
        "'unix:a,mode=1,mode=601', 'a,mode=1', rw------x",
        "'unix:a=b:1,mode=000', 'a=b:1', ---------",
    })
    void aPathAndItsModeAreRead(String text, Path path, String permissions) {
        ListenPath read = (ListenPath) ListenPoint.parse(text);

        assertThat(read.path()).isEqualTo(path);
        assertThat(read.permissions() == null ? null : PosixFilePermissions.toString(read.permissions()))
                .isEqualTo(permissions);
        assertThat(read).hasToString("unix:" + path);
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:5432=db:5432, 127.0.0.1:5432, db:5432",
        "[::1]:0=[::1]:22, [::1]:0, [::1]:22",
        "unix:/run/a=b.sock=db:5432, unix:/run/a=b.sock, db:5432",
    })
    void theTargetIsBehindTheLastSign(String text, String listen, HostPort target) {
        assertThat(Forward.parse(text)).isEqualTo(new Forward(ListenPoint.parse(listen), target));
    }

    @Test
    void aServerListensOnAPathUntilItCloses() throws Exception {
        Path path = folder.resolve("proxy.sock");
        try (Origin origin = Origin.echo()) {
            try (RunningServer server = RunningServer.start(
                    ServerOptions.parse("--listen=unix:" + path + ",mode=0600", "--allow-private"))) {
                assertThat(server.address()).isEqualTo("unix:" + path);
                assertThat(permissions(path)).isEqualTo("rw-------");
                assertThat(talk(path, Proxy.connectHead(origin.target()) + "by path"))
                        .isEqualTo("HTTP/1.1 200 OK\r\n\r\nby path");
                assertThatThrownBy(() -> RunningServer.start(ServerOptions.parse("--listen=unix:" + path)))
                        .isInstanceOf(IOException.class)
                        .hasMessage("cannot listen on " + path + ": Address already in use");
            }
            assertThat(path).doesNotExist();
        }
    }

    @Test
    void forwardsLeadToTheirTargetsWithoutAPassword() throws Exception {
        Path path = folder.resolve("echo.sock");
        Path users = Files.writeString(
                folder.resolve("users"), "u:$2y$05$abcdefghijklmnopqrstuuvOXLrbRnnZoGXQpUBCdJpwy7ZPeAtOu\n");
        try (Origin echo = Origin.echo();
                Origin greeting = Origin.greeting("hello\r\n");
                RunningServer server = RunningServer.start(ServerOptions.parse(
                        "--listen=127.0.0.1:0",
                        "--forward=127.0.0.1:0=" + greeting.target(),
                        "--forward=unix:" + path + "=" + echo.target(),
                        "--auth=" + users,
                        "--allow-private"))) {
            assertThat(server.forwards()).hasSize(2).last().isEqualTo("unix:" + path);
            HostPort port = HostPort.parse(server.forwards().get(0));
            try (Peer client = Peer.connect(port.port())) {
                assertThat(client.readLine()).isEqualTo("hello");
            }
            assertThat(talk(path, "there and back")).isEqualTo("there and back");
            try (Peer client =
                    Peer.connect(HostPort.parse(server.address()).port()).send(Proxy.connectHead(echo.target()))) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 407 ");
            }
        }
        assertThat(path).doesNotExist();
    }

    @Test
    void theRulesForClientsHoldForForwards() throws Exception {
        try (CapturedLog log = CapturedLog.start();
                Origin echo = Origin.echo();
                RunningServer server = RunningServer.start(
                        ServerOptions.parse("--listen=127.0.0.1:0", "--forward=127.0.0.1:0=" + echo.target()))) {
            assertThat(log.lines("RunningServer - --forward: clients will be reset, because"))
                    .singleElement()
                    .asString()
                    .contains(" WARN ", "127.0.0.1");
            try (Peer client =
                    Peer.connect(HostPort.parse(server.forwards().get(0)).port())) {
                client.expectReset();
            } catch (SocketException e) { // as early as in the connect
                assertThat(e).hasMessageContaining("reset");
            }
            assertThat(echo.accepted()).isZero();
        }
    }

    @Test
    void aDrainClosesTheForwardsAndLetsTheirTunnelsEnd() throws Exception {
        try (Origin echo = Origin.echo();
                RunningServer server = RunningServer.start(ServerOptions.parse(
                        "--listen=127.0.0.1:0", "--forward=127.0.0.1:0=" + echo.target(), "--allow-private"));
                Peer client = Peer.connect(
                                HostPort.parse(server.forwards().get(0)).port())
                        .send("open")) {
            client.readText(4);
            client.send("end").shutdownOutput();
            server.drain(Duration.ofMillis(Peer.PATIENCE_MILLIS));

            assertThat(client.readAll()).isEqualTo("end");
            assertThatThrownBy(() -> Peer.connect(
                            HostPort.parse(server.forwards().get(0)).port()))
                    .isInstanceOf(IOException.class);
        }
    }
}
