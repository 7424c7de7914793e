package io.broxy.examples.clients;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.testkit.BlackHole;
import java.io.ByteArrayInputStream;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.commons.net.ftp.FTPClient;
import org.apache.commons.net.ftp.FTPSClient;
import org.apache.ftpserver.FtpServer;
import org.apache.ftpserver.FtpServerFactory;
import org.apache.ftpserver.listener.Listener;
import org.apache.ftpserver.listener.ListenerFactory;
import org.apache.ftpserver.ssl.SslConfigurationFactory;
import org.apache.ftpserver.usermanager.impl.BaseUser;
import org.apache.ftpserver.usermanager.impl.WritePermission;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies Commons Net's FTP clients through a dialer, with Apache's FtpServer. */
class FtpTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final String PASSWORD = "only-for-tests";

    private static FtpServer server;
    private static int port;

    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        Path keys = folder.resolve("keys.p12");
        CorporateNetwork.certificates().writeKeyStore(keys, PASSWORD);
        SslConfigurationFactory tls = new SslConfigurationFactory();
        tls.setKeystoreFile(keys.toFile());
        tls.setKeystoreType("PKCS12");
        tls.setKeystorePassword(PASSWORD);
        ListenerFactory listener = new ListenerFactory();
        listener.setServerAddress("127.0.0.1");
        listener.setPort(0);
        listener.setSslConfiguration(tls.createSslConfiguration());
        Listener listening = listener.createListener();
        BaseUser user = new BaseUser();
        user.setName("app");
        user.setPassword(PASSWORD);
        user.setHomeDirectory(folder.toString());
        user.setAuthorities(List.of(new WritePermission()));
        FtpServerFactory factory = new FtpServerFactory();
        factory.addListener("default", listening);
        factory.getUserManager().save(user);
        server = factory.createServer();
        server.start();
        port = listening.getPort();
    }

    @AfterAll
    static void stop() {
        server.stop();
    }

    @ParameterizedTest
    @EnumSource
    void storesAFileAndListsIt(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open()) {
            FTPClient client =
                    FtpRecipe.connect(new FTPClient(), network.sockets(via), CorporateNetwork.HOST, port, TIMEOUT);
            try {
                assertStores(client);
                assertThat(network.targets())
                        .hasSize(3)
                        .allMatch(target -> target.host().equals(CorporateNetwork.HOST));
            } finally {
                client.disconnect();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void storesAFileOverTls(CorporateNetwork.Via via) throws Exception {
        FTPSClient secure = new FTPSClient(CorporateNetwork.certificates().client());
        secure.setEndpointCheckingEnabled(true);
        try (CorporateNetwork network = CorporateNetwork.open()) {
            FTPSClient client = FtpRecipe.connect(secure, network.sockets(via), CorporateNetwork.HOST, port, TIMEOUT);
            try {
                FtpRecipe.protectData(client, network.tlsSockets(via));
                assertStores(client);
            } finally {
                client.disconnect();
            }
        }
    }

    private static void assertStores(FTPClient client) throws Exception {
        assertThat(client.login("app", PASSWORD)).isTrue();
        assertThat(client.storeFile("hello.txt", new ByteArrayInputStream("hello".getBytes(US_ASCII))))
                .isTrue();
        assertThat(client.listNames()).contains("hello.txt");
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient()) {
            assertThatThrownBy(() -> FtpRecipe.connect(
                            new FTPClient(),
                            network.sockets(CorporateNetwork.Via.HTTP),
                            CorporateNetwork.HOST,
                            hole.target().port(),
                            Duration.ofMillis(200)))
                    .isInstanceOf(SocketTimeoutException.class);
        }
    }
}
