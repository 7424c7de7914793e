package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Grammar.CR;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads one head of HTTP/1.1 (RFC 9112, section 2.1) without I/O: bytes in; a head, "need more" or a
 * {@link BadHeadException} out.
 *
 * <pre>
 *              CR             LF
 *   START ─────────> EMPTY ───────┐            (not before a forwarded response)
 *     │                           v      CR                    LF           empty line
 *     └──────────────────────> FIRST_LINE ──> FIRST_LINE_LF ───────> FIELDS ───────────> OVER
 * </pre>
 *
 * <p>Every byte is looked at once, in the order of its coming, so the outcome cannot depend on how the head was cut
 * into pieces, and the time is linear. Before a request one empty line is skipped, as RFC 9112, section 2.2, asks for,
 * and no second one.
 *
 * <p>Requests are read strictly. In a response, which is written anew, what cannot be misread is {@linkplain Tolerance
 * tolerated} and normalised: a LF alone as a line's end, obs-fold, white space before a colon, and a status line with
 * spaces before the status or without the one before an absent reason.
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

    /** How many bytes of the head have been read. */
    private int length;

    /** The bytes that came with earlier calls; stays empty when the head comes in one piece. */
    private byte[] kept = NOTHING;

    private int keptLength;

    private HeadParser(HeadLimits limits, FirstLine<T> firstLine, Tolerance tolerance, State start) {
        this.limits = limits;
        this.firstLine = firstLine;
        this.tolerance = tolerance;
        fieldLines = new FieldLines(limits.fields(), tolerance);
        state = start;
    }

    /** A parser of one request head. */
    public static HeadParser<RequestHead> request(HeadLimits limits) {
        return new HeadParser<>(limits, new RequestLine(), Tolerance.NONE, State.START);
    }

    /**
     * A parser of one response head. An empty line before it is refused: it may be what was left over of another
     * response.
     */
    public static HeadParser<ResponseHead> response(HeadLimits limits) {
        return new HeadParser<>(limits, new StatusLine(), Tolerance.FIELDS_AND_LINE_ENDS, State.FIRST_LINE);
    }

    /** A parser of the head that answers a CONNECT of this proxy's own, before which one empty line is skipped, too. */
    public static HeadParser<ResponseHead> connectResponse(HeadLimits limits) {
        return new HeadParser<>(limits, new StatusLine(), Tolerance.FIELDS_AND_LINE_ENDS, State.START);
    }

    /** Whether a byte of the head has come: input that ends before is at its end, and after that it is cut. */
    public boolean begun() {
        return length > 0;
    }

    /**
     * Reads on. The buffer's position moves past what was read: to the end of the buffer when more is needed, to the
     * byte behind the head when that is complete (what follows is left in the buffer), and behind the offending byte
     * when the head is refused. The head keeps no hold on the buffer.
     *
     * @return the head, or null when it is not complete yet
     * @throws BadHeadException if the head is refused
     * @throws IllegalStateException if the head has been given or refused before
     */
    public @Nullable T feed(ByteBuffer in) throws BadHeadException {
        State now = state;
        if (now == State.OVER) {
            throw new IllegalStateException("the parser has read its head");
        }
        state = State.OVER; // and so it remains if a byte is refused
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

    /** The empty line is no part of the head: its bytes are neither counted nor kept. */
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

    /** Keeps what this call has read of the head. */
    private void keepBytes(ByteBuffer in) {
        if (kept.length < length) {
            int doubled = Math.min(2 * kept.length, limits.headBytes());
            kept = Arrays.copyOf(kept, Math.max(length, Math.max(FIRST_CAPACITY, doubled)));
        }
        copyFresh(in, kept);
    }

    /** All bytes of the head in an array that has no others. */
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
