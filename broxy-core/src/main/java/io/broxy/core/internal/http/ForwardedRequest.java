package io.broxy.core.internal.http;

import io.broxy.ConnectRequest;
import io.broxy.FieldEdits;
import io.broxy.core.internal.http.BadHeadException.Problem;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request to be forwarded: its head is fully validated before any byte is sent, and rewritten for the next hop (RFC 9110,
 * section 7.6).
 *
 * <p>Threading: immutable.
 */
public final class ForwardedRequest {
    /** An upper bound of the version, the fixed names and the line ends that {@link #write} adds. */
    private static final int ROOM_FOR_FIXED_TEXT = 256;

    private static final String AUTHORIZATION = "Authorization";
    private static final String PROXY_AUTHORIZATION = "Proxy-Authorization";
    private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";

    private final RequestHead head;
    private final RequestTarget target;
    private final BodyFraming body;
    private final ConnectionOptions options;
    private final int maxForwards;
    private final boolean expectsContinue;
    private final boolean upgrade;
    private final boolean login;
    private final HeadEdits edits;

    private ForwardedRequest(
            RequestHead head, RequestTarget target, BodyFraming body, ConnectionOptions options, int maxForwards)
            throws BadHeadException {
        this.head = head;
        this.target = target;
        this.body = body;
        this.options = options;
        this.maxForwards = maxForwards;
        expectsContinue = expectsContinue(head);
        // HTTP/1.0 has no Upgrade (RFC 9110, section 7.8)
        upgrade = head.minorVersion() > 0
                && options.upgrade()
                && UpgradeOffer.isMade(head.fields())
                && !head.isConnect(); // whose fields go no further
        login = AuthSchemes.bindConnection(head.fields(), AUTHORIZATION);
        edits = HeadEdits.NONE;
    }

    private ForwardedRequest(ForwardedRequest received, HeadEdits edits) {
        head = received.head;
        target = received.target;
        body = received.body;
        options = received.options;
        maxForwards = received.maxForwards;
        expectsContinue = received.expectsContinue;
        upgrade = received.upgrade;
        login = received.login || edits.values(AUTHORIZATION).stream().anyMatch(AuthSchemes::bindConnection);
        this.edits = edits;
    }

    /**
     * Validates a head.
     *
     * @throws BadHeadException if the request must not be forwarded: it violates {@link RequestRules} or {@link RequestTarget},
     *     has a malformed Connection, Upgrade or Max-Forwards, an unknown expectation, or is a TRACE with content
     */
    public static ForwardedRequest of(RequestHead head) throws BadHeadException {
        BodyFraming body = RequestRules.check(head);
        RequestTarget target = RequestTarget.of(head);
        ConnectionOptions options = ConnectionOptions.ofRequest(head.fields());
        if (head.isMethod("TRACE") && !body.isEmpty()) {
            throw new BadHeadException(Problem.FRAMING, "TRACE has content"); // RFC 9110, section 9.3.8
        }
        return new ForwardedRequest(head, target, body, options, MaxForwards.of(head));
    }

    /**
     * Whether the request expects 100-continue, which has no meaning in HTTP/1.0. Other expectations are refused, as the next
     * hop would have to (RFC 9110, section 10.1.1).
     */
    private static boolean expectsContinue(RequestHead head) throws BadHeadException {
        if (!head.fields().contains("Expect")) {
            return false;
        }
        boolean expects = false;
        for (ListMembers expected = new ListMembers(head.fields(), "Expect"); expected.next(); ) {
            if (!expected.is("100-continue")) {
                throw new BadHeadException(Problem.EXPECTATION, "an expectation other than 100-continue");
            }
            expects = head.minorVersion() > 0;
        }
        return expects;
    }

    /** This request with further changes to the fields for the next hop. */
    public ForwardedRequest with(FieldEdits further) {
        return further.isEmpty() ? this : with(edits.and(further));
    }

    ForwardedRequest with(HeadEdits changes) {
        return new ForwardedRequest(this, changes);
    }

    /** The head as received. */
    public RequestHead head() {
        return head;
    }

    /** The method as received; methods are case-sensitive. */
    public String method() {
        return head.method();
    }

    /** The target of the request. */
    public RequestTarget target() {
        return target;
    }

    /** The framing of the content, which is the same for the next hop. */
    public BodyFraming body() {
        return body;
    }

    /** The x of the client's HTTP/1.x: 0 or 1. */
    public int minorVersion() {
        return head.minorVersion();
    }

    /**
     * Whether the client's connection is persistent (RFC 9112, section 9.3). An HTTP/1.0 client may ask for it, but a proxy
     * must ignore that (appendix C.2.2).
     */
    public boolean persistent() {
        return head.minorVersion() > 0 && !options.close();
    }

    /** Whether the client waits for 100 (Continue) before it sends the content; never in HTTP/1.0. */
    public boolean expectsContinue() {
        return expectsContinue;
    }

    /** Whether the client offers an upgrade to a protocol that can be forwarded (RFC 9110, section 7.8). */
    public boolean upgrade() {
        return upgrade;
    }

    /** Whether the request belongs to a connection-based login. */
    public boolean login() {
        return login;
    }

    /** The client's credentials for this proxy or, where they pass, for the next one; null if there are none. */
    public @Nullable String proxyAuthorization() {
        Fields fields = head.fields();
        int index = fields.indexOf(PROXY_AUTHORIZATION, 0);
        return index < 0 ? null : fields.value(index);
    }

    /** As {@link #login}, for {@link #proxyAuthorization}. */
    public boolean proxyLogin() {
        return AuthSchemes.bindConnection(head.fields(), PROXY_AUTHORIZATION);
    }

    /** Whether it asks for a tunnel. */
    public boolean isConnect() {
        return head.isConnect();
    }

    /** Whether it may be sent once more if no response has come. */
    public boolean isRepeatable() {
        return (isIdempotent() || isConnect()) && body.isEmpty();
    }

    /** Whether the method is idempotent (RFC 9110, section 9.2.2). */
    boolean isIdempotent() {
        return switch (head.method()) {
            case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" -> true;
            default -> false;
        };
    }

    /**
     * How many more times the request may be forwarded (RFC 9110, section 7.6.2): at 0 the proxy itself must answer. It is -1
     * if there is no limit, and {@link Integer#MAX_VALUE} for larger values.
     */
    public int maxForwards() {
        return maxForwards;
    }

    /**
     * Whether Via shows that a proxy with a pseudonym has already forwarded the request (RFC 9110, section 7.6.3).
     *
     * @param pseudonym with the port if it has one; compared ignoring case
     */
    public boolean passedThrough(String pseudonym) {
        return Via.names(head.fields(), pseudonym);
    }

    /**
     * The maximum number of bytes that {@link #write} puts with the same arguments.
     *
     * @throws IllegalStateException if the target is not in absolute form
     */
    public int maxBytes(List<ConnectRequest.Field> further, @Nullable String viaPseudonym) {
        int length = ROOM_FOR_FIXED_TEXT
                + head.array().length
                + edits.maxBytes()
                + 2 * target.maxAuthorityLength()
                + (viaPseudonym == null ? 0 : viaPseudonym.length());
        for (ConnectRequest.Field field : further) {
            length += field.name().length() + ": \r\n".length() + field.value().length();
        }
        return length;
    }

    /**
     * Writes the head for the next hop: first {@code Host} from the target (RFC 9112, section 3.2.2); then the received fields,
     * in order and byte for byte, except hop-by-hop fields, those that Connection names and {@linkplain #with changed} ones;
     * then the fields of this hop: changes, framing, Connection, Via and further fields. A CONNECT for the next proxy has
     * nothing but its target and the further fields.
     *
     * @param out has room for {@link #maxBytes}
     * @param absoluteForm whether the next hop is a proxy
     * @param further fields for the next proxy, such as Proxy-Authorization
     * @param viaPseudonym the pseudonym of this proxy, or null to omit Via
     * @throws IllegalArgumentException if a value is not a valid field value
     * @throws IllegalStateException if the target is not in absolute form, or the request must not be forwarded again
     */
    public void write(
            ByteBuffer out, boolean absoluteForm, List<ConnectRequest.Field> further, @Nullable String viaPseudonym) {
        if (isConnect() && absoluteForm) {
            writeConnect(out, further);
            return;
        }
        if (target.form() != RequestTarget.Form.ABSOLUTE || maxForwards == 0) {
            throw new IllegalStateException("not a request to forward");
        }
        writeRequestLine(out, absoluteForm);
        writeHost(out);
        writeReceivedFields(out);
        edits.put(out);
        writeOwnFields(out);
        if (viaPseudonym != null) {
            Via.put(head.minorVersion(), viaPseudonym, out);
        }
        putFields(further, out);
        Ascii.putCrlf(out);
    }

    private static void putFields(List<ConnectRequest.Field> fields, ByteBuffer out) {
        for (int i = 0; i < fields.size(); i++) {
            Ascii.putField(fields.get(i).name(), fields.get(i).value(), out);
        }
    }

    private void writeConnect(ByteBuffer out, List<ConnectRequest.Field> further) {
        String authority = target.hostPort().toString();
        Ascii.put("CONNECT " + authority + " HTTP/1.1\r\n", out);
        Ascii.putField("Host", authority, out);
        putFields(further, out);
        Ascii.putCrlf(out);
    }

    private void writeRequestLine(ByteBuffer out, boolean absoluteForm) {
        out.put(head.array(), 0, head.targetStart());
        if (absoluteForm) {
            target.putAbsoluteForm(out);
        } else {
            target.putOriginForm(out);
        }
        Ascii.put(" HTTP/1.1\r\n", out);
    }

    private void writeHost(ByteBuffer out) {
        Ascii.put("Host: ", out);
        target.putAuthority(out);
        Ascii.putCrlf(out);
    }

    private void writeReceivedFields(ByteBuffer out) {
        Fields fields = head.fields();
        int run = 0;
        for (int i = 0; i < fields.size(); i++) {
            boolean removed = isRemoved(fields, i);
            boolean decremented = !removed && maxForwards > 0 && MaxForwards.is(fields, i);
            if (removed || decremented) {
                fields.putLines(run, i, out);
                run = i + 1;
            }
            if (decremented) {
                MaxForwards.put(fields, i, maxForwards - 1, out);
            }
        }
        fields.putLines(run, fields.size(), out);
    }

    private boolean isRemoved(Fields fields, int index) {
        return HopByHop.is(fields, index)
                || options.name(index)
                || fields.isNamed(index, "Host")
                || (head.minorVersion() == 0 && fields.isNamed(index, "Expect"))
                || edits.removes(fields, index);
    }

    /** The values of a received field that are forwarded, before any changes. */
    List<String> forwardedValues(String name) {
        Fields fields = head.fields();
        List<String> values = new ArrayList<>(1);
        for (int i = fields.indexOf(name, 0); i >= 0; i = fields.indexOf(name, i + 1)) {
            if (!isRemoved(fields, i)) {
                values.add(fields.value(i));
            }
        }
        return values;
    }

    private void writeOwnFields(ByteBuffer out) {
        if (body.kind() == BodyFraming.Kind.CHUNKED) {
            Ascii.put(CHUNKED, out);
        }
        // trailers are forwarded, so the client's support for them is, too (RFC 9110, section 10.1.4)
        boolean trailers = head.minorVersion() > 0 && head.fields().containsToken("TE", "trailers");
        if (trailers) {
            Ascii.put("TE: trailers\r\n", out);
        }
        if (upgrade) {
            UpgradeOffer.put(head.fields(), out);
            Ascii.put(trailers ? "Connection: upgrade, TE\r\n" : "Connection: upgrade\r\n", out);
        } else if (trailers) {
            Ascii.put("Connection: TE\r\n", out);
        }
    }

    /**
     * Writes the last chunk of a chunked body for the next hop, with the trailer fields that are allowed (RFC 9110, section
     * 6.5.1) and not named by Connection.
     *
     * @param trailers the received trailer fields, or null if there are none
     * @param out has room for {@link ChunkEncoder#LAST_BYTES} and the lines of the trailers
     */
    public void writeLastChunk(@Nullable Fields trailers, ByteBuffer out) {
        ChunkEncoder.last(trailers, options, out);
    }

    /** The number of bytes that {@link #writeTrace} puts. */
    public int traceBytes() {
        Fields fields = head.fields();
        int length = head.array().length;
        for (int i = 0; i < fields.size(); i++) {
            if (isSecret(fields, i)) {
                length -= fields.lineStart(i + 1) - fields.lineStart(i);
            }
        }
        return length;
    }

    /**
     * Writes the content of the response of a TRACE's final recipient, {@code message/http}: the head as received, without
     * fields that probably contain secrets (RFC 9110, section 9.3.8).
     *
     * @param out has room for {@link #traceBytes}
     */
    public void writeTrace(ByteBuffer out) {
        Fields fields = head.fields();
        out.put(head.array(), 0, fields.lineStart(0));
        fields.putLinesWithout(i -> isSecret(fields, i), out);
        Ascii.putCrlf(out);
    }

    private static boolean isSecret(Fields fields, int index) {
        return fields.isNamed(index, "Authorization")
                || fields.isNamed(index, "Proxy-Authorization")
                || fields.isNamed(index, "Cookie");
    }

    /** Shows only the method, since target and fields may contain secrets. */
    @Override
    public String toString() {
        return "ForwardedRequest[" + method() + ", " + target.form() + "]";
    }
}
