package io.broxy.examples.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.HostPort;
import io.broxy.core.testkit.BlackHole;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.connection.channel.direct.Session;
import net.schmizz.sshj.sftp.SFTPClient;
import net.schmizz.sshj.transport.verification.HostKeyVerifier;
import net.schmizz.sshj.transport.verification.OpenSSHKnownHosts;
import net.schmizz.sshj.transport.verification.PromiscuousVerifier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies sshj through a dialer, with OpenSSH's server. */
class SshjTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private static Path folder;

    private static SshServer server;

    @BeforeAll
    static void start(@TempDir Path temporary) throws Exception {
        folder = temporary;
        server = SshServer.start(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        Servers.stop(server);
    }

    /** The server's key is known under the name that only the proxy resolves. */
    private static HostKeyVerifier knownHosts() throws Exception {
        String name = "[" + CorporateNetwork.HOST + "]:" + server.port();
        Path file = Files.writeString(
                folder.resolve("known_hosts"), name + " " + Files.readString(server.hostKey()), UTF_8);
        return new OpenSSHKnownHosts(file.toFile());
    }

    @ParameterizedTest
    @EnumSource
    void runsACommand(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                SSHClient client = SshjRecipe.connect(
                        network.sockets(via), CorporateNetwork.HOST, server.port(), knownHosts(), TIMEOUT)) {
            client.authPublickey(SshServer.user(), server.key().toString());
            try (Session session = client.startSession()) {
                String output =
                        new String(session.exec("echo hello").getInputStream().readAllBytes(), UTF_8);
                assertThat(output).isEqualTo("hello\n");
            }
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, server.port()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void copiesAFile(CorporateNetwork.Via via) throws Exception {
        Path source = Files.write(folder.resolve("source"), new byte[1 << 20]);
        Path copy = folder.resolve("copy-" + via);
        try (CorporateNetwork network = CorporateNetwork.open();
                SSHClient client = SshjRecipe.connect(
                        network.sockets(via), CorporateNetwork.HOST, server.port(), knownHosts(), TIMEOUT)) {
            client.authPublickey(SshServer.user(), server.key().toString());
            try (SFTPClient sftp = client.newSFTPClient()) {
                sftp.put(source.toString(), copy.toString());
            }
            assertThat(copy).hasSameBinaryContentAs(source);
        }
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient()) {
            assertThatThrownBy(() -> SshjRecipe.connect(
                            network.sockets(CorporateNetwork.Via.HTTP),
                            CorporateNetwork.HOST,
                            hole.target().port(),
                            new PromiscuousVerifier(),
                            Duration.ofMillis(200)))
                    .isInstanceOf(SocketTimeoutException.class);
        }
    }
}
