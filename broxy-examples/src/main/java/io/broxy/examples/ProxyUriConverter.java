package io.broxy.examples;

import io.broxy.ProxyUri;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads an upstream proxy; what it says of a wrong one never shows the password. Threading: immutable. */
final class ProxyUriConverter implements ITypeConverter<ProxyUri> {
    @Override
    public ProxyUri convert(String text) {
        try {
            return ProxyUri.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
