package io.broxy.core.internal.http;

import io.broxy.FieldEdits;
import io.broxy.ProxyReply;
import io.broxy.core.internal.http.BadHeadException.Problem;
import io.broxy.core.internal.http.BodyFraming.Kind;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A response from an origin or another proxy, which is rewritten for the client.
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

    /** Whether the response has an Upgrade field that must be forwarded. */
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
     * Validates a head.
     *
     * @param request the request that it answers
     * @throws BadHeadException if the end of the response is ambiguous, Connection names a framing field, or Upgrade is
     *     malformed; and {@link Problem#FRAMING} for an unrequested switch of protocols
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
     * Requires a switch of protocols to be requested, and to an offered protocol (RFC 9110, section 7.8). Otherwise client and
     * proxy would interpret the following bytes differently.
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

    /** This response with further changes to the fields for the client. */
    public ForwardedResponse with(FieldEdits further) {
        return further.isEmpty() ? this : new ForwardedResponse(this, edits.and(further), passesProxyLogin);
    }

    /** This response with the next proxy's part of a login, which the client is to get. */
    public ForwardedResponse withProxyLogin() {
        return new ForwardedResponse(this, edits, true);
    }

    /** The fields as received. */
    public Fields fields() {
        return head.fields();
    }

    /** Whether the response belongs to a connection-based login at the origin. */
    public boolean login() {
        return login;
    }

    /** Whether the response belongs to a connection-based login at the next proxy. */
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

    /** Whether the next proxy declares support for connection-based logins (RFC 4559 section 6). */
    public boolean supportsLogins() {
        return head.fields().containsToken("Proxy-Support", "Session-Based-Authentication");
    }

    /** The status, 100 to 999. */
    public int status() {
        return head.status();
    }

    /** Whether another response to the same request follows: 1xx other than a switch of protocols. */
    public boolean isInterim() {
        return head.isInterim() && !isUpgrade();
    }

    /** Whether the connection leaves HTTP after this head: a requested 101. */
    public boolean isUpgrade() {
        return head.status() == SWITCHING_PROTOCOLS;
    }

    /**
     * Whether the response is forwarded to the client: interim responses are sent neither to HTTP/1.0 clients (RFC 9110,
     * section 15.2) nor in answer to CONNECT, where they are not the target's.
     */
    public boolean isForClient() {
        return !isInterim() || (request.minorVersion() > 0 && !request.isConnect());
    }

    /** The framing of the content as received. */
    public BodyFraming body() {
        return body;
    }

    /**
     * Whether the origin's connection can be reused after the content (RFC 9112, section 9.3). It cannot in HTTP/1.0, nor if
     * the response's length is contradictory.
     */
    public boolean originPersists() {
        return head.minorVersion() > 0
                && !options.close()
                && !isClosedByProxy()
                && length.reliable()
                && body.kind() != Kind.UNTIL_CLOSE
                && !isUpgrade();
    }

    /** Whether Proxy-Connection, the older field that is still in use between clients and proxies, requests a close. */
    private boolean isClosedByProxy() {
        return head.fields().containsToken("Proxy-Connection", "close");
    }

    /** The origin's Keep-Alive parameters, if the connection {@linkplain #originPersists persists}. */
    public KeepAlive keepAlive() {
        return KeepAlive.of(head.fields());
    }

    /**
     * Whether the response may be about the idle connection rather than this request: a 408 that was sent before the request
     * arrived (RFC 9110, section 15.5.9).
     */
    public boolean isOfIdleness() {
        return head.status() == REQUEST_TIMEOUT && !originPersists();
    }

    /**
     * Whether the chunked coding is removed for an HTTP/1.0 client (RFC 9112, section 6.1). The body then ends with the
     * connection, and trailers are dropped.
     */
    public boolean dechunked() {
        return body.kind() == Kind.CHUNKED && request.minorVersion() == 0;
    }

    /** Whether the client can find the end of the content without a close. */
    public boolean delimited() {
        return body.kind() != Kind.UNTIL_CLOSE && !dechunked();
    }

    /** Writes the head without declaring support for connection-based logins. */
    public void write(ByteBuffer out, boolean keepAlive, @Nullable String viaPseudonym) {
        write(out, keepAlive, false, viaPseudonym);
    }

    /**
     * Writes the head for the client: the reason phrase and the received fields, in order and byte for byte (except for the
     * normalization by {@link HeadParser} and {@link ResponseLength}), without hop-by-hop fields, those that Connection names
     * and {@linkplain #with changed} ones; then the changes and the fields of this hop.
     *
     * @param out has room for the received head, the pseudonym and 256 bytes more
     * @param keepAlive whether the client's connection is kept open after this response; ignored for {@linkplain #isInterim
     *     interim} responses and {@linkplain #isUpgrade upgrades}
     * @param supportsLogins whether to declare support for connection-based logins (RFC 4559 section 6); only effective with
     *     {@code keepAlive}
     * @param viaPseudonym the pseudonym of this proxy, or null to omit Via
     * @throws IllegalArgumentException if {@code keepAlive} is set although the content ends with the connection, or the
     *     pseudonym is not a valid field value
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
        if (supportsLogins
                && keepAlive) { // hop-by-hop, and named by Connection for recipients that do not know the field
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
     * Writes the last chunk of a chunked body for the client, with the trailer fields that are allowed (RFC 9110, section
     * 6.5.1) and not named by Connection.
     *
     * @param trailers the received trailer fields, or null if there are none
     * @param out has room for {@link ChunkEncoder#LAST_BYTES} and the lines of the trailers
     * @throws IllegalStateException if the body is {@linkplain #dechunked dechunked}
     */
    public void writeLastChunk(@Nullable Fields trailers, ByteBuffer out) {
        if (dechunked()) {
            throw new IllegalStateException("the body is sent without chunks");
        }
        ChunkEncoder.last(trailers, options, out);
    }

    /** Shows only the status, since fields may contain secrets. */
    @Override
    public String toString() {
        return "ForwardedResponse[" + head.status() + "]";
    }
}
