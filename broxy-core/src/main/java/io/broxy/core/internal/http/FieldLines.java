package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;
import static io.broxy.core.internal.http.Grammar.CR;
import static io.broxy.core.internal.http.Grammar.LF;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.util.Arrays;

/**
 * {@code *( field-name ":" OWS field-value OWS CRLF ) CRLF} (RFC 9112, section 5).
 *
 * <pre>
 *     ┌───────────────────────LF── LINE_LF <──CR────────┬───────────────┐
 *     v                                                 │               │
 *   LINE_START ──tchar──> NAME ──':'──> BEFORE_VALUE ───┴──> VALUE ─────┘
 *     │ │                   └─OWS─> BEFORE_COLON ─':'─^         ^
 *     │ └──OWS (obs-fold)───────────────────────────────────────┘
 *     └────CR───> LAST_LF ──LF──> (ended)
 * </pre>
 *
 * <p>BEFORE_COLON, obs-fold and LF in place of CRLF are only for parsers that {@linkplain Tolerance tolerate} them. If any of
 * them occurs, all lines are normalized to {@code name ": " value CRLF}, and each fold to one SP. White space before the first
 * field is not a fold and is refused (RFC 9112, section 2.2).
 *
 * <p>Threading: for one thread at a time.
 */
final class FieldLines {

    private enum State {
        LINE_START,
        NAME,
        BEFORE_COLON,
        BEFORE_VALUE,
        VALUE,
        LINE_LF,
        LAST_LF
    }

    /** Enough for the usual fields of CONNECT requests: Host, User-Agent, Proxy-Connection and Proxy-Authorization. */
    private static final int FIRST_CAPACITY = 4;

    /** The colon, SP, CR and LF of a normalized line. */
    private static final int LINE_OVERHEAD = 4;

    private final int maxCount;
    private final Tolerance tolerance;
    private State state = State.LINE_START;
    private int count;

    /** In the layout of {@link Fields}; before normalization, values may contain folds. */
    private int[] offsets = new int[FIRST_CAPACITY * Fields.OFFSETS];

    private int valueStart;
    private int valueEnd;

    /** Whether any deviation was tolerated. */
    private boolean irregular;

    private boolean folded;

    FieldLines(int maxCount, Tolerance tolerance) {
        this.maxCount = maxCount;
        this.tolerance = tolerance;
    }

    /**
     * Parses the next byte.
     *
     * @param index the index of the byte in the head
     * @return whether it was the last one of the head
     */
    boolean next(byte b, int index) throws BadHeadException {
        switch (state) {
            case LINE_START -> {
                return lineStart(b, index);
            }
            case NAME -> name(b, index);
            case BEFORE_COLON -> beforeColon(b);
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

    private boolean lineStart(byte b, int index) throws BadHeadException {
        if (b == CR) {
            state = State.LAST_LF;
        } else if (Grammar.isTchar(b)) {
            beginField(index);
            state = State.NAME;
        } else if (Grammar.isOws(b)) {
            fold();
        } else if (tolerance.endsLine(b)) {
            irregular = true;
            return true;
        } else {
            throw syntax(b, "a field name is not a token");
        }
        return false;
    }

    /** Continues the value of the last field on the next line. */
    private void fold() throws BadHeadException {
        if (!tolerance.fields() || count == 0) {
            throw syntax("a field line begins with white space");
        }
        irregular = true;
        folded = true;
        count--;
        state = valueStart == valueEnd ? State.BEFORE_VALUE : State.VALUE;
    }

    private void name(byte b, int index) throws BadHeadException {
        if (b == ':') {
            endName(index);
            state = State.BEFORE_VALUE;
        } else if (Grammar.isOws(b)) {
            if (!tolerance.fields()) {
                throw syntax(b, "white space before the colon of a field");
            }
            irregular = true;
            endName(index);
            state = State.BEFORE_COLON;
        } else if (!Grammar.isTchar(b)) {
            throw syntax(b, "a field name is not a token");
        }
    }

    private void beforeColon(byte b) throws BadHeadException {
        if (b == ':') {
            state = State.BEFORE_VALUE;
        } else if (!Grammar.isOws(b)) {
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
        } else if (tolerance.endsLine(b)) {
            irregular = true;
            endField();
            state = State.LINE_START;
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
        offsets[Fields.OFFSETS * count + Fields.NAME_START] = index;
    }

    private void endName(int index) {
        offsets[Fields.OFFSETS * count + Fields.NAME_END] = index;
    }

    private void endField() {
        offsets[Fields.OFFSETS * count + Fields.VALUE_START] = valueStart;
        offsets[Fields.OFFSETS * count + Fields.VALUE_END] = valueEnd;
        count++;
    }

    /** The parsed fields, as a view of the whole head or of normalized lines. */
    Fields fields(byte[] head) {
        return irregular ? normalized(head) : new Fields(head, offsets, count);
    }

    private Fields normalized(byte[] head) {
        byte[] lines = new byte[normalizedLength()];
        int[] places = new int[offsets.length];
        int length = 0;
        for (int at = 0; at < Fields.OFFSETS * count; at += Fields.OFFSETS) {
            places[at + Fields.NAME_START] = length;
            length = copy(head, offsets[at + Fields.NAME_START], offsets[at + Fields.NAME_END], lines, length);
            places[at + Fields.NAME_END] = length;
            lines[length++] = ':';
            lines[length++] = Grammar.SP;
            places[at + Fields.VALUE_START] = length;
            length = unfold(head, offsets[at + Fields.VALUE_START], offsets[at + Fields.VALUE_END], lines, length);
            places[at + Fields.VALUE_END] = length;
            lines[length++] = CR;
            lines[length++] = LF;
        }
        lines[length++] = CR;
        lines[length++] = LF;
        return new Fields(Arrays.copyOf(lines, length), places, count, isFramingFolded(head));
    }

    /** The length of the normalized lines without folds, which is an upper bound. */
    private int normalizedLength() {
        int length = 2;
        for (int at = 0; at < Fields.OFFSETS * count; at += Fields.OFFSETS) {
            length += offsets[at + Fields.NAME_END]
                    - offsets[at + Fields.NAME_START]
                    + offsets[at + Fields.VALUE_END]
                    - offsets[at + Fields.VALUE_START]
                    + LINE_OVERHEAD;
        }
        return length;
    }

    private static int copy(byte[] from, int start, int end, byte[] to, int at) {
        System.arraycopy(from, start, to, at, end - start);
        return at + end - start;
    }

    /** Copies a value; each run of white space that contains a line end becomes one SP. */
    private static int unfold(byte[] from, int start, int end, byte[] to, int at) {
        int length = at;
        for (int i = start; i < end; i++) {
            int space = i;
            boolean fold = false;
            while (isSpaceOrLineEnd(from[i])) { // a value does not end with white space
                fold |= from[i] == LF;
                i++;
            }
            if (fold) {
                to[length++] = Grammar.SP;
            } else {
                length = copy(from, space, i, to, length);
            }
            to[length++] = from[i];
        }
        return length;
    }

    private static boolean isSpaceOrLineEnd(byte b) {
        return Grammar.isOws(b) || b == CR || b == LF;
    }

    /** Whether a framing field is folded: parsers without support for folding find a different end of the message. */
    private boolean isFramingFolded(byte[] head) {
        if (!folded) {
            return false;
        }
        Fields raw = new Fields(head, offsets, count);
        for (int i = 0; i < count; i++) {
            if (BodyFraming.isFraming(raw, i) && hasFold(head, raw.nameEnd(i), raw.valueEnd(i))) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasFold(byte[] head, int from, int to) {
        for (int i = from; i < to; i++) {
            if (head[i] == LF) {
                return true;
            }
        }
        return false;
    }
}
