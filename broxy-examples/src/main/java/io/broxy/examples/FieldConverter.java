package io.broxy.examples;

import io.broxy.ConnectRequest;
import io.broxy.FieldEdits;

/** Reads a header field, {@code NAME: VALUE}. Threading: immutable. */
final class FieldConverter implements Converter<ConnectRequest.Field> {
    @Override
    public ConnectRequest.Field convert(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException(Found.value(text) + " has no colon between a name and a value");
        }
        String name = text.substring(0, colon);
        String value = text.substring(colon + 1).strip();
        return FieldEdits.none().add(name, value).added().get(0); // which checks both
    }

    /** Reads the name of a header field. Threading: immutable. */
    static final class Name implements Converter<String> {
        @Override
        public String convert(String text) {
            return FieldEdits.none().remove(text).removed().iterator().next();
        }
    }
}
