package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;

import java.nio.ByteBuffer;

/**
 * Walks over the members of a list field; all lines of the name make one list, and empty members are passed over
 * (RFC 9110, section 5.6.1). A comma within quotes divides like any other, so this is for lists of tokens.
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
     * Connection, Upgrade and Expect have one or two. Members are compared each with each of something else, which must
     * not become a way to make much work with one head.
     */
    private static final int MAX_MEMBERS = 64;

    private final Fields fields;
    private final byte[] bytes;
    private final String name;

    /** The line that is being walked over, or -1 before the first. */
    private int line = -1;

    /** Where the next member of the line begins; behind {@code lineEnd} when it has none. */
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
     * Goes to the next member that is not empty, of at most 64.
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

    /** Goes to the next member, however many there are: for walks that compare each with one thing. */
    boolean nextOfAny() {
        while (at <= lineEnd || nextLine()) {
            nextMember();
            if (start < end) {
                return true;
            }
        }
        return false;
    }

    /** The index of the field line that has the member. */
    int line() {
        return line;
    }

    /** Where the member begins in the head. */
    int start() {
        return start;
    }

    /** Where the member ends in the head. */
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

    /** Whether the member is this text, letter case aside. */
    boolean is(String text) {
        return Grammar.equalsIgnoreCase(bytes, start, end, text);
    }

    /** Whether both members are the same, letter case aside. */
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

    /** Whether the member is {@code protocol-name [ "/" protocol-version ]}, tokens both (RFC 9110, section 7.8). */
    boolean isProtocol() {
        int slash = Grammar.indexOf(bytes, '/', start, end);
        return isToken(start, slash) && (slash == end || isToken(slash + 1, end));
    }

    private boolean isToken(int from, int to) {
        return from < to && Grammar.afterToken(bytes, from, to) == to;
    }

    /** Puts the member as it was received. */
    void put(ByteBuffer out) {
        out.put(bytes, start, end - start);
    }
}
