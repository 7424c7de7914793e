package io.broxy.examples;

import java.nio.ByteBuffer;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.function.Consumer;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** A TLS handshake between a client and a server in memory. */
final class Handshake {
    private static final int MOST_ROUNDS = 100;
    private static final int BUFFER = 1 << 16;
    private static final char[] PASSWORD = "only-for-tests".toCharArray();

    private final SSLEngine client;
    private final SSLEngine server;
    private final ByteBuffer toServer = ByteBuffer.allocate(BUFFER);
    private final ByteBuffer toClient = ByteBuffer.allocate(BUFFER);

    private Handshake(SSLEngine client, SSLEngine server) {
        this.client = client;
        this.server = server;
    }

    /** Begins one: the server wants a client's certificate if {@code wanted} says so. */
    static Handshake between(SSLContext client, SSLContext server, boolean wanted, Consumer<SSLParameters> settings)
            throws SSLException {
        SSLEngine ours = client.createSSLEngine();
        ours.setUseClientMode(true);
        SSLParameters parameters = ours.getSSLParameters();
        settings.accept(parameters);
        ours.setSSLParameters(parameters);
        SSLEngine theirs = server.createSSLEngine();
        theirs.setUseClientMode(false);
        theirs.setNeedClientAuth(wanted);
        Handshake handshake = new Handshake(ours, theirs);
        handshake.run();
        return handshake;
    }

    /** The certificate that a client gets that asks for this name, or for none. */
    static Certificate presented(
            SSLContext client, SSLContext server, @Nullable String name, Consumer<SSLParameters> settings)
            throws SSLException {
        Handshake handshake = between(client, server, false, parameters -> {
            if (name != null) {
                parameters.setServerNames(List.of(new SNIHostName(name)));
            }
            settings.accept(parameters);
        });
        return handshake.client.getSession().getPeerCertificates()[0];
    }

    /** The context of a client that trusts an authority, and has a certificate itself or none. */
    static SSLContext client(Issued authority, @Nullable Issued own) throws Exception {
        KeyStore trusted = store();
        trusted.setCertificateEntry("authority", authority.certificate());
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own == null ? null : keys(own), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyManager[] keys(Issued own) throws Exception {
        KeyStore store = store();
        store.setKeyEntry("own", own.key(), PASSWORD, new X509Certificate[] {own.certificate()});
        KeyManagerFactory factory = KeyManagerFactory.getInstance("SunX509");
        factory.init(store, PASSWORD);
        return factory.getKeyManagers();
    }

    private static KeyStore store() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    /** The server's view of the connection. */
    SSLSession serverSession() {
        return server.getSession();
    }

    private void run() throws SSLException {
        client.beginHandshake();
        server.beginHandshake();
        for (int round = 0; round < MOST_ROUNDS; round++) {
            advance(client, toClient, toServer);
            advance(server, toServer, toClient);
            if (isDone(client) && isDone(server)) {
                return;
            }
        }
        throw new AssertionError("the handshake does not end");
    }

    private static boolean isDone(SSLEngine engine) {
        return engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING;
    }

    private static void advance(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        while (!isDone(engine)) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> engine.getDelegatedTask().run();
                case NEED_WRAP -> engine.wrap(ByteBuffer.allocate(0), out);
                default -> {
                    in.flip();
                    Status status =
                            engine.unwrap(in, ByteBuffer.allocate(BUFFER)).getStatus();
                    in.compact();
                    if (status == Status.BUFFER_UNDERFLOW) {
                        return;
                    }
                }
            }
        }
    }
}
