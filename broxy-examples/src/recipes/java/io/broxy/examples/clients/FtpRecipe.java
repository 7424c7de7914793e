package io.broxy.examples.clients;

import java.io.IOException;
import java.time.Duration;
import javax.net.SocketFactory;
import javax.net.ssl.SSLSocketFactory;
import org.apache.commons.net.ftp.FTPClient;
import org.apache.commons.net.ftp.FTPReply;
import org.apache.commons.net.ftp.FTPSClient;

/** Commons Net: an FTP client whose connections for control and for data are dialed, in passive mode. */
final class FtpRecipe {
    private FtpRecipe() {}

    /** @param client an {@code FTPClient}, or an {@code FTPSClient}, whose connection for control turns to TLS */
    static <C extends FTPClient> C connect(C client, SocketFactory sockets, String host, int port, Duration timeout)
            throws IOException {
        client.setSocketFactory(sockets);
        client.setConnectTimeout((int) timeout.toMillis());
        client.setDataTimeout(Duration.ofSeconds(10));
        client.setRemoteVerificationEnabled(false); // the addresses behind a proxy are not known
        client.setPassiveNatWorkaroundStrategy(address -> host); // data goes where control goes
        client.setIpAddressFromPasvResponse(true);
        client.connect(host, port);
        if (!FTPReply.isPositiveCompletion(client.getReplyCode())) {
            client.disconnect();
            throw new IOException("the server refuses: " + client.getReplyString());
        }
        client.enterLocalPassiveMode();
        return client;
    }

    /** Has the connections for data speak TLS. */
    static void protectData(FTPSClient client, SSLSocketFactory tlsSockets) throws IOException {
        client.execPBSZ(0);
        client.execPROT("P"); // which sets a socket factory of its own
        client.setSocketFactory(tlsSockets);
    }
}
