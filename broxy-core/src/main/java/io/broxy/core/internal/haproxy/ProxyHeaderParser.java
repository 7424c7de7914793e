package io.broxy.core.internal.haproxy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads one header of the PROXY protocol, version 1 or 2 (proxy-protocol.txt, section 2), strictly and without I/O:
 * bytes in; a header, "need more" or a {@link ProxyHeaderException} out.
 *
 * <pre>
 *            'P'                   ' '           CR             LF
 *   START ────────> WORD ("PROXY ") ──> LINE ─────────> LINE_LF ─────────────────> OVER
 *     │                                                                             ^
 *     └─CR──> SIGNATURE ──> VERSION ──> FAMILY ──> LENGTH (two bytes) ──> BLOCK ────┘
 *                                                      └──────length 0──────────────^
 * </pre>
 *
 * <p>Bytes are examined in order of arrival, so the result cannot depend on how the header was split. A peer that does not
 * speak the protocol is refused at the first byte that shows it: an HTTP request at its first or second byte. The content of a
 * line or block is parsed when it is complete, as the specification requires.
 *
 * <p>Threading: for one thread at a time.
 */
public final class ProxyHeaderParser {

    private enum State {
        START,
        WORD,
        LINE,
        LINE_LF,
        SIGNATURE,
        VERSION,
        FAMILY,
        LENGTH,
        BLOCK,
        OVER
    }

    /**
     * The maximum length of a line with its CRLF: "PROXY UNKNOWN", two IPv6 addresses and two ports of full length (section
     * 2.1).
     */
    static final int MAX_LINE = 107;

    /**
     * The maximum length of a version 2 header, whose length field permits 64 KiB. The specification wants headers to fit into
     * one segment of 536 bytes; names of client certificates and private fields of cloud load balancers can make them longer.
     */
    static final int MAX_BINARY = 4 * 1024;

    private static final byte CR = '\r';
    private static final byte LF = '\n';

    private State state = State.START;

    /** The bytes received so far, of which there are {@link #length}. */
    private byte[] header = new byte[MAX_LINE];

    private int length;

    /** The end of the block; set once its length has been read. */
    private int end;

    /** Whether any byte has been read: if not, an end of input is orderly, otherwise the header is truncated. */
    public boolean begun() {
        return length > 0;
    }

    /**
     * Reads more bytes. The buffer's position advances to the end of the buffer if more bytes are needed, to the byte after the
     * header if it is complete (bytes that follow remain in the buffer), and past the offending byte if the header is refused.
     * The parser does not retain the buffer.
     *
     * @return the header, or null if it is not complete yet
     * @throws ProxyHeaderException if the header is refused
     * @throws IllegalStateException if the header was already returned or refused
     */
    public @Nullable ProxyHeader feed(ByteBuffer in) throws ProxyHeaderException {
        State now = state;
        if (now == State.OVER) {
            throw new IllegalStateException("the parser has read its header");
        }
        state = State.OVER; // remains so if a byte is refused
        while (in.hasRemaining()) {
            if (now == State.BLOCK) {
                takeBlock(in);
            } else {
                now = next(now, take(in));
            }
            if (now == State.OVER) {
                return TextHeader.read(header, length);
            }
            if (now == State.BLOCK && length == end) {
                return BinaryHeader.read(header, length);
            }
        }
        state = now;
        return null;
    }

    private byte take(ByteBuffer in) {
        byte b = in.get();
        header[length++] = b;
        return b;
    }

    private void takeBlock(ByteBuffer in) {
        int count = Math.min(in.remaining(), end - length);
        in.get(header, length, count);
        length += count;
    }

    private State next(State now, byte b) throws ProxyHeaderException {
        return switch (now) {
            case START -> start(b);
            case WORD -> word(b);
            case LINE -> line(b);
            case LINE_LF -> lineLf(b);
            case SIGNATURE -> signature(b);
            case VERSION -> version(b);
            case FAMILY -> family(b);
            case LENGTH -> length();
            case BLOCK, OVER -> throw new AssertionError("no single byte is read in " + now);
        };
    }

    private static State start(byte b) throws ProxyHeaderException {
        if (b == TextHeader.WORD[0]) {
            return State.WORD;
        }
        if (b == BinaryHeader.SIGNATURE[0]) {
            return State.SIGNATURE;
        }
        throw new ProxyHeaderException("no PROXY header");
    }

    private State word(byte b) throws ProxyHeaderException {
        require(b, TextHeader.WORD);
        return length == TextHeader.WORD.length ? State.LINE : State.WORD;
    }

    private State signature(byte b) throws ProxyHeaderException {
        require(b, BinaryHeader.SIGNATURE);
        return length == BinaryHeader.SIGNATURE.length ? State.VERSION : State.SIGNATURE;
    }

    private void require(byte b, byte[] wanted) throws ProxyHeaderException {
        if (b != wanted[length - 1]) {
            throw new ProxyHeaderException("no PROXY header");
        }
    }

    // ------------------------------------------------------------------ version 1

    private State line(byte b) throws ProxyHeaderException {
        if (b == LF) {
            throw new ProxyHeaderException("the line ends with LF alone");
        }
        if (length == MAX_LINE) {
            throw new ProxyHeaderException("the line is too long");
        }
        return b == CR ? State.LINE_LF : State.LINE;
    }

    private static State lineLf(byte b) throws ProxyHeaderException {
        if (b != LF) {
            throw new ProxyHeaderException("a CR is not followed by LF");
        }
        return State.OVER;
    }

    // ------------------------------------------------------------------ version 2

    private static State version(byte b) throws ProxyHeaderException {
        BinaryHeader.checkVersionAndCommand(b);
        return State.FAMILY;
    }

    private State family(byte b) throws ProxyHeaderException {
        BinaryHeader.checkFamily(header[length - 2], b);
        return State.LENGTH;
    }

    private State length() throws ProxyHeaderException {
        if (length < BinaryHeader.START) {
            return State.LENGTH;
        }
        end = BinaryHeader.START + BinaryHeader.blockLength(header);
        if (end > MAX_BINARY) {
            throw new ProxyHeaderException("the header is too long");
        }
        if (end > header.length) {
            header = Arrays.copyOf(header, end);
        }
        return State.BLOCK;
    }
}
