package io.broxy.core.internal.http;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * How the end of what follows a head is found (RFC 9112, section 6.3).
 *
 * <p>Messages are held to one reading that every parser shares. Refused is, beyond what the RFC demands, every repeated
 * {@code Content-Length} (also of equal values, in lines or in a list), one with a leading zero (octal to some), and
 * {@code Transfer-Encoding} that is anything but {@code chunked} alone.
 *
 * <p>Threading: immutable.
 *
 * @param kind how the end is found
 * @param length how many bytes follow, for {@link Kind#LENGTH}; 0 for the others
 */
public record BodyFraming(Kind kind, long length) {

    /** The ways in which a body ends. */
    public enum Kind {
        /** There is no body and no field that announces one. */
        NONE,
        /** After a number of bytes, which may be 0. */
        LENGTH,
        /** With the last chunk and its trailer section. */
        CHUNKED,
        /** With the connection: responses only. */
        UNTIL_CLOSE
    }

    /** No body. */
    public static final BodyFraming NONE = new BodyFraming(Kind.NONE, 0);

    /** A chunked body. */
    public static final BodyFraming CHUNKED = new BodyFraming(Kind.CHUNKED, 0);

    /** A body that ends with the connection. */
    public static final BodyFraming UNTIL_CLOSE = new BodyFraming(Kind.UNTIL_CLOSE, 0);

    private static final String CONTENT_LENGTH = "Content-Length";
    private static final String TRANSFER_ENCODING = "Transfer-Encoding";
    private static final String CHUNKED_CODING = "chunked";

    /**
     * Checks that a length is given only where it means something.
     *
     * @throws IllegalArgumentException if it is negative, or not 0 without {@link Kind#LENGTH}
     */
    public BodyFraming {
        if (length < 0 || (length > 0 && kind != Kind.LENGTH)) {
            throw new IllegalArgumentException("no such length");
        }
    }

    /** A body of so many bytes. */
    public static BodyFraming length(long length) {
        return new BodyFraming(Kind.LENGTH, length);
    }

    /** Whether no byte of a body follows. */
    public boolean isEmpty() {
        return kind == Kind.NONE || (kind == Kind.LENGTH && length == 0);
    }

    /**
     * What follows a request's head. After CONNECT it is {@link #NONE}, for the framing fields have no meaning there
     * (RFC 9110, section 9.3.6). That makes them a way to smuggle: a front that believed in them would take the first
     * bytes of the tunnel for a body. So CONNECT is refused with any but {@code Content-Length: 0}.
     *
     * @throws BadHeadException {@link Problem#FRAMING} or {@link Problem#CODING}
     */
    static BodyFraming ofRequest(RequestHead head) throws BadHeadException {
        Fields fields = head.fields();
        int coding = fields.indexOf(TRANSFER_ENCODING, 0);
        int length = fields.indexOf(CONTENT_LENGTH, 0);
        if (coding >= 0) {
            if (head.isConnect()) {
                throw framing("Transfer-Encoding in a CONNECT request");
            }
            requireChunked(fields, head.minorVersion(), coding, length);
            return CHUNKED;
        }
        if (length < 0) {
            return NONE;
        }
        long bytes = contentLength(fields, length);
        if (!head.isConnect()) {
            return length(bytes);
        }
        if (bytes > 0) {
            throw framing("Content-Length in a CONNECT request");
        }
        return NONE;
    }

    /**
     * What follows a response's head. One to CONNECT that is 2xx has no body whatever its fields say; the tunnel begins
     * (RFC 9110, section 9.3.6).
     *
     * <p>{@code Transfer-Encoding} together with {@code Content-Length}, in HTTP/1.0, or with any coding but
     * {@code chunked}, is refused as in a request: whoever else reads this response may see its end elsewhere.
     *
     * @param method of the request that is answered
     * @throws BadHeadException {@link Problem#FRAMING} or {@link Problem#CODING}
     */
    public static BodyFraming ofResponse(ResponseHead head, String method) throws BadHeadException {
        boolean tunnel = method.equals("CONNECT") && head.isSuccessful();
        boolean noBody = head.isInterim() || head.status() == 204 || head.status() == 304;
        if (tunnel || noBody || method.equals("HEAD")) {
            return NONE;
        }
        Fields fields = head.fields();
        int coding = fields.indexOf(TRANSFER_ENCODING, 0);
        int length = fields.indexOf(CONTENT_LENGTH, 0);
        if (coding >= 0) {
            requireChunked(fields, head.minorVersion(), coding, length);
            return CHUNKED;
        }
        return length < 0 ? UNTIL_CLOSE : length(contentLength(fields, length));
    }

    private static void requireChunked(Fields fields, int minorVersion, int coding, int length)
            throws BadHeadException {
        if (length >= 0) {
            throw framing("Transfer-Encoding together with Content-Length");
        }
        if (minorVersion == 0) {
            throw framing("Transfer-Encoding in an HTTP/1.0 message");
        }
        if (fields.indexOf(TRANSFER_ENCODING, coding + 1) >= 0 || !fields.isValue(coding, CHUNKED_CODING)) {
            throw badCoding(String.join(",", fields.values(TRANSFER_ENCODING)));
        }
    }

    /** Tells a coding that is merely unknown (something, then chunked) from a list that frames nothing. */
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

    private static long contentLength(Fields fields, int index) throws BadHeadException {
        if (fields.indexOf(CONTENT_LENGTH, index + 1) >= 0) {
            throw framing("Content-Length is repeated");
        }
        byte[] head = fields.head();
        int start = fields.valueStart(index);
        int end = fields.valueEnd(index);
        if (start == end || (head[start] == '0' && end - start > 1)) {
            throw framing("Content-Length is malformed");
        }
        long length = 0;
        for (int i = start; i < end; i++) {
            if (!Grammar.isDigit(head[i])) {
                throw framing("Content-Length is malformed");
            }
            int digit = head[i] - '0';
            if (length > (Long.MAX_VALUE - digit) / 10) {
                throw framing("Content-Length is too large a number");
            }
            length = 10 * length + digit;
        }
        return length;
    }

    private static BadHeadException framing(String rule) {
        return new BadHeadException(Problem.FRAMING, rule);
    }
}
