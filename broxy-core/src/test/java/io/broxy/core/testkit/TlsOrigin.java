package io.broxy.core.testkit;

import java.io.IOException;
import java.net.Socket;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** An {@link Origin} that speaks TLS, with the JDK's own {@link SSLSocket}. */
public final class TlsOrigin {
    private TlsOrigin() {}

    /** Starts a server that plays a script with each connection after a successful handshake. */
    public static Origin start(SSLContext context, Origin.Script script, String... protocols) throws IOException {
        return Origin.start(peer -> {
            try (SSLSocket secure = accept(context, peer, protocols)) {
                script.play(new Peer(secure));
            }
        });
    }

    /** The server's side of a handshake; what is below is at {@link Peer#socket} of the given peer. */
    public static SSLSocket accept(SSLContext context, Peer peer, String... protocols) throws IOException {
        Socket below = peer.socket();
        SSLSocket secure = (SSLSocket) context.getSocketFactory().createSocket(below, null, below.getPort(), true);
        secure.setUseClientMode(false);
        if (protocols.length > 0) {
            secure.setEnabledProtocols(protocols);
        }
        secure.startHandshake();
        return secure;
    }
}
