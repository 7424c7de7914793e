package io.broxy.core.internal.http;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The head of a response: a view over its bytes.
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

    /** The status, 100 to 999; one above 599 is to be treated as a 5xx (RFC 9110, section 15). */
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

    /** The reason phrase, which may be empty; ISO-8859-1, a new String each time. */
    public String reason() {
        return new String(bytes, reasonStart, reasonEnd - reasonStart, StandardCharsets.ISO_8859_1);
    }

    /** The x of HTTP/1.x: 0 or 1, and 1 for what is higher. */
    public int minorVersion() {
        return minorVersion;
    }

    /** The fields. */
    public Fields fields() {
        return fields;
    }

    /** The whole head as it was received; read-only. */
    public ByteBuffer bytes() {
        return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
    }

    /** Puts the reason phrase as it was received. */
    void putReason(ByteBuffer out) {
        out.put(bytes, reasonStart, reasonEnd - reasonStart);
    }

    /** How many bytes the whole head had as it was received. */
    public int length() {
        return bytes.length;
    }

    /** Names the status only: fields may hold secrets. */
    @Override
    public String toString() {
        return "ResponseHead[" + status + ", " + fields.size() + " fields]";
    }
}
