package io.broxy.core.internal.http;

import java.util.Arrays;

/**
 * Writes a head of HTTP/1.1 in ISO-8859-1. It refuses whatever {@link HeadParser} would not read back as it was given,
 * so no value can end its line and begin another.
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
     * Begins a request.
     *
     * @throws IllegalArgumentException if the method is no token, or the target is empty or not visible US-ASCII
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
     * Begins a response.
     *
     * @param status 100 to 599
     * @param reason may be empty
     * @throws IllegalArgumentException if the status is another, or the reason has a control character or one beyond
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
     * @throws IllegalArgumentException if the name is no token; or the value has a control character other than HTAB,
     *     has one beyond ISO-8859-1, or begins or ends with white space
     */
    public HeadWriter field(String name, String value) {
        require(Grammar.isToken(name), "the field name is not a token");
        if (!Grammar.isFieldText(value) || hasOuterWhiteSpace(value)) {
            // the message leaves out the value, which may be a secret
            throw new IllegalArgumentException("the value of " + name + " has a character that it must not have");
        }
        append(name).append(": ").append(value).crlf();
        return this;
    }

    private static boolean hasOuterWhiteSpace(String value) {
        return !value.isEmpty() && (Grammar.isOws(value.charAt(0)) || Grammar.isOws(value.charAt(value.length() - 1)));
    }

    /**
     * Adds a field line as it was received, without a change of its bytes.
     *
     * @throws IndexOutOfBoundsException if there is no such field
     */
    public HeadWriter field(Fields fields, int index) {
        fields.copyLine(index, this);
        return this;
    }

    /** The head as it is now, with the empty line that ends it. The writer can go on. */
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

    /** Appends a text that was checked: every character is below 0x100. */
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

    /** Names the size only: fields may hold secrets. */
    @Override
    public String toString() {
        return "HeadWriter[" + length + " bytes]";
    }
}
