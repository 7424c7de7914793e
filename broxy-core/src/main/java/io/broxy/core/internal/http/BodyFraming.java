package io.broxy.core.internal.http;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How the end of a message body is found (RFC 9112, section 6.3).
 *
 * <p>Requests must be unambiguous to every parser. Beyond the requirements of the RFC, this refuses every repeated {@code
 * Content-Length} (even with equal values, in lines or in a list) or one with a leading zero (octal to some parsers), and any
 * {@code Transfer-Encoding} other than a single {@code chunked}. Responses are rewritten with this proxy's own framing, so it
 * suffices that they are unambiguous.
 *
 * <p>Threading: immutable.
 *
 * @param kind how the end is found
 * @param length the length of the body for {@link Kind#LENGTH}; 0 for the others
 */
public record BodyFraming(Kind kind, long length) {

    /** The kinds of framing. */
    public enum Kind {
        /** There is neither a body nor a field that announces one. */
        NONE,
        /** The body has a length, which may be 0. */
        LENGTH,
        /** The body ends with the last chunk and the trailer section. */
        CHUNKED,
        /** The body ends with the connection; only in responses. */
        UNTIL_CLOSE
    }

    /** No body. */
    public static final BodyFraming NONE = new BodyFraming(Kind.NONE, 0);

    /** A chunked body. */
    public static final BodyFraming CHUNKED = new BodyFraming(Kind.CHUNKED, 0);

    /** A body that ends with the connection. */
    public static final BodyFraming UNTIL_CLOSE = new BodyFraming(Kind.UNTIL_CLOSE, 0);

    static final String TRANSFER_ENCODING = "Transfer-Encoding";
    private static final String CHUNKED_CODING = "chunked";

    /**
     * Requires the length to fit the kind.
     *
     * @throws IllegalArgumentException if the length is negative, or not 0 without {@link Kind#LENGTH}
     */
    public BodyFraming {
        if (length < 0 || (length > 0 && kind != Kind.LENGTH)) {
            throw new IllegalArgumentException("the length is negative, or given without the kind LENGTH");
        }
    }

    /** A body with a length. */
    public static BodyFraming length(long length) {
        return new BodyFraming(Kind.LENGTH, length);
    }

    /** Whether the body has no bytes. */
    public boolean isEmpty() {
        return kind == Kind.NONE || (kind == Kind.LENGTH && length == 0);
    }

    /**
     * The framing of a request's body. For CONNECT it is {@link #NONE}, since framing fields have no meaning there (RFC 9110,
     * section 9.3.6). This permits request smuggling: a front end that honored such fields would take the first bytes of the
     * tunnel for a body. CONNECT is therefore refused with any framing field except {@code Content-Length: 0}.
     *
     * @throws BadHeadException {@link Problem#FRAMING} or {@link Problem#CODING}
     */
    static BodyFraming ofRequest(RequestHead head) throws BadHeadException {
        Fields fields = head.fields();
        int coding = fields.indexOf(TRANSFER_ENCODING, 0);
        int length = fields.indexOf(ContentLength.NAME, 0);
        if (coding >= 0) {
            if (head.isConnect()) {
                throw framing("Transfer-Encoding in a CONNECT request");
            }
            requireChunkedAlone(fields, head.minorVersion(), coding, length);
            return CHUNKED;
        }
        if (length < 0) {
            return NONE;
        }
        long bytes = ContentLength.ofRequest(fields, length);
        if (!head.isConnect()) {
            return length(bytes);
        }
        if (bytes > 0) {
            throw framing("Content-Length in a CONNECT request");
        }
        return NONE;
    }

    /**
     * The framing of a response's body. A 2xx response to CONNECT has no body, whatever its fields say; the tunnel begins (RFC
     * 9110, section 9.3.6).
     *
     * <p>{@code Transfer-Encoding} overrides {@code Content-Length}; if both are present, the connection must not be reused,
     * since the sender may have meant the other one ({@link #isContradictory}). {@code Transfer-Encoding} is refused in
     * HTTP/1.0, and with anything but a single {@code chunked}. Several lengths must be equal. Neither field may be folded,
     * since parsers without support for folding would find a different end.
     *
     * @param method of the request
     * @throws BadHeadException {@link Problem#FRAMING} or {@link Problem#CODING}
     */
    public static BodyFraming ofResponse(ResponseHead head, String method) throws BadHeadException {
        boolean tunnel = method.equals("CONNECT") && head.isSuccessful();
        boolean noBody = head.isInterim() || head.status() == 204 || head.status() == 304;
        if (tunnel || noBody || method.equals("HEAD")) {
            return NONE;
        }
        Fields fields = head.fields();
        if (fields.isFramingFolded()) {
            throw framing("a field that frames the message is folded");
        }
        int coding = fields.indexOf(TRANSFER_ENCODING, 0);
        int length = fields.indexOf(ContentLength.NAME, 0);
        if (coding >= 0) {
            requireChunkedMember(fields, head.minorVersion());
            return CHUNKED;
        }
        return length < 0 ? UNTIL_CLOSE : length(ContentLength.ofResponse(fields));
    }

    /** Whether both framing fields are present (RFC 9112, section 6.1). */
    public static boolean isContradictory(Fields fields) {
        return fields.contains(TRANSFER_ENCODING) && fields.contains(ContentLength.NAME);
    }

    /** Whether a field determines the framing. */
    static boolean isFraming(Fields fields, int index) {
        return fields.isNamed(index, ContentLength.NAME) || fields.isNamed(index, TRANSFER_ENCODING);
    }

    private static void requireChunkedAlone(Fields fields, int minorVersion, int coding, int length)
            throws BadHeadException {
        if (length >= 0) {
            throw framing("Transfer-Encoding together with Content-Length");
        }
        requireVersion(minorVersion);
        if (fields.indexOf(TRANSFER_ENCODING, coding + 1) >= 0 || !fields.isValue(coding, CHUNKED_CODING)) {
            throw badCoding(String.join(",", fields.values(TRANSFER_ENCODING)));
        }
    }

    /** Requires a single member across all lines; empty members are ignored (RFC 9110, section 5.6.1). */
    private static void requireChunkedMember(Fields fields, int minorVersion) throws BadHeadException {
        requireVersion(minorVersion);
        boolean chunked = false;
        for (ListMembers codings = new ListMembers(fields, TRANSFER_ENCODING); codings.next(); ) {
            if (chunked || !codings.is(CHUNKED_CODING)) {
                throw badCoding(notEmptyCodings(fields));
            }
            chunked = true;
        }
        if (!chunked) {
            throw framing("Transfer-Encoding is malformed");
        }
    }

    private static void requireVersion(int minorVersion) throws BadHeadException {
        if (minorVersion == 0) {
            throw framing("Transfer-Encoding in an HTTP/1.0 message");
        }
    }

    private static String notEmptyCodings(Fields fields) {
        return Stream.of(String.join(",", fields.values(TRANSFER_ENCODING)).split(",", -1))
                .filter(coding -> !coding.isBlank())
                .collect(Collectors.joining(","));
    }

    /** Distinguishes a merely unknown coding (followed by chunked) from a list that does not frame the message. */
    private static BadHeadException badCoding(String list) {
        String[] codings = list.split(",", -1);
        for (int i = 0; i < codings.length; i++) {
            String name = codingName(codings[i]);
            boolean last = i == codings.length - 1;
            if (!Grammar.isToken(name)) {
                return framing("Transfer-Encoding is malformed");
            }
            if (last != name.equalsIgnoreCase(CHUNKED_CODING)) {
                return framing("chunked is not once and last in Transfer-Encoding");
            }
            if (last && !codings[i].trim().equals(name)) {
                return framing("chunked has parameters");
            }
        }
        return new BadHeadException(Problem.CODING, "Transfer-Encoding has a coding other than chunked");
    }

    private static String codingName(String coding) {
        int parameters = coding.indexOf(';');
        return (parameters < 0 ? coding : coding.substring(0, parameters)).trim();
    }

    private static BadHeadException framing(String rule) {
        return new BadHeadException(Problem.FRAMING, rule);
    }
}
