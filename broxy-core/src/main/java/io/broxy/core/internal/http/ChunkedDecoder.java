package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Grammar.CR;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Parses a chunked body (RFC 9112, section 7.1) without I/O or copying.
 *
 * <pre>
 *             ┌───────────────CRLF──────────────── DATA_CR, DATA_LF <──┐
 *             v                                                        │
 *   SIZE ──> SIZE ──";"──> EXTENSION ──CR──> SIZE_LF ──size > 0──> DATA┘
 *             ├──OWS─> PADDING ─";"─^  │       ^  └──size 0──> TRAILERS ──> OVER
 *             └────────────CR──────────┴───────┘
 * </pre>
 *
 * <p>Extensions are skipped. A size has at most 16 hexadecimal digits, including leading zeros, and no sign. Every line must
 * end with CRLF, since bytes that lenient parsers skip there are data to others. In a response, white space may follow the size
 * of a chunk: the grammar allows it before an extension, and old servers print sizes with a fixed width. In a request only an
 * extension may follow.
 *
 * <p>Threading: for one thread at a time.
 */
final class ChunkedDecoder {

    private enum State {
        SIZE,
        PADDING,
        EXTENSION,
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILERS,
        OVER
    }

    /** 64 bits; leading zeros count, which bounds their number. */
    private static final int MAX_SIZE_DIGITS = 16;

    /**
     * The limit on all extensions of a body together. Hardly any sender uses them; without a limit a peer could make the proxy
     * read large amounts for little payload (CVE-2023-39326).
     */
    private static final int MAX_EXTENSION_BYTES = 16 * 1024;

    /** The maximum white space after a size: far more than any fixed width in use. */
    private static final int MAX_PADDING = 256;

    private static final byte[] NOTHING = {};
    private static final int FIRST_TRAILER_CAPACITY = 128;

    /** The length of an empty trailer section, a single CRLF. */
    private static final int EMPTY_LINE_LENGTH = 2;

    private final HeadLimits limits;
    private final Tolerance tolerance;
    private State state = State.SIZE;
    private int sizeDigits;
    private int padding;
    private int extensionBytes;

    /** The size while it is being parsed, then the remaining bytes of the chunk. */
    private long left;

    private final FieldLines trailerLines;
    private byte[] trailers = NOTHING;
    private int trailerLength;

    /**
     * Creates a decoder for one body.
     *
     * @param limits of the trailer section
     * @param tolerance {@link Tolerance#NONE}, or {@link Tolerance#FIELDS} in a response
     */
    ChunkedDecoder(HeadLimits limits, Tolerance tolerance) {
        this.limits = limits;
        this.tolerance = tolerance;
        trailerLines = new FieldLines(limits.fields(), tolerance);
    }

    /** As {@link BodyDecoder#next}. */
    int next(ByteBuffer in) throws BadHeadException {
        while (in.hasRemaining() && state != State.OVER) {
            if (state == State.DATA) {
                return data(in);
            }
            framing(in.get());
        }
        return state == State.OVER ? BodyDecoder.END : 0;
    }

    private int data(ByteBuffer in) {
        int count = (int) Math.min(left, in.remaining());
        left -= count;
        if (left == 0) {
            state = State.DATA_CR;
        }
        return count;
    }

    private void framing(byte b) throws BadHeadException {
        switch (state) {
            case SIZE -> size(b);
            case PADDING -> padding(b);
            case EXTENSION -> extension(b);
            case SIZE_LF -> sizeLf(b);
            case DATA_CR -> dataCr(b);
            case DATA_LF -> dataLf(b);
            case TRAILERS -> trailer(b);
            case DATA, OVER -> throw new AssertionError("no framing is read in " + state);
        }
    }

    private void size(byte b) throws BadHeadException {
        if (Grammar.isHexDigit(b)) {
            if (++sizeDigits > MAX_SIZE_DIGITS || left > Long.MAX_VALUE >> 4) {
                throw framing("a chunk's size is too large a number");
            }
            left = left << 4 | Character.digit(b, 16);
        } else if (sizeDigits == 0) {
            throw framing("a chunk's size is missing");
        } else if (Grammar.isOws(b) && tolerance.fields()) {
            padding = 1;
            state = State.PADDING;
        } else {
            afterSize(b);
        }
    }

    private void padding(byte b) throws BadHeadException {
        if (!Grammar.isOws(b)) {
            afterSize(b);
        } else if (++padding > MAX_PADDING) {
            throw framing("too much white space follows a chunk's size");
        }
    }

    private void afterSize(byte b) throws BadHeadException {
        if (b == CR) {
            state = State.SIZE_LF;
        } else if (b == ';') {
            state = State.EXTENSION;
        } else {
            throw framing("a chunk's size is malformed");
        }
    }

    private void extension(byte b) throws BadHeadException {
        if (b == CR) {
            state = State.SIZE_LF;
        } else if (!Grammar.isFieldByte(b)) {
            throw framing("a chunk's extension has a control character");
        } else if (++extensionBytes > MAX_EXTENSION_BYTES) {
            throw new BadHeadException(Problem.TOO_LARGE, "the extensions of chunks are too long");
        }
    }

    private void sizeLf(byte b) throws BadHeadException {
        Grammar.requireLf(b);
        state = left > 0 ? State.DATA : State.TRAILERS;
    }

    private void dataCr(byte b) throws BadHeadException {
        if (b != CR) {
            throw framing("a chunk's data is longer than its size");
        }
        state = State.DATA_LF;
    }

    private void dataLf(byte b) throws BadHeadException {
        Grammar.requireLf(b);
        sizeDigits = 0;
        state = State.SIZE;
    }

    private void trailer(byte b) throws BadHeadException {
        if (trailerLength == limits.headBytes()) {
            throw new BadHeadException(Problem.TOO_LARGE, "the trailer section is too large");
        }
        if (trailerLength == trailers.length) {
            trailers = Arrays.copyOf(trailers, Math.max(FIRST_TRAILER_CAPACITY, 2 * trailerLength));
        }
        trailers[trailerLength] = b;
        if (trailerLines.next(b, trailerLength++)) {
            state = State.OVER;
        }
    }

    private static BadHeadException framing(String rule) {
        return new BadHeadException(Problem.FRAMING, rule);
    }

    /** Whether the body and its trailer section have been read. */
    boolean isOver() {
        return state == State.OVER;
    }

    /**
     * Whether the trailer section has a field.
     *
     * @throws IllegalStateException if it has not been read yet
     */
    boolean hasTrailers() {
        requireOver();
        return trailerLength > EMPTY_LINE_LENGTH;
    }

    /**
     * The trailer section.
     *
     * @throws IllegalStateException if it has not been read yet
     */
    Fields trailers() {
        requireOver();
        return trailerLines.fields(Arrays.copyOf(trailers, trailerLength));
    }

    private void requireOver() {
        if (state != State.OVER) {
            throw new IllegalStateException("the trailer section has not been read yet");
        }
    }
}
