package io.broxy.examples.clients;

import java.io.IOException;
import java.time.Duration;
import javax.net.SocketFactory;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.transport.verification.HostKeyVerifier;

/** sshj: the client takes a socket factory, and leaves the name to it. */
final class SshjRecipe {
    private SshjRecipe() {}

    static SSHClient connect(SocketFactory sockets, String host, int port, HostKeyVerifier hostKeys, Duration timeout)
            throws IOException {
        SSHClient client = new SSHClient();
        try {
            client.setSocketFactory(sockets);
            client.setConnectTimeout((int) timeout.toMillis());
            client.setTimeout(10_000);
            client.addHostKeyVerifier(hostKeys);
            client.connect(host, port);
            return client;
        } catch (IOException e) {
            client.close();
            throw e;
        }
    }
}
