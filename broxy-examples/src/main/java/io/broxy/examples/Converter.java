package io.broxy.examples;

/** Parses the value of an option. Threading: immutable. */
interface Converter<T> {
    /**
     * Reads the text.
     *
     * @throws IllegalArgumentException if it is wrong; the user sees the message
     */
    T convert(String text);
}
