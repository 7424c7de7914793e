package io.broxy.core.internal.http;

import java.util.Arrays;

/**
 * Writes a head of HTTP/1.1 in ISO-8859-1. It refuses input that {@link HeadParser} would not parse back unchanged, so no value
 * can end its line and start another.
 *
 * <p>Threading: for one thread at a time.
 */
public final class HeadWriter {
    private static final String VERSION = "HTTP/1.1";
    private static final int FIRST_CAPACITY = 256;

    private byte[] bytes = new byte[FIRST_CAPACITY];
    private int length;

    private HeadWriter() {}

    /**
     * Starts a request.
     *
     * @throws IllegalArgumentException if the method is not a token, or the target is empty or not visible US-ASCII
     */
    public static HeadWriter request(String method, String target) {
        require(Grammar.isToken(method), "the method is not a token");
        require(Grammar.isVisible(target), "the request target is empty or has a character that it must not have");
        HeadWriter writer = new HeadWriter();
        writer.append(method)
                .append(" ")
                .append(target)
                .append(" ")
                .append(VERSION)
                .crlf();
        return writer;
    }

    /**
     * Starts a response.
     *
     * @param status 100 to 599
     * @param reason may be empty
     * @throws IllegalArgumentException if the status is out of range, or the reason has a control character or one outside
     *     ISO-8859-1
     */
    public static HeadWriter response(int status, String reason) {
        require(status >= 100 && status <= 599, "the status is not from 100 to 599");
        require(Grammar.isFieldText(reason), "the reason phrase has a character that it must not have");
        HeadWriter writer = new HeadWriter();
        writer.append(VERSION)
                .append(" ")
                .append(Integer.toString(status))
                .append(" ")
                .append(reason)
                .crlf();
        return writer;
    }

    /**
     * Adds a field.
     *
     * @throws IllegalArgumentException if the name is not a token; or the value has a control character other than HTAB or a
     *     character outside ISO-8859-1, or starts or ends with white space
     */
    public HeadWriter field(String name, String value) {
        require(Grammar.isToken(name), "the field name is not a token");
        if (!Grammar.isFieldText(value) || hasOuterWhiteSpace(value)) {
            // the message omits the value, which may be a secret
            throw new IllegalArgumentException("the value of " + name + " has a character that it must not have");
        }
        append(name).append(": ").append(value).crlf();
        return this;
    }

    private static boolean hasOuterWhiteSpace(String value) {
        return !value.isEmpty() && (Grammar.isOws(value.charAt(0)) || Grammar.isOws(value.charAt(value.length() - 1)));
    }

    /**
     * Adds a field line byte for byte as received.
     *
     * @throws IndexOutOfBoundsException if there is no such field
     */
    public HeadWriter field(Fields fields, int index) {
        fields.copyLine(index, this);
        return this;
    }

    /** The current head with its final empty line. The writer remains usable. */
    public byte[] toBytes() {
        byte[] head = Arrays.copyOf(bytes, length + 2);
        head[length] = Grammar.CR;
        head[length + 1] = Grammar.LF;
        return head;
    }

    void append(byte[] source, int from, int count) {
        reserve(count);
        System.arraycopy(source, from, bytes, length, count);
        length += count;
    }

    /** Appends a validated text, whose characters are all below 0x100. */
    private HeadWriter append(String text) {
        reserve(text.length());
        for (int i = 0; i < text.length(); i++) {
            bytes[length++] = (byte) text.charAt(i);
        }
        return this;
    }

    private void crlf() {
        append("\r\n");
    }

    private void reserve(int count) {
        if (bytes.length - length < count) {
            bytes = Arrays.copyOf(bytes, Math.max(length + count, 2 * bytes.length));
        }
    }

    private static void require(boolean condition, String rule) {
        if (!condition) {
            throw new IllegalArgumentException(rule);
        }
    }

    /** Shows only the size, since fields may contain secrets. */
    @Override
    public String toString() {
        return "HeadWriter[" + length + " bytes]";
    }
}
