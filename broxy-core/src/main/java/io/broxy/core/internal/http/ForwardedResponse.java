package io.broxy.core.internal.http;

import io.broxy.FieldEdits;
import io.broxy.ProxyReply;
import io.broxy.core.internal.http.BadHeadException.Problem;
import io.broxy.core.internal.http.BodyFraming.Kind;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A response as a proxy takes it from an origin or another proxy, and writes it anew for the client.
 *
 * <p>Threading: immutable.
 */
public final class ForwardedResponse {
    private static final int SWITCHING_PROTOCOLS = 101;
    private static final int PROXY_AUTHENTICATION_REQUIRED = 407;
    private static final int REQUEST_TIMEOUT = 408;
    private static final int UPGRADE_REQUIRED = 426;

    private final ResponseHead head;
    private final ForwardedRequest request;
    private final BodyFraming body;
    private final ConnectionOptions options;
    private final ResponseLength length;
    private final boolean login;
    private final HeadEdits edits;
    private final boolean passesProxyLogin;

    /** Whether the response names protocols that the client has to get. */
    private final boolean upgrade;

    private ForwardedResponse(
            ResponseHead head, ForwardedRequest request, BodyFraming body, ConnectionOptions options, boolean upgrade) {
        this.head = head;
        this.request = request;
        this.body = body;
        this.options = options;
        this.length = ResponseLength.of(head);
        this.login = AuthSchemes.bindConnection(head.fields(), "WWW-Authenticate");
        this.upgrade = upgrade;
        this.edits = HeadEdits.NONE;
        this.passesProxyLogin = false;
    }

    private ForwardedResponse(ForwardedResponse received, HeadEdits edits, boolean passesProxyLogin) {
        this.head = received.head;
        this.request = received.request;
        this.body = received.body;
        this.options = received.options;
        this.length = received.length;
        this.login = received.login;
        this.upgrade = received.upgrade;
        this.edits = edits;
        this.passesProxyLogin = passesProxyLogin;
    }

    /**
     * Reads a head.
     *
     * @param request that is answered
     * @throws BadHeadException if it is uncertain where the response ends, Connection names a field that frames it, or
     *     Upgrade is malformed; and {@link Problem#FRAMING} for a switch to a protocol that was not asked for
     */
    public static ForwardedResponse of(ResponseHead head, ForwardedRequest request) throws BadHeadException {
        BodyFraming body = BodyFraming.ofResponse(head, request.method());
        ConnectionOptions options = ConnectionOptions.ofResponse(head.fields());
        boolean upgrade = switch (head.status()) {
            case SWITCHING_PROTOCOLS -> requireAskedFor(head, options, request);
            case UPGRADE_REQUIRED -> UpgradeOffer.isMade(head.fields());
            default -> false;
        };
        return new ForwardedResponse(head, request, body, options, upgrade);
    }

    /**
     * A server must not switch unless it was asked to, nor to what was not offered (RFC 9110, section 7.8). What follows
     * would be taken for a response by one side and not by the other.
     */
    private static boolean requireAskedFor(ResponseHead head, ConnectionOptions options, ForwardedRequest request)
            throws BadHeadException {
        boolean complete = head.minorVersion() > 0 && options.upgrade() && UpgradeOffer.isMade(head.fields());
        if (!complete
                || !request.upgrade()
                || !UpgradeOffer.isTaken(head.fields(), request.head().fields())) {
            throw new BadHeadException(Problem.FRAMING, "a switch to a protocol that was not asked for");
        }
        return true;
    }

    /** This response with other fields for the client, on top of the changes before. */
    public ForwardedResponse with(FieldEdits further) {
        return further.isEmpty() ? this : new ForwardedResponse(this, edits.and(further), passesProxyLogin);
    }

    /** This response with the next proxy's part of a login, which the client is to get. */
    public ForwardedResponse withProxyLogin() {
        return new ForwardedResponse(this, edits, true);
    }

    /** The fields as they were received. */
    public Fields fields() {
        return head.fields();
    }

    /** Whether it is a part of a login at the origin that is bound to the connection which carries it. */
    public boolean login() {
        return login;
    }

    /** As {@link #login}, at the next proxy. */
    public boolean proxyLogin() {
        return AuthSchemes.bindConnection(head.fields(), "Proxy-Authenticate");
    }

    /** Whether the sender asks for credentials for a proxy. */
    public boolean isProxyChallenge() {
        return head.status() == PROXY_AUTHENTICATION_REQUIRED;
    }

    /** The head as the answer to a CONNECT that is refused. */
    public ProxyReply asReply() {
        return new ProxyReply(
                ProxyReply.Protocol.HTTP, head.status(), head.fields().list(), ByteBuffer.allocate(0));
    }

    /** Whether the next proxy says that it keeps a client's connections to itself (RFC 4559 section 6). */
    public boolean supportsLogins() {
        return head.fields().containsToken("Proxy-Support", "Session-Based-Authentication");
    }

    /** The status, 100 to 999. */
    public int status() {
        return head.status();
    }

    /** Whether another response to the same request follows: 1xx, but for a switch of protocols. */
    public boolean isInterim() {
        return head.isInterim() && !isUpgrade();
    }

    /** Whether the connection is no longer one of HTTP behind this head: 101, and it was asked for. */
    public boolean isUpgrade() {
        return head.status() == SWITCHING_PROTOCOLS;
    }

    /**
     * Whether the client can be sent this response: in HTTP/1.0 there are no interim ones (RFC 9110, section 15.2), and
     * they are left out; and those to CONNECT are not the target's.
     */
    public boolean isForClient() {
        return !isInterim() || (request.minorVersion() > 0 && !request.isConnect());
    }

    /** How the end of the content is found on the side of the origin. */
    public BodyFraming body() {
        return body;
    }

    /**
     * Whether the origin's connection can take another request when the content has been read (RFC 9112, section 9.3). One
     * of HTTP/1.0 is never kept, nor one whose response contradicts itself about its length.
     */
    public boolean originPersists() {
        return head.minorVersion() > 0
                && !options.close()
                && !isClosedByProxy()
                && length.reliable()
                && body.kind() != Kind.UNTIL_CLOSE
                && !isUpgrade();
    }

    /** The older field's name is still in use between clients and proxies. */
    private boolean isClosedByProxy() {
        return head.fields().containsToken("Proxy-Connection", "close");
    }

    /** What the origin says of its connection, if that {@linkplain #originPersists persists}. */
    public KeepAlive keepAlive() {
        return KeepAlive.of(head.fields());
    }

    /**
     * Whether it may be the last word on a connection that lay idle, sent before this request was seen (RFC 9110, section
     * 15.5.9).
     */
    public boolean isOfIdleness() {
        return head.status() == REQUEST_TIMEOUT && !originPersists();
    }

    /**
     * Whether a chunked body goes to the client without the coding, which HTTP/1.0 does not know (RFC 9112, section 6.1).
     * It then ends with the connection, and its trailers are dropped.
     */
    public boolean dechunked() {
        return body.kind() == Kind.CHUNKED && request.minorVersion() == 0;
    }

    /** Whether the client finds the end of the content without a close. */
    public boolean delimited() {
        return body.kind() != Kind.UNTIL_CLOSE && !dechunked();
    }

    /** Writes the head without an offer of logins by connection. */
    public void write(ByteBuffer out, boolean keepAlive, @Nullable String viaPseudonym) {
        write(out, keepAlive, false, viaPseudonym);
    }

    /**
     * Writes the head for the client: the reason phrase and the fields with their bytes untouched (but for what {@link
     * HeadParser} and {@link ResponseLength} normalise) and in their order, without those for one hop and those that
     * Connection names, and those that are {@linkplain #with changed}, then the changes and what this hop has to say.
     *
     * @param out has room for the received head, the pseudonym and 256 bytes more
     * @param keepAlive whether the client's connection is kept behind this response; of no meaning before another one
     *     ({@link #isInterim}) and a switch ({@link #isUpgrade})
     * @param supportsLogins whether the client is offered logins by connection (RFC 4559 section 6); only where
     *     that is kept
     * @param viaPseudonym the name of this proxy, or null to leave no trace of it
     * @throws IllegalArgumentException if the connection is to be kept though only its end ends the content, or the
     *     pseudonym is none that a field can have
     */
    public void write(ByteBuffer out, boolean keepAlive, boolean supportsLogins, @Nullable String viaPseudonym) {
        if (keepAlive && !delimited()) {
            throw new IllegalArgumentException("the content ends with the connection");
        }
        Ascii.put("HTTP/1.1 ", out);
        Ascii.putDecimal(head.status(), out);
        out.put(Grammar.SP);
        head.putReason(out);
        Ascii.putCrlf(out);
        writeReceivedFields(out);
        edits.put(out);
        if (body.kind() == Kind.CHUNKED && !dechunked()) {
            Ascii.put("Transfer-Encoding: chunked\r\n", out);
        }
        writeConnection(out, !keepAlive && !head.isInterim());
        if (supportsLogins && keepAlive) { // for this hop, which those that do not know the field learn by Connection
            Ascii.put("Proxy-Support: Session-Based-Authentication\r\nConnection: Proxy-Support\r\n", out);
        }
        if (viaPseudonym != null) {
            Via.put(head.minorVersion(), viaPseudonym, out);
        }
        Ascii.putCrlf(out);
    }

    private void writeReceivedFields(ByteBuffer out) {
        Fields fields = head.fields();
        int run = 0;
        boolean lengthPut = false;
        for (int i = 0; i < fields.size(); i++) {
            boolean lengthLine = length.replaces(fields, i);
            if (lengthLine || isRemoved(fields, i)) {
                fields.putLines(run, i, out);
                run = i + 1;
            }
            if (lengthLine && !lengthPut) {
                length.put(out);
                lengthPut = true;
            }
        }
        fields.putLines(run, fields.size(), out);
    }

    private boolean isRemoved(Fields fields, int index) {
        return (HopByHop.is(fields, index) && !(passesProxyLogin && HopByHop.isOfProxyLogin(fields, index)))
                || options.name(index)
                || (dechunked() && fields.isNamed(index, "Trailer"))
                || edits.removes(fields, index);
    }

    private void writeConnection(ByteBuffer out, boolean close) {
        if (upgrade) {
            UpgradeOffer.put(head.fields(), out);
            Ascii.put(close ? "Connection: close, upgrade\r\n" : "Connection: upgrade\r\n", out);
        } else if (close) {
            Ascii.put("Connection: close\r\n", out);
        }
    }

    /**
     * Writes the last chunk of a chunked body to the client, with those trailer fields that may be there (RFC 9110,
     * section 6.5.1) and are not named by Connection.
     *
     * @param trailers as they were received, or null if there are none
     * @param out has room for {@link ChunkEncoder#LAST_BYTES} and the lines of the trailers
     * @throws IllegalStateException if the client gets the body without the coding
     */
    public void writeLastChunk(@Nullable Fields trailers, ByteBuffer out) {
        if (dechunked()) {
            throw new IllegalStateException("the body goes without chunks");
        }
        ChunkEncoder.last(trailers, options, out);
    }

    /** Names the status only: fields may hold secrets. */
    @Override
    public String toString() {
        return "ForwardedResponse[" + head.status() + "]";
    }
}
