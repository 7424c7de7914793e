package io.broxy.core.internal.http;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The head of a request, as a view of its bytes. It is well-formed, but not yet checked against {@link RequestRules}.
 *
 * <p>Threading: immutable.
 */
public final class RequestHead {
    /** The methods of RFC 9110, section 9, and RFC 5789, which need no new String. */
    private static final String[] METHODS = {
        "CONNECT", "GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "PATCH", "TRACE"
    };

    private static final byte[] CONNECT = "CONNECT".getBytes(StandardCharsets.US_ASCII);

    private final byte[] bytes;
    private final int methodEnd;
    private final int targetEnd;
    private final int minorVersion;
    private final Fields fields;

    RequestHead(byte[] bytes, int methodEnd, int targetEnd, int minorVersion, Fields fields) {
        this.bytes = bytes;
        this.methodEnd = methodEnd;
        this.targetEnd = targetEnd;
        this.minorVersion = minorVersion;
        this.fields = fields;
    }

    /** The method as received; methods are case-sensitive. */
    public String method() {
        for (String method : METHODS) {
            if (isMethod(method)) {
                return method;
            }
        }
        return text(0, methodEnd);
    }

    /** Whether the method is CONNECT. */
    public boolean isConnect() {
        return Arrays.equals(bytes, 0, methodEnd, CONNECT, 0, CONNECT.length);
    }

    /** Whether the method equals a given one, without creating a String. */
    boolean isMethod(String method) {
        if (method.length() != methodEnd) {
            return false;
        }
        for (int i = 0; i < methodEnd; i++) {
            if (bytes[i] != method.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** The request target as received: visible US-ASCII, in any form. Creates a new String on each call. */
    public String target() {
        return text(methodEnd + 1, targetEnd);
    }

    /** The x of HTTP/1.x: 0 or 1; 1 for higher versions. */
    public int minorVersion() {
        return minorVersion;
    }

    /** The fields. */
    public Fields fields() {
        return fields;
    }

    /** The whole head as received, without a leading empty line; read-only. */
    public ByteBuffer bytes() {
        return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
    }

    /** The bytes of the whole head, for code in this package that avoids creating Strings. */
    byte[] array() {
        return bytes;
    }

    int targetStart() {
        return methodEnd + 1;
    }

    int targetEnd() {
        return targetEnd;
    }

    private String text(int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }

    /** Shows only the method, since target and fields may contain secrets. */
    @Override
    public String toString() {
        return "RequestHead[" + method() + ", " + fields.size() + " fields]";
    }
}
