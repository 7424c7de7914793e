package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;

import java.nio.ByteBuffer;

/**
 * Iterates over the members of a list field; all lines of the name form one list, and empty members are skipped (RFC 9110,
 * section 5.6.1). Commas within quotes separate members, too, so this is only for lists of tokens.
 *
 * <pre>{@code
 * for (ListMembers members = new ListMembers(fields, "Connection"); members.next(); ) {
 *     if (members.is("close")) ...
 * }
 * }</pre>
 *
 * <p>Threading: for one thread at a time.
 */
final class ListMembers {
    /**
     * Connection, Upgrade and Expect usually have one or two members. Each member is compared with many others elsewhere, and
     * the limit bounds the work that one head can cause.
     */
    private static final int MAX_MEMBERS = 64;

    private final Fields fields;
    private final byte[] bytes;
    private final String name;

    /** The index of the current line, or -1 before the first. */
    private int line = -1;

    /** The start of the next member of the line; past {@code lineEnd} if there is none. */
    private int at;

    private int lineEnd = -1;
    private int count;
    private int start;
    private int end;

    ListMembers(Fields fields, String name) {
        this.fields = fields;
        this.name = name;
        bytes = fields.head();
    }

    /**
     * Advances to the next nonempty member, of at most 64.
     *
     * @return whether there is one
     * @throws BadHeadException if there are too many
     */
    boolean next() throws BadHeadException {
        if (!nextOfAny()) {
            return false;
        }
        if (++count > MAX_MEMBERS) {
            throw syntax("a list has too many members");
        }
        return true;
    }

    /** Advances to the next member without a limit, for iterations with constant work per member. */
    boolean nextOfAny() {
        while (at <= lineEnd || nextLine()) {
            nextMember();
            if (start < end) {
                return true;
            }
        }
        return false;
    }

    /** The index of the field line that contains the member. */
    int line() {
        return line;
    }

    /** The start of the member in the head. */
    int start() {
        return start;
    }

    /** The end of the member in the head. */
    int end() {
        return end;
    }

    private boolean nextLine() {
        line = fields.indexOf(name, line + 1);
        if (line < 0) {
            line = fields.size();
            return false;
        }
        at = fields.valueStart(line);
        lineEnd = fields.valueEnd(line);
        return true;
    }

    private void nextMember() {
        start = at;
        end = Grammar.indexOf(bytes, ',', at, lineEnd);
        at = end + 1;
        start = Grammar.afterOws(bytes, start, end);
        while (start < end && Grammar.isOws(bytes[end - 1])) {
            end--;
        }
    }

    /** Whether the member equals a text, ignoring case. */
    boolean is(String text) {
        return Grammar.equalsIgnoreCase(bytes, start, end, text);
    }

    /** Whether two members are equal, ignoring case. */
    boolean is(ListMembers other) {
        return Grammar.equalsIgnoreCase(bytes, start, end, other.bytes, other.start, other.end);
    }

    /** Whether the member is the name of a field. */
    boolean isNameOf(Fields others, int index) {
        return Grammar.equalsIgnoreCase(
                bytes, start, end, others.head(), others.nameStart(index), others.nameEnd(index));
    }

    boolean isToken() {
        return isToken(start, end);
    }

    /**
     * Whether the member is {@code protocol-name [ "/" protocol-version ]}, both of which are tokens (RFC 9110, section 7.8).
     */
    boolean isProtocol() {
        int slash = Grammar.indexOf(bytes, '/', start, end);
        return isToken(start, slash) && (slash == end || isToken(slash + 1, end));
    }

    private boolean isToken(int from, int to) {
        return from < to && Grammar.afterToken(bytes, from, to) == to;
    }

    /** Puts the member as received. */
    void put(ByteBuffer out) {
        out.put(bytes, start, end - start);
    }
}
