package io.broxy.examples;

/** Reads a token (RFC 9110 section 5.6.2). Threading: immutable. */
final class TokenConverter implements Converter<String> {
    @Override
    public String convert(String text) {
        if (!text.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+")) {
            throw new IllegalArgumentException(
                    Found.value(text) + " is not a token: letters, digits and !#$%&'*+-.^_`|~");
        }
        return text;
    }
}
