package io.broxy.core.internal.http;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The head of a response, as a view of its bytes.
 *
 * <p>Threading: immutable.
 */
public final class ResponseHead {
    private final byte[] bytes;
    private final int status;
    private final int reasonStart;
    private final int reasonEnd;
    private final int minorVersion;
    private final Fields fields;

    ResponseHead(byte[] bytes, int status, int reasonStart, int reasonEnd, int minorVersion, Fields fields) {
        this.bytes = bytes;
        this.status = status;
        this.reasonStart = reasonStart;
        this.reasonEnd = reasonEnd;
        this.minorVersion = minorVersion;
        this.fields = fields;
    }

    /** The status, 100 to 999; values above 599 must be treated as 5xx (RFC 9110, section 15). */
    public int status() {
        return status;
    }

    /** Whether the status is 1xx: another response follows (RFC 9110, section 15.2). */
    public boolean isInterim() {
        return status < 200;
    }

    /** Whether the status is 2xx. */
    public boolean isSuccessful() {
        return status >= 200 && status < 300;
    }

    /** The reason phrase, which may be empty, in ISO-8859-1. Creates a new String on each call. */
    public String reason() {
        return new String(bytes, reasonStart, reasonEnd - reasonStart, StandardCharsets.ISO_8859_1);
    }

    /** The x of HTTP/1.x: 0 or 1; 1 for higher versions. */
    public int minorVersion() {
        return minorVersion;
    }

    /** The fields. */
    public Fields fields() {
        return fields;
    }

    /** The whole head as received; read-only. */
    public ByteBuffer bytes() {
        return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
    }

    /** Puts the reason phrase as received. */
    void putReason(ByteBuffer out) {
        out.put(bytes, reasonStart, reasonEnd - reasonStart);
    }

    /** The length of the whole head as received. */
    public int length() {
        return bytes.length;
    }

    /** Shows only the status, since fields may contain secrets. */
    @Override
    public String toString() {
        return "ResponseHead[" + status + ", " + fields.size() + " fields]";
    }
}
