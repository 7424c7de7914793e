package io.broxy.core.internal.http;

import io.broxy.ConnectRequest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a head in order, including duplicates (RFC 9110, section 5.3). This is a view of the head's bytes: searches
 * compare bytes, and Strings are created on request, from ISO-8859-1, and not cached.
 *
 * <p>Names are compared ignoring the case of US-ASCII letters. Values exclude surrounding white space.
 *
 * <p>Threading: immutable.
 */
public final class Fields {
    /** The number of offsets for each field, in the order of the following constants. */
    static final int OFFSETS = 4;

    static final int NAME_START = 0;
    static final int NAME_END = 1;
    static final int VALUE_START = 2;
    static final int VALUE_END = 3;

    private static final int CRLF_LENGTH = 2;

    private final byte[] head;
    /** Offsets into {@code head}. */
    private final int[] offsets;

    private final int size;
    private final boolean framingFolded;

    Fields(byte[] head, int[] offsets, int size) {
        this(head, offsets, size, false);
    }

    Fields(byte[] head, int[] offsets, int size, boolean framingFolded) {
        this.head = head;
        this.offsets = offsets;
        this.size = size;
        this.framingFolded = framingFolded;
    }

    /** Whether a framing field was folded when received. */
    boolean isFramingFolded() {
        return framingFolded;
    }

    /** The number of field lines. */
    public int size() {
        return size;
    }

    /**
     * The name of a field, as received.
     *
     * @throws IndexOutOfBoundsException if there is no such field
     */
    public String name(int index) {
        return text(offset(index, NAME_START), offset(index, NAME_END));
    }

    /**
     * The value of a field, which may be empty.
     *
     * @throws IndexOutOfBoundsException if there is no such field
     */
    public String value(int index) {
        return text(valueStart(index), valueEnd(index));
    }

    /**
     * Whether a field has this name.
     *
     * @throws IndexOutOfBoundsException if there is no such field
     */
    public boolean isNamed(int index, String name) {
        return Grammar.equalsIgnoreCase(head, offset(index, NAME_START), offset(index, NAME_END), name);
    }

    /** The value of the first field with a name, or null if there is none. */
    public @Nullable String first(String name) {
        int index = indexOf(name, 0);
        return index < 0 ? null : value(index);
    }

    /** The values of all fields with a name, in order; unmodifiable. */
    public List<String> values(String name) {
        List<String> values = new ArrayList<>(1);
        for (int i = indexOf(name, 0); i >= 0; i = indexOf(name, i + 1)) {
            values.add(value(i));
        }
        return List.copyOf(values);
    }

    /** All fields in the API's form; unmodifiable. */
    public List<ConnectRequest.Field> list() {
        return listWithout(-1);
    }

    /** All fields in the API's form except the first one with a name; unmodifiable. */
    public List<ConnectRequest.Field> listWithout(String hidden) {
        return listWithout(indexOf(hidden, 0));
    }

    private List<ConnectRequest.Field> listWithout(int hidden) {
        return new AbstractList<>() {
            @Override
            public ConnectRequest.Field get(int index) {
                int of = hidden < 0 || index < hidden ? index : index + 1;
                return new ConnectRequest.Field(name(of), value(of));
            }

            @Override
            public int size() {
                return hidden < 0 ? size : size - 1;
            }
        };
    }

    /** Whether there is a field with a name. */
    public boolean contains(String name) {
        return indexOf(name, 0) >= 0;
    }

    /** The number of fields with a name. */
    public int count(String name) {
        int count = 0;
        for (int i = indexOf(name, 0); i >= 0; i = indexOf(name, i + 1)) {
            count++;
        }
        return count;
    }

    /**
     * Whether a list field has a token as a member, ignoring case; all lines of the name form one list (RFC 9110, section
     * 5.6.1). Only for lists of plain tokens, such as Connection and Upgrade: members with parameters do not match, and commas
     * within quotes separate members.
     */
    public boolean containsToken(String name, String token) {
        for (ListMembers members = new ListMembers(this, name); members.nextOfAny(); ) {
            if (members.is(token)) {
                return true;
            }
        }
        return false;
    }

    /**
     * A whole field line with its white space and CRLF, as received or {@linkplain FieldLines normalized}; read-only.
     *
     * @throws IndexOutOfBoundsException if there is no such field
     */
    public ByteBuffer line(int index) {
        int start = offset(index, NAME_START);
        return ByteBuffer.wrap(head, start, lineEnd(index) - start).slice().asReadOnlyBuffer();
    }

    /** Copies a whole field line with its CRLF. */
    void copyLine(int index, HeadWriter to) {
        int start = offset(index, NAME_START);
        to.append(head, start, lineEnd(index) - start);
    }

    /**
     * Puts a range of field lines as received.
     *
     * @param from the index of the first line
     * @param to the index after the last line
     */
    void putLines(int from, int to, ByteBuffer out) {
        int start = lineStart(from);
        out.put(head, start, lineStart(to) - start);
    }

    /** Puts all field lines as received, except removed ones. */
    void putLinesWithout(IntPredicate removed, ByteBuffer out) {
        int run = 0;
        for (int i = 0; i < size; i++) {
            if (removed.test(i)) {
                putLines(run, i, out);
                run = i + 1;
            }
        }
        putLines(run, size, out);
    }

    /** Puts the part of a line before the value as received: name, colon and white space. */
    void putName(int index, ByteBuffer out) {
        int start = lineStart(index);
        out.put(head, start, valueStart(index) - start);
    }

    /** The total length of all lines. */
    int linesLength() {
        return lineStart(size) - lineStart(0);
    }

    /** Whether the name of a field starts with a prefix, ignoring case. */
    boolean nameBeginsWith(int index, String prefix) {
        int start = offset(index, NAME_START);
        int end = start + prefix.length();
        return end <= offset(index, NAME_END) && Grammar.equalsIgnoreCase(head, start, end, prefix);
    }

    /** The start of a line or, for the index after the last line, of the empty line. */
    int lineStart(int index) {
        return index < size ? offset(index, NAME_START) : head.length - CRLF_LENGTH;
    }

    private int lineEnd(int index) {
        return lineStart(index + 1);
    }

    /** The index of the next field with a name, at or after an index; or -1. */
    int indexOf(String name, int from) {
        for (int i = from; i < size; i++) {
            if (isNamed(i, name)) {
                return i;
            }
        }
        return -1;
    }

    /** Whether a field's value equals a text, ignoring case. */
    boolean isValue(int index, String text) {
        return Grammar.equalsIgnoreCase(head, valueStart(index), valueEnd(index), text);
    }

    /** The bytes of the head, for code in this package that avoids creating Strings. */
    byte[] head() {
        return head;
    }

    int nameStart(int index) {
        return offset(index, NAME_START);
    }

    int nameEnd(int index) {
        return offset(index, NAME_END);
    }

    int valueStart(int index) {
        return offset(index, VALUE_START);
    }

    int valueEnd(int index) {
        return offset(index, VALUE_END);
    }

    private int offset(int index, int which) {
        return offsets[OFFSETS * Objects.checkIndex(index, size) + which];
    }

    private String text(int from, int to) {
        return new String(head, from, to - from, StandardCharsets.ISO_8859_1);
    }

    /** Shows only the number of fields, since their values may be secrets. */
    @Override
    public String toString() {
        return "Fields[" + size + "]";
    }
}
