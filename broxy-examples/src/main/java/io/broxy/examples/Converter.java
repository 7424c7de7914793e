package io.broxy.examples;

/** Understands the text of an option. Threading: immutable. */
interface Converter<T> {
    /**
     * Reads the text.
     *
     * @throws IllegalArgumentException if it is wrong; the message is told to the user
     */
    T convert(String text);
}
