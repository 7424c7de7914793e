package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies MINA SSHD's client through a local port and a dialer, with OpenSSH's server. */
class MinaSshdTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private static SshServer server;

    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        server = SshServer.start(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        Servers.stop(server);
    }

    @ParameterizedTest
    @EnumSource
    void runsACommand(CorporateNetwork.Via via) throws Exception {
        PublicKey expected = PublicKeyEntry.parsePublicKeyEntry(Files.readString(server.hostKey()))
                .resolvePublicKey(null, null, null);
        HostPort target = HostPort.of(CorporateNetwork.HOST, server.port());
        try (CorporateNetwork network = CorporateNetwork.open();
                SshClient client = SshClient.setUpDefaultClient()) {
            client.setServerKeyVerifier((session, address, key) -> KeyUtils.compareKeys(expected, key));
            client.setKeyIdentityProvider(new FileKeyPairProvider(server.key()));
            client.start();
            try (ClientSession session = MinaSshdRecipe.connect(
                    network.broxy(), network.dialer(via), client, SshServer.user(), target, TIMEOUT)) {
                session.auth().verify(TIMEOUT);

                assertThat(session.executeRemoteCommand("echo hello")).isEqualTo("hello\n");
            }
            assertThat(network.targets()).containsExactly(target);
        }
    }
}
