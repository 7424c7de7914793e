package io.broxy.examples;

import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a name that can stand in a header field (RFC 9110 section 5.6.2). Threading: immutable. */
final class TokenConverter implements ITypeConverter<String> {
    private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

    @Override
    public String convert(String text) {
        if (!TOKEN.matcher(text).matches()) {
            throw new TypeConversionException("'" + text + "' is not a token: letters, digits and !#$%&'*+-.^_`|~");
        }
        return text;
    }
}
