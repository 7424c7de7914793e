package io.broxy.core.internal.dial;

import io.broxy.ConnectRequest;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import io.broxy.core.internal.http.AuthSchemes;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.BodyDecoder;
import io.broxy.core.internal.http.BodyFraming;
import io.broxy.core.internal.http.Fields;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.http.HeadParser;
import io.broxy.core.internal.http.HeadWriter;
import io.broxy.core.internal.http.InterimResponses;
import io.broxy.core.internal.http.KeepAlive;
import io.broxy.core.internal.http.ResponseHead;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * CONNECT as a client (RFC 9110 section 9.3.6). An answer is not passed on, so it is read as tolerantly as {@link
 * HeadParser} knows.
 *
 * <pre>
 *          1xx
 *        ┌──────┐
 *        v      │   2xx
 *   request ──> HEAD ────────────> done
 *                 │  other
 *                 └──────> BODY ──> refused
 * </pre>
 *
 * <p>Threading: for one thread at a time.
 */
final class ConnectHandshake implements Handshake {
    static final int PROXY_AUTHENTICATION_REQUIRED = 407;

    private static final int SWITCHING_PROTOCOLS = 101;

    /** How much of a challenge's body is read, so that the connection can take the answer; error pages have some KiB. */
    private static final int MAX_CHALLENGE_BODY = 64 << 10;

    private final ByteBuffer request;
    /** The credentials log the connection in, so that it must not serve other users. */
    private final boolean login;

    private HeadParser<ResponseHead> parser = HeadParser.connectResponse(HeadLimits.RESPONSE);
    private final InterimResponses interim = new InterimResponses();
    private boolean answered;

    private @Nullable ResponseHead refusal;
    private @Nullable BodyDecoder bodyDecoder;
    private final ByteBuffer body = ByteBuffer.allocate(ProxyReply.MAX_BODY);
    private int skipped;
    private @Nullable ResponseHead acceptance;

    /**
     * Prepares a request.
     *
     * @param fields further header fields, validated
     * @param authorization the value of {@code Proxy-Authorization}, or null for none
     * @throws IllegalArgumentException if a value has a character that no field value has
     */
    ConnectHandshake(HostPort target, List<ConnectRequest.Field> fields, @Nullable String authorization) {
        String authority = target.toString();
        HeadWriter head = HeadWriter.request("CONNECT", authority).field("Host", authority);
        login = authorization != null && AuthSchemes.bindConnection(authorization);
        if (authorization != null) {
            head.field("Proxy-Authorization", authorization);
        }
        for (ConnectRequest.Field field : fields) {
            head.field(field.name(), field.value());
        }
        request = ByteBuffer.wrap(head.toBytes());
    }

    @Override
    public ByteBuffer output() {
        return request;
    }

    @Override
    public Step feed(ByteBuffer in) throws HandshakeException {
        try {
            while (refusal == null) {
                ResponseHead head = parser.feed(in);
                if (head == null) {
                    return Step.READ;
                }
                answered = true;
                if (head.isSuccessful()) {
                    acceptance = head;
                    return Step.DONE;
                }
                if (head.isInterim()) {
                    skip(head);
                } else {
                    beginBody(head);
                }
            }
        } catch (BadHeadException e) {
            throw HandshakeException.protocol("the proxy's answer is malformed: " + e.getMessage());
        }
        return body(refusal, in);
    }

    private void skip(ResponseHead head) throws HandshakeException, BadHeadException {
        if (head.status() == SWITCHING_PROTOCOLS) {
            throw HandshakeException.protocol("the proxy switches protocols, which the request did not ask for");
        }
        interim.add(head);
        parser = HeadParser.connectResponse(HeadLimits.RESPONSE);
    }

    private void beginBody(ResponseHead head) throws HandshakeException {
        refusal = head;
        try {
            bodyDecoder = BodyDecoder.response(BodyFraming.ofResponse(head, "CONNECT"));
        } catch (BadHeadException e) {
            throw refused(head, false); // what the head says is known, where its body ends is not
        }
    }

    /** Keeps the beginning of the body; a connection whose body is much longer is not worth reading to its end. */
    private Step body(ResponseHead head, ByteBuffer in) throws HandshakeException {
        BodyDecoder decoder = bodyDecoder;
        if (decoder == null) {
            throw new IllegalStateException("no body is being read");
        }
        try {
            for (int count; (count = decoder.next(in)) != 0; ) {
                if (count == BodyDecoder.END) {
                    throw refused(head, !in.hasRemaining() && isPersistent(head));
                }
                int kept = Math.min(count, body.remaining());
                body.put(in.slice().limit(kept));
                in.position(in.position() + count);
                skipped += count - kept;
                if (skipped > (head.status() == PROXY_AUTHENTICATION_REQUIRED ? MAX_CHALLENGE_BODY : 0)) {
                    throw refused(head, false);
                }
            }
        } catch (BadHeadException e) {
            throw refused(head, false);
        }
        return Step.READ;
    }

    /** RFC 9112 section 9.3; the older field's name is still in use between clients and proxies. */
    private static boolean isPersistent(ResponseHead head) {
        Fields fields = head.fields();
        return head.minorVersion() > 0
                && !BodyFraming.isContradictory(fields)
                && !fields.containsToken("Connection", "close")
                && !fields.containsToken("Proxy-Connection", "close");
    }

    /** A connection that a login is bound to, or that one is asked for, serves no other dial. */
    private HandshakeException refused(ResponseHead head, boolean persistent) {
        boolean shared = persistent && !login && !AuthSchemes.challengesBindConnection(head.fields());
        KeepAlive kept = shared ? KeepAlive.of(head.fields()) : null;
        DialException.Reason reason = AuthSchemes.connectRefusal(head.status());
        ByteBuffer start = body.duplicate().flip();
        return HandshakeException.refused(reason, reply(head, start), kept, persistent);
    }

    /** Copies the fields. */
    private static ProxyReply reply(ResponseHead head, ByteBuffer body) {
        return new ProxyReply(
                ProxyReply.Protocol.HTTP, head.status(), head.fields().list(), body);
    }

    @Override
    public @Nullable ProxyReply acceptance() {
        return acceptance == null ? null : reply(acceptance, ByteBuffer.allocate(0));
    }

    @Override
    public @Nullable HandshakeException refusalSoFar() {
        return refusal == null ? null : refused(refusal, false);
    }

    @Override
    public boolean answered() {
        return answered;
    }
}
