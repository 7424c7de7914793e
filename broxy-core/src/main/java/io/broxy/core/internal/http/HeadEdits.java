package io.broxy.core.internal.http;

import io.broxy.ConnectRequest;
import io.broxy.FieldEdits;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The changes to the fields of a rewritten head: first those of this proxy's settings, then those of a filter.
 *
 * <p>Threading: immutable.
 */
final class HeadEdits {
    static final HeadEdits NONE = new HeadEdits(List.of(), List.of());

    /** The colon, SP, CR and LF of a line. */
    private static final int LINE_OVERHEAD = 4;

    /** Case-insensitive. */
    private final List<String> removed;

    private final List<ConnectRequest.Field> added;

    private HeadEdits(Collection<String> removed, List<ConnectRequest.Field> added) {
        this.removed = List.copyOf(removed);
        this.added = added;
    }

    /** These changes followed by others. */
    HeadEdits and(FieldEdits others) {
        return and(others.removed(), others.added());
    }

    /** These changes, and a field that replaces all others with its name. */
    HeadEdits and(String name, String value) {
        return and(Set.of(name), List.of(new ConnectRequest.Field(name, value)));
    }

    /** These changes, and the removal of all fields with a name. */
    HeadEdits without(String name) {
        return and(Set.of(name), List.of());
    }

    private HeadEdits and(Set<String> names, List<ConnectRequest.Field> fields) {
        Set<String> gone = new LinkedHashSet<>(removed);
        gone.addAll(names);
        List<ConnectRequest.Field> all = new ArrayList<>(added);
        all.removeIf(field -> names.stream().anyMatch(field.name()::equalsIgnoreCase));
        all.addAll(fields);
        return new HeadEdits(gone, List.copyOf(all));
    }

    /** Whether a received field is removed. */
    boolean removes(Fields fields, int index) {
        for (int i = 0; i < removed.size(); i++) {
            if (fields.isNamed(index, removed.get(i))) {
                return true;
            }
        }
        return false;
    }

    /** The values of the added fields with a name. */
    List<String> values(String name) {
        return added.stream()
                .filter(field -> field.name().equalsIgnoreCase(name))
                .map(ConnectRequest.Field::value)
                .toList();
    }

    /** The maximum number of bytes that {@link #put} puts. */
    int maxBytes() {
        int bytes = 0;
        for (ConnectRequest.Field field : added) {
            bytes += field.name().length() + field.value().length() + LINE_OVERHEAD;
        }
        return bytes;
    }

    /** Puts the added fields. */
    void put(ByteBuffer out) {
        for (int i = 0; i < added.size(); i++) {
            Ascii.putField(added.get(i).name(), added.get(i).value(), out);
        }
    }
}
