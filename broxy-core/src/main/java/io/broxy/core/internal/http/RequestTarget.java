package io.broxy.core.internal.http;

import io.broxy.HostPort;
import io.broxy.core.internal.http.BadHeadException.Problem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The parsed request target (RFC 9112, section 3.2): its form, host and port, and the bytes of path and query, which are
 * forwarded as received.
 *
 * <p>Ambiguous targets are refused: those with user information (RFC 9110, section 4.2.4), a fragment, a host that {@link
 * HostPort} does not accept, or a port that is not a plain number.
 *
 * <p>Threading: immutable.
 */
public final class RequestTarget {

    /** The four forms of a request target. */
    public enum Form {
        /** {@code /path?query}: the request is for the server that receives it (section 3.2.1). */
        ORIGIN,
        /** {@code http://host:port/path?query}: the request is for a proxy (section 3.2.2). */
        ABSOLUTE,
        /** {@code host:port}: only with CONNECT (section 3.2.3). */
        AUTHORITY,
        /** {@code *}: only with OPTIONS, for the server as a whole (section 3.2.4). */
        ASTERISK
    }

    private static final int DEFAULT_PORT = 80;
    private static final int MAX_PORT = 65_535;
    private static final String SCHEME = "http";
    private static final String OPTIONS = "OPTIONS";

    private final RequestHead head;
    private final Form form;
    private final @Nullable HostPort hostPort;

    /** The start of path and query in the head; they end with the target. */
    private final int pathStart;

    private RequestTarget(RequestHead head, Form form, @Nullable HostPort hostPort, int pathStart) {
        this.head = head;
        this.form = form;
        this.hostPort = hostPort;
        this.pathStart = pathStart;
    }

    /**
     * Parses the target of a request.
     *
     * @throws BadHeadException {@link Problem#TARGET}, or {@link Problem#SCHEME} for a URI with a scheme other than http
     */
    public static RequestTarget of(RequestHead head) throws BadHeadException {
        if (head.isConnect()) {
            return authorityForm(head);
        }
        byte[] bytes = head.array();
        int start = head.targetStart();
        int end = head.targetEnd();
        if (Grammar.indexOf(bytes, '#', start, end) < end) {
            throw bad("the request target has a fragment");
        }
        if (bytes[start] == '/') {
            return new RequestTarget(head, Form.ORIGIN, null, start);
        }
        if (bytes[start] == '*' && end == start + 1) {
            return asteriskForm(head);
        }
        return absoluteForm(head, afterScheme(bytes, start, end));
    }

    private static RequestTarget authorityForm(RequestHead head) throws BadHeadException {
        try {
            return new RequestTarget(head, Form.AUTHORITY, HostPort.parse(head.target()), head.targetEnd());
        } catch (IllegalArgumentException e) {
            throw bad("the target is not host:port");
        }
    }

    private static RequestTarget asteriskForm(RequestHead head) throws BadHeadException {
        if (!head.isMethod(OPTIONS)) {
            throw bad("the request target is * but the method is not OPTIONS");
        }
        return new RequestTarget(head, Form.ASTERISK, null, head.targetEnd());
    }

    /** The start of the authority, after {@code scheme "://"} (RFC 3986, section 3.1). */
    private static int afterScheme(byte[] bytes, int start, int end) throws BadHeadException {
        int colon = start;
        while (colon < end && Grammar.isSchemeByte(bytes[colon])) {
            colon++;
        }
        boolean beginsWithLetter = colon > start && Grammar.isLetter(bytes[start]);
        boolean hasAuthority =
                end - colon > 2 && bytes[colon] == ':' && bytes[colon + 1] == '/' && bytes[colon + 2] == '/';
        if (!beginsWithLetter || !hasAuthority) {
            throw bad("the request target is neither a path nor an absolute URI");
        }
        if (!Grammar.equalsIgnoreCase(bytes, start, colon, SCHEME)) {
            throw new BadHeadException(Problem.SCHEME, "only http is forwarded; https goes through CONNECT");
        }
        return colon + 3;
    }

    private static RequestTarget absoluteForm(RequestHead head, int start) throws BadHeadException {
        byte[] bytes = head.array();
        int end = start;
        while (end < head.targetEnd() && bytes[end] != '/' && bytes[end] != '?') {
            end++;
        }
        return new RequestTarget(head, Form.ABSOLUTE, authority(bytes, start, end), end);
    }

    /** {@code uri-host [ ":" port ]} (RFC 3986, section 3.2), whose host must not be empty with http. */
    private static HostPort authority(byte[] bytes, int start, int end) throws BadHeadException {
        if (Grammar.indexOf(bytes, '@', start, end) < end) {
            throw bad("the request target has user information");
        }
        int literalEnd = start < end && bytes[start] == '[' ? Grammar.indexOf(bytes, ']', start, end) : start;
        int colon = Grammar.indexOf(bytes, ':', literalEnd, end);
        if (colon == start) {
            throw bad("the request target has no host");
        }
        int port = port(bytes, colon, end);
        try {
            return HostPort.of(new String(bytes, start, colon - start, StandardCharsets.US_ASCII), port);
        } catch (IllegalArgumentException e) {
            throw bad("the host of the request target is neither a name nor an address");
        }
    }

    /** A missing or empty port is the default (RFC 3986, section 3.2.3). */
    private static int port(byte[] bytes, int colon, int end) throws BadHeadException {
        if (end - colon <= 1) {
            return DEFAULT_PORT;
        }
        if (Grammar.afterDigits(bytes, colon + 1, end) < end) {
            throw bad("the port of the request target is not a decimal number");
        }
        int port = 0;
        for (int i = colon + 1; i < end; i++) {
            port = Math.min(10 * port + (bytes[i] - '0'), MAX_PORT + 1);
        }
        if (bytes[colon + 1] == '0' || port > MAX_PORT) {
            throw bad("the port of the request target is not within 1 to 65535 or has leading zeros");
        }
        return port;
    }

    private static BadHeadException bad(String rule) {
        return new BadHeadException(Problem.TARGET, rule);
    }

    /** The form of the target. */
    public Form form() {
        return form;
    }

    /**
     * The host and the port to connect to.
     *
     * @throws IllegalStateException if the form has no host: {@link Form#ORIGIN} and {@link Form#ASTERISK}
     */
    public HostPort hostPort() {
        if (hostPort == null) {
            throw new IllegalStateException("a target in " + form + " form has no host");
        }
        return hostPort;
    }

    /** The maximum length of host and port when written: the canonical form of a host may be longer than the received one. */
    int maxAuthorityLength() {
        return hostPort().host().length() + "[]:65535".length();
    }

    /**
     * Puts the target in the form for an origin. OPTIONS without path and query is for the server as a whole (RFC 9112, section
     * 3.2.4).
     */
    void putOriginForm(ByteBuffer out) {
        if (isForWholeServer()) {
            out.put((byte) '*');
        } else {
            putPath(out);
        }
    }

    /** Puts the target in the form for another proxy, with the host in its canonical form, as in Host. */
    void putAbsoluteForm(ByteBuffer out) {
        Ascii.put("http://", out);
        putAuthority(out);
        if (!isForWholeServer()) {
            putPath(out);
        }
    }

    /** The target as another proxy gets it. */
    public String absoluteForm() {
        int room = "http:///".length() + maxAuthorityLength() + head.targetEnd() - pathStart;
        ByteBuffer form = ByteBuffer.allocate(room);
        putAbsoluteForm(form);
        return new String(form.array(), 0, form.position(), StandardCharsets.US_ASCII);
    }

    private boolean isForWholeServer() {
        return pathStart == head.targetEnd() && head.isMethod(OPTIONS);
    }

    /**
     * Puts the path; an empty one is equivalent to "/" (RFC 9110, section 4.2.3) and must be sent as such (RFC 9112, section
     * 3.2.1).
     */
    private void putPath(ByteBuffer out) {
        int length = head.targetEnd() - pathStart;
        if (length == 0 || head.array()[pathStart] != '/') {
            out.put((byte) '/');
        }
        out.put(head.array(), pathStart, length);
    }

    /** Puts the value of Host: without the default port, and an IPv6 address in brackets. */
    void putAuthority(ByteBuffer out) {
        HostPort to = hostPort();
        boolean literal = to.host().indexOf(':') >= 0;
        if (literal) {
            out.put((byte) '[');
        }
        Ascii.put(to.host(), out);
        if (literal) {
            out.put((byte) ']');
        }
        if (to.port() != DEFAULT_PORT) {
            out.put((byte) ':');
            Ascii.putDecimal(to.port(), out);
        }
    }

    /** Shows only the form, since targets may contain secrets. */
    @Override
    public String toString() {
        return "RequestTarget[" + form + "]";
    }
}
