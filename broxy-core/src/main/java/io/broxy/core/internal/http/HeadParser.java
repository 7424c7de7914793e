package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Grammar.CR;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Parses one head of HTTP/1.1 (RFC 9112, section 2.1) without I/O: bytes in; a head, "need more" or a {@link BadHeadException}
 * out.
 *
 * <pre>
 *              CR             LF
 *   START ─────────> EMPTY ───────┐            (not before a forwarded response)
 *     │                           v      CR                    LF           empty line
 *     └──────────────────────> FIRST_LINE ──> FIRST_LINE_LF ───────> FIELDS ───────────> OVER
 * </pre>
 *
 * <p>Each byte is examined once, in order of arrival, so the result cannot depend on how the head was split, and the time is
 * linear. One empty line before a request is skipped, as RFC 9112, section 2.2, recommends, but no second one.
 *
 * <p>Requests are parsed strictly. In responses, which are rewritten, unambiguous deviations are {@linkplain Tolerance
 * tolerated} and normalized: a bare LF as a line end, obs-fold, white space before a colon, and a status line with extra spaces
 * before the status or without the space before an absent reason.
 *
 * <p>Threading: for one thread at a time.
 *
 * @param <T> {@link RequestHead} or {@link ResponseHead}
 */
public final class HeadParser<T> {

    private enum State {
        START,
        EMPTY,
        FIRST_LINE,
        FIRST_LINE_LF,
        FIELDS,
        OVER
    }

    private static final byte[] NOTHING = {};
    private static final int FIRST_CAPACITY = 512;

    private final HeadLimits limits;
    private final FirstLine<T> firstLine;
    private final Tolerance tolerance;
    private final FieldLines fieldLines;
    private State state;

    /** The number of bytes of the head read so far. */
    private int length;

    /** The bytes of earlier calls; stays empty if the head arrives in one piece. */
    private byte[] kept = NOTHING;

    private int keptLength;

    private HeadParser(HeadLimits limits, FirstLine<T> firstLine, Tolerance tolerance, State start) {
        this.limits = limits;
        this.firstLine = firstLine;
        this.tolerance = tolerance;
        fieldLines = new FieldLines(limits.fields(), tolerance);
        state = start;
    }

    /** Creates a parser for one request head. */
    public static HeadParser<RequestHead> request(HeadLimits limits) {
        return new HeadParser<>(limits, new RequestLine(), Tolerance.NONE, State.START);
    }

    /**
     * Creates a parser for one response head. An empty line before it is refused, since it may be the rest of another response.
     */
    public static HeadParser<ResponseHead> response(HeadLimits limits) {
        return new HeadParser<>(limits, new StatusLine(), Tolerance.FIELDS_AND_LINE_ENDS, State.FIRST_LINE);
    }

    /** Creates a parser for the response to this proxy's own CONNECT, which also skips one leading empty line. */
    public static HeadParser<ResponseHead> connectResponse(HeadLimits limits) {
        return new HeadParser<>(limits, new StatusLine(), Tolerance.FIELDS_AND_LINE_ENDS, State.START);
    }

    /** Whether any byte of the head has been read: if not, an end of input is orderly, otherwise the head is truncated. */
    public boolean begun() {
        return length > 0;
    }

    /**
     * Reads more bytes. The buffer's position advances to the end of the buffer if more bytes are needed, to the byte after the
     * head if it is complete (bytes that follow remain in the buffer), and past the offending byte if the head is refused. The
     * head does not retain the buffer.
     *
     * @return the head, or null if it is not complete yet
     * @throws BadHeadException if the head is refused
     * @throws IllegalStateException if the head was already returned or refused
     */
    public @Nullable T feed(ByteBuffer in) throws BadHeadException {
        State now = state;
        if (now == State.OVER) {
            throw new IllegalStateException("the parser has read its head");
        }
        state = State.OVER; // remains so if a byte is refused
        while (in.hasRemaining()) {
            now = next(now, in.get());
            if (now == State.OVER) {
                byte[] bytes = takeBytes(in);
                return firstLine.head(bytes, fieldLines.fields(bytes));
            }
            requireRoom();
        }
        state = now;
        keepBytes(in);
        return null;
    }

    private State next(State now, byte b) throws BadHeadException {
        return switch (now) {
            case START -> start(b);
            case EMPTY -> emptyLine(b);
            case FIRST_LINE -> firstLine(b);
            case FIRST_LINE_LF -> firstLineLf(b);
            case FIELDS -> fields(b);
            case OVER -> throw new AssertionError("no byte is read past the end");
        };
    }

    private State start(byte b) throws BadHeadException {
        if (b == CR) {
            return State.EMPTY;
        }
        return tolerance.endsLine(b) ? State.FIRST_LINE : firstLine(b);
    }

    /** The empty line is not part of the head: its bytes are neither counted nor kept. */
    private static State emptyLine(byte b) throws BadHeadException {
        Grammar.requireLf(b);
        return State.FIRST_LINE;
    }

    private State firstLine(byte b) throws BadHeadException {
        int index = length++;
        if (b == CR || tolerance.endsLine(b)) {
            firstLine.end(index);
            return b == CR ? State.FIRST_LINE_LF : State.FIELDS;
        }
        if (index >= limits.firstLineBytes()) {
            throw firstLine.tooLong();
        }
        firstLine.next(b, index);
        return State.FIRST_LINE;
    }

    private State firstLineLf(byte b) throws BadHeadException {
        length++;
        Grammar.requireLf(b);
        return State.FIELDS;
    }

    private State fields(byte b) throws BadHeadException {
        return fieldLines.next(b, length++) ? State.OVER : State.FIELDS;
    }

    private void requireRoom() throws BadHeadException {
        if (length >= limits.headBytes()) {
            throw new BadHeadException(Problem.TOO_LARGE, "the head is too large");
        }
    }

    /** Keeps the bytes of the head that this call has read. */
    private void keepBytes(ByteBuffer in) {
        if (kept.length < length) {
            int doubled = Math.min(2 * kept.length, limits.headBytes());
            kept = Arrays.copyOf(kept, Math.max(length, Math.max(FIRST_CAPACITY, doubled)));
        }
        copyFresh(in, kept);
    }

    /** Returns the bytes of the head in an array of exactly its length. */
    private byte[] takeBytes(ByteBuffer in) {
        byte[] bytes = Arrays.copyOf(kept, length);
        copyFresh(in, bytes);
        kept = NOTHING;
        return bytes;
    }

    private void copyFresh(ByteBuffer in, byte[] to) {
        int fresh = length - keptLength;
        in.get(in.position() - fresh, to, keptLength, fresh);
        keptLength = length;
    }
}
