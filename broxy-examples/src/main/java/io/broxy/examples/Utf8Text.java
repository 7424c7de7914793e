package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;

/**
 * The text of a file, without the byte order mark that editors put before UTF-8.
 *
 * <p>Threading: immutable.
 *
 * @param text up to the first byte that is no UTF-8
 * @param problem what is wrong behind the text, or empty
 */
record Utf8Text(String text, String problem) {
    static final char BYTE_ORDER_MARK = '\uFEFF';

    /** Decodes the content of a file. */
    static Utf8Text of(byte[] content) {
        if (beginsWith(content, 0xFE, 0xFF) || beginsWith(content, 0xFF, 0xFE)) {
            return new Utf8Text("", "its byte order mark says UTF-16; it must be UTF-8");
        }
        if (beginsWith(content, 0, 0, 0xFE, 0xFF)) {
            return new Utf8Text("", "its byte order mark says UTF-32; it must be UTF-8");
        }
        CharsetDecoder decoder = UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        CharBuffer chars = CharBuffer.allocate(content.length + 1);
        CoderResult result = decoder.decode(ByteBuffer.wrap(content), chars, true);
        String decoded = chars.flip().toString();
        String text = decoded.startsWith(String.valueOf(BYTE_ORDER_MARK)) ? decoded.substring(1) : decoded;
        return new Utf8Text(text, result.isError() ? "the file is not UTF-8" : "");
    }

    private static boolean beginsWith(byte[] content, int... bytes) {
        if (content.length < bytes.length) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if (Byte.toUnsignedInt(content[i]) != bytes[i]) {
                return false;
            }
        }
        return true;
    }
}
