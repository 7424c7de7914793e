package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;
import static io.broxy.core.internal.http.Grammar.CR;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.util.Arrays;

/**
 * {@code *( field-name ":" OWS field-value OWS CRLF ) CRLF} (RFC 9112, section 5). Nothing may stand before the name
 * (that would be obs-fold) nor between the name and its colon.
 *
 * <pre>
 *     ┌───────────────────────LF── LINE_LF <──CR────────┬───────────────┐
 *     v                                                 │               │
 *   LINE_START ──tchar──> NAME ──':'──> BEFORE_VALUE ───┴──> VALUE ─────┘
 *     └────CR───> LAST_LF ──LF──> (ended)
 * </pre>
 *
 * <p>Threading: for one thread at a time.
 */
final class FieldLines {

    private enum State {
        LINE_START,
        NAME,
        BEFORE_VALUE,
        VALUE,
        LINE_LF,
        LAST_LF
    }

    /** Enough for what the usual clients send with CONNECT. */
    private static final int FIRST_CAPACITY = 8;

    private final int maxCount;
    private State state = State.LINE_START;
    private int count;

    /** As {@link Fields} wants them. */
    private char[] offsets = new char[FIRST_CAPACITY * Fields.OFFSETS];

    private int valueStart;
    private int valueEnd;

    FieldLines(int maxCount) {
        this.maxCount = maxCount;
    }

    /**
     * Takes the next byte.
     *
     * @param index of the byte in the head
     * @return whether it was the last one of the head
     */
    boolean next(byte b, int index) throws BadHeadException {
        switch (state) {
            case LINE_START -> lineStart(b, index);
            case NAME -> name(b, index);
            case BEFORE_VALUE -> beforeValue(b, index);
            case VALUE -> value(b, index);
            case LINE_LF -> lineLf(b);
            case LAST_LF -> {
                Grammar.requireLf(b);
                return true;
            }
        }
        return false;
    }

    private void lineStart(byte b, int index) throws BadHeadException {
        if (b == CR) {
            state = State.LAST_LF;
        } else if (Grammar.isTchar(b)) {
            beginField(index);
            state = State.NAME;
        } else if (Grammar.isOws(b)) {
            throw syntax(b, "a field line begins with white space");
        } else {
            throw syntax(b, "a field name is not a token");
        }
    }

    private void name(byte b, int index) throws BadHeadException {
        if (b == ':') {
            offsets[Fields.OFFSETS * count + Fields.NAME_END] = (char) index;
            state = State.BEFORE_VALUE;
        } else if (Grammar.isOws(b)) {
            throw syntax(b, "white space before the colon of a field");
        } else if (!Grammar.isTchar(b)) {
            throw syntax(b, "a field name is not a token");
        }
    }

    private void beforeValue(byte b, int index) throws BadHeadException {
        if (Grammar.isOws(b)) {
            return;
        }
        valueStart = index;
        valueEnd = index;
        state = State.VALUE;
        value(b, index);
    }

    private void value(byte b, int index) throws BadHeadException {
        if (b == CR) {
            endField();
            state = State.LINE_LF;
        } else if (!Grammar.isFieldByte(b)) {
            throw syntax(b, "a field value has a control character");
        } else if (!Grammar.isOws(b)) {
            valueEnd = index + 1;
        }
    }

    private void lineLf(byte b) throws BadHeadException {
        Grammar.requireLf(b);
        state = State.LINE_START;
    }

    private void beginField(int index) throws BadHeadException {
        if (count == maxCount) {
            throw new BadHeadException(Problem.TOO_MANY_FIELDS, "too many fields");
        }
        if (offsets.length == Fields.OFFSETS * count) {
            offsets = Arrays.copyOf(offsets, 2 * offsets.length);
        }
        offsets[Fields.OFFSETS * count + Fields.NAME_START] = (char) index;
    }

    private void endField() {
        offsets[Fields.OFFSETS * count + Fields.VALUE_START] = (char) valueStart;
        offsets[Fields.OFFSETS * count + Fields.VALUE_END] = (char) valueEnd;
        count++;
    }

    /** What has been read, over the bytes of the whole head. */
    Fields fields(byte[] head) {
        return new Fields(head, offsets, count);
    }
}
