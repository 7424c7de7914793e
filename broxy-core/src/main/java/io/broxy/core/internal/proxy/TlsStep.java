package io.broxy.core.internal.proxy;

import io.broxy.ClientTls;
import io.broxy.CloseReason;
import io.broxy.RefusedException;
import io.broxy.ServerTls;
import io.broxy.TlsOutcome;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.tls.TlsHandshake;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * The TLS handshake of a client, which comes before its first request.
 *
 * <pre>
 *   first byte ──┬─ of TLS ──> handshake ──┬─ done ────> the next step
 *                │                         └─ failed ──> the last bytes: an alert
 *                └─ no TLS ────────────────────────────> the last bytes: 400 for plain HTTP, or none
 * </pre>
 *
 * <p>A TLS engine is created only for a client that has started a handshake.
 *
 * <p>Threading: owned by the client's event loop.
 */
final class TlsStep implements Step, TlsHandshake.Outcome {
    /** The type of the first record of a handshake (RFC 8446 section 5.1). */
    private static final int HANDSHAKE = 22;

    private final ClientConnection connection;
    private final ServerTls tls;
    private final TlsCounters counters;
    private final Runnable next;
    /** Null before and after the handshake. */
    private @Nullable SSLEngine engine;

    private @Nullable TlsHandshake handshake;

    private TlsStep(ClientConnection connection, ServerTls tls, Runnable next) {
        this.connection = connection;
        this.tls = tls;
        this.counters = connection.metrics().tls();
        this.next = next;
    }

    /**
     * Starts reading.
     *
     * @param next runs when the connection is secure
     */
    static void start(ClientConnection connection, ServerTls tls, Runnable next) {
        connection.begin(new TlsStep(connection, tls, next));
    }

    @Override
    public void begin() {
        connection.due(connection.tunnel().startNanos() + connection.timeouts().headNanos());
        connection.waitFor(SelectionKey.OP_READ);
        read(); // the first bytes have often arrived together with the connection
    }

    // ------------------------------------------------------------------ the first byte

    @Override
    public void ready(int readyOps) {
        read();
    }

    private void read() {
        ByteBuffer first = Step.receive(connection);
        if (first != null) {
            choose(first);
        }
    }

    private void choose(ByteBuffer first) {
        int type = first.get(first.position());
        if (type != HANDSHAKE) {
            counters.count(TlsOutcome.NOT_TLS);
            RefusedException refusal = Rejection.NOT_TLS.exception();
            boolean isHttp = type >= 'A' && type <= 'Z';
            refuse(isHttp ? Responses.refused(refusal, true) : Answer.NONE, refusal);
        } else if (counters.tryBegin()) {
            connection.client().unread(first);
            handshake();
        } else {
            connection.abort(CloseReason.REFUSED, Rejection.TOO_MANY_HANDSHAKES.exception());
        }
    }

    private void refuse(Answer last, RefusedException refusal) {
        connection.record();
        connection.last(last, CloseReason.REFUSED, refusal);
    }

    // ------------------------------------------------------------------ the handshake

    private void handshake() {
        try {
            engine = tls.newEngine();
            handshake = TlsHandshake.start(
                    connection.client(), engine, connection.context().engine().tls(), this);
        } catch (RuntimeException | Error e) { // for example of the embedder's supplier
            connection.logFailure(e);
            end(TlsOutcome.FAILED);
            connection.abort(CloseReason.FAILED, e);
        }
    }

    private void end(TlsOutcome outcome) {
        engine = null;
        counters.end(outcome);
    }

    @Override
    public void secured(LoopConnection secure) {
        SSLSession session = session();
        String identity;
        try {
            identity = tls.identity(session);
        } catch (RuntimeException | Error e) { // of the embedder's function
            connection.logFailure(e);
            end(TlsOutcome.FAILED);
            secure.abort();
            connection.abort(CloseReason.FAILED, e);
            return;
        }
        end(TlsOutcome.COMPLETED);
        connection.secured(secure, facts(session), identity);
        next.run();
    }

    private SSLSession session() {
        if (engine == null) {
            throw new IllegalStateException("there is no handshake");
        }
        return engine.getSession();
    }

    private static ClientTls facts(SSLSession session) {
        String serverName = session instanceof ExtendedSSLSession extended
                ? extended.getRequestedServerNames().stream()
                        .filter(SNIHostName.class::isInstance)
                        .map(name -> ((SNIHostName) name).getAsciiName())
                        .findFirst()
                        .orElse(null)
                : null;
        return new ClientTls(session.getProtocol(), session.getCipherSuite(), serverName, certificates(session));
    }

    private static List<X509Certificate> certificates(SSLSession session) {
        try {
            return Arrays.stream(session.getPeerCertificates())
                    .filter(X509Certificate.class::isInstance)
                    .map(X509Certificate.class::cast)
                    .toList();
        } catch (SSLPeerUnverifiedException e) {
            return List.of(); // the client has sent none
        }
    }

    // ------------------------------------------------------------------ failures

    @Override
    public void failed(IOException cause, ByteBuffer alert) {
        if (!connection.isAt(this)) {
            return;
        }
        if (connection.loop().isStopping()) {
            connection.abandoned(cause);
        } else if (cause instanceof SSLException failure) {
            end(TlsOutcome.FAILED);
            refuse(new Answer(0, alert), Rejection.ofTls(failure));
        } else {
            connection.clientGone(cause);
        }
    }

    @Override
    public void timedOut() {
        if (engine == null) {
            counters.count(TlsOutcome.TIMEOUT);
        } else {
            end(TlsOutcome.TIMEOUT);
        }
        connection.abort(CloseReason.REFUSED, Rejection.TLS_TIMEOUT.exception());
    }

    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        connection.record();
        if (engine != null) {
            end(TlsOutcome.ABANDONED);
        }
        if (handshake != null) {
            handshake.stop(); // whether the connection is closed or reset is for the caller to decide
        }
    }
}
