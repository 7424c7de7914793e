package io.broxy.examples;

import io.broxy.Cidr;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a block of addresses. Threading: immutable. */
final class CidrConverter implements ITypeConverter<Cidr> {
    @Override
    public Cidr convert(String text) {
        try {
            return Cidr.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
