package io.broxy.examples.clients;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.PortForward;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.session.ClientSession;

/** Apache MINA SSHD: its client has no hook for connections, so it connects to a local port that leads to the server. */
final class MinaSshdRecipe {
    private MinaSshdRecipe() {}

    /**
     * Opens a session, whose local port is closed with it.
     *
     * @param client its verifier of server keys sees the address of the local port: let it expect the server's key
     */
    static ClientSession connect(
            Broxy broxy, Dialer dialer, SshClient client, String user, HostPort server, Duration timeout)
            throws IOException {
        InetSocketAddress local = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        PortForward forward = broxy.forward(local, server, dialer);
        try {
            ClientSession session =
                    client.connect(user, forward.localAddress()).verify(timeout).getSession();
            session.addCloseFutureListener(closed -> forward.close());
            return session;
        } catch (IOException e) {
            forward.close();
            throw e;
        }
    }
}
