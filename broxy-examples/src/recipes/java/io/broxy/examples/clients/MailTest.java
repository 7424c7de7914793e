package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.icegreen.greenmail.util.DummySSLServerSocketFactory;
import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import io.broxy.core.testkit.BlackHole;
import jakarta.mail.Folder;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.Store;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies Angus Mail through a dialer, with the servers of GreenMail. */
class MailTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final String PASSWORD = "only-for-tests";

    private static GreenMail server;

    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        Path keys = folder.resolve("keys.p12");
        CorporateNetwork.certificates().writeKeyStore(keys, PASSWORD);
        System.setProperty(DummySSLServerSocketFactory.GREENMAIL_KEYSTORE_FILE_PROPERTY, keys.toString());
        System.setProperty(DummySSLServerSocketFactory.GREENMAIL_KEYSTORE_PASSWORD_PROPERTY, PASSWORD);
        server = new GreenMail(ServerSetup.dynamicPort(
                new ServerSetup[] {ServerSetup.SMTP, ServerSetup.IMAP, ServerSetup.SMTPS, ServerSetup.IMAPS}));
        server.start();
        server.setUser("app@corp.invalid", "app", PASSWORD);
    }

    @AfterAll
    static void stop() {
        server.stop();
        System.clearProperty(DummySSLServerSocketFactory.GREENMAIL_KEYSTORE_FILE_PROPERTY);
        System.clearProperty(DummySSLServerSocketFactory.GREENMAIL_KEYSTORE_PASSWORD_PROPERTY);
    }

    @BeforeEach
    void removeMail() throws Exception {
        server.purgeEmailFromAllMailboxes();
    }

    @ParameterizedTest
    @EnumSource
    void receivesWhatItSent(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open()) {
            Session session = MailRecipe.session(network.sockets(via), startTls(), TIMEOUT);
            send(session, "smtp", server.getSmtp().getPort());

            assertThat(subject(session, "imap", server.getImap().getPort())).isEqualTo("hello");
            assertThat(network.targets())
                    .extracting(target -> target.host() + " " + target.port())
                    .containsExactly(
                            CorporateNetwork.HOST + " " + server.getSmtp().getPort(),
                            CorporateNetwork.HOST + " " + server.getImap().getPort());
        }
    }

    @ParameterizedTest
    @EnumSource
    void speaksTls(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open()) {
            Session session = MailRecipe.sessionWithTls(network.tlsSockets(via), TIMEOUT);
            send(session, "smtps", server.getSmtps().getPort());

            assertThat(subject(session, "imaps", server.getImaps().getPort())).isEqualTo("hello");
        }
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient()) {
            Session session =
                    MailRecipe.session(network.sockets(CorporateNetwork.Via.HTTP), startTls(), Duration.ofMillis(200));

            assertThatThrownBy(() -> send(session, "smtp", hole.target().port()))
                    .isInstanceOf(MessagingException.class)
                    .hasRootCauseInstanceOf(SocketTimeoutException.class);
        }
    }

    private static SSLSocketFactory startTls() {
        return CorporateNetwork.certificates().client().getSocketFactory();
    }

    private static void send(Session session, String protocol, int port) throws MessagingException {
        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress("app@corp.invalid"));
        message.setRecipient(Message.RecipientType.TO, new InternetAddress("app@corp.invalid"));
        message.setSubject("hello");
        message.setText("hello");
        try (Transport transport = session.getTransport(protocol)) {
            transport.connect(CorporateNetwork.HOST, port, "app", PASSWORD);
            transport.sendMessage(message, message.getAllRecipients());
        }
    }

    private static String subject(Session session, String protocol, int port) throws MessagingException {
        try (Store store = session.getStore(protocol)) {
            store.connect(CorporateNetwork.HOST, port, "app", PASSWORD);
            try (Folder inbox = store.getFolder("INBOX")) {
                inbox.open(Folder.READ_ONLY);
                return inbox.getMessage(1).getSubject();
            }
        }
    }
}
