package io.broxy;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Changes to the header fields of a forwarded request or response. Names are compared ignoring case.
 *
 * <p>Fields that frame the message, that concern one connection (RFC 9110 section 7.6.1) or that the proxy derives from the
 * request cannot be changed: {@code Content-Length}, {@code Transfer-Encoding}, {@code Trailer}, {@code TE}, {@code Host},
 * {@code Expect}, {@code Connection}, {@code Keep-Alive}, {@code Upgrade}, {@code HTTP2-Settings}, {@code Proxy-Connection},
 * {@code Proxy-Authenticate}, {@code Proxy-Authorization}, {@code Proxy-Authentication-Info}, {@code Proxy-Support}.
 *
 * <p>A method whose field cannot be changed or written throws {@link IllegalArgumentException}: if it is one of these; its name
 * is not a token; its value has a control character other than HTAB, such as CR and LF, has a character outside ISO-8859-1, or
 * begins or ends with white space; or the added fields exceed {@link #MAX_BYTES}.
 *
 * <p>Added fields come after the received ones, in their order. Trailers stay as they are.
 *
 * <p>Threading: immutable.
 */
public final class FieldEdits {
    /** The most bytes of all added field lines together. */
    public static final int MAX_BYTES = 8 * 1024;

    private static final Set<String> DERIVED = Set.of("expect", "host", "proxy-support");
    private static final int LINE_OVERHEAD = ": \r\n".length();
    private static final FieldEdits NONE = new FieldEdits(Set.of(), List.of());

    /** In lower case. */
    private final Set<String> removed;

    private final List<ConnectRequest.Field> added;

    private FieldEdits(Set<String> removed, List<ConnectRequest.Field> added) {
        this.removed = removed;
        this.added = added;
    }

    /** No changes. */
    public static FieldEdits none() {
        return NONE;
    }

    /** These changes and a field that replaces all others of its name, be they received or added before. */
    public FieldEdits set(String name, String value) {
        return remove(name).add(name, value);
    }

    /** These changes and one field more. */
    public FieldEdits add(String name, String value) {
        check(name);
        FieldSyntax.checkValue(name, value);
        List<ConnectRequest.Field> more = new ArrayList<>(added);
        more.add(new ConnectRequest.Field(name, value));
        if (bytes(more) > MAX_BYTES) {
            throw new IllegalArgumentException("the added fields exceed " + MAX_BYTES + " bytes");
        }
        return new FieldEdits(removed, List.copyOf(more));
    }

    /** These changes without any field of this name, be it received or added before. */
    public FieldEdits remove(String name) {
        check(name);
        Set<String> more = new LinkedHashSet<>(removed);
        more.add(FieldSyntax.lowerCase(name));
        return new FieldEdits(
                Set.copyOf(more),
                added.stream()
                        .filter(field -> !field.name().equalsIgnoreCase(name))
                        .toList());
    }

    private static void check(String name) {
        FieldSyntax.checkName(name);
        if (DERIVED.contains(FieldSyntax.lowerCase(name))) {
            throw new IllegalArgumentException("the proxy itself writes " + name);
        }
    }

    private static int bytes(List<ConnectRequest.Field> fields) {
        int bytes = 0;
        for (ConnectRequest.Field field : fields) {
            bytes += field.name().length() + field.value().length() + LINE_OVERHEAD;
        }
        return bytes;
    }

    /** The names of the received fields that are removed, in lower case and no particular order; unmodifiable. */
    public Set<String> removed() {
        return removed;
    }

    /** The fields that are added, in their order; unmodifiable. */
    public List<ConnectRequest.Field> added() {
        return added;
    }

    /** Whether nothing is changed. */
    public boolean isEmpty() {
        return removed.isEmpty() && added.isEmpty();
    }

    /** Shows the names only; values may be secrets. */
    @Override
    public String toString() {
        return "FieldEdits[removed " + removed + ", added " + added + "]";
    }
}
