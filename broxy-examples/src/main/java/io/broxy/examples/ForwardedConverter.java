package io.broxy.examples;

import io.broxy.ForwardedMode;

/** Reads what becomes of the fields that name a client. Threading: immutable. */
final class ForwardedConverter implements Converter<ForwardedMode> {
    @Override
    public ForwardedMode convert(String text) {
        return switch (text) {
            case "pass" -> ForwardedMode.PASS;
            case "add" -> ForwardedMode.ADD;
            case "replace" -> ForwardedMode.REPLACE;
            case "remove" -> ForwardedMode.REMOVE;
            default ->
                throw new IllegalArgumentException(Found.value(text) + " is none of pass, add, replace and remove");
        };
    }
}
