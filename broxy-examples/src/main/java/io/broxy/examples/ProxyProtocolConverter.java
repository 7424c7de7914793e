package io.broxy.examples;

import io.broxy.ProxyProtocol;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a version of the PROXY protocol. Threading: immutable. */
final class ProxyProtocolConverter implements ITypeConverter<ProxyProtocol> {

    @Override
    public ProxyProtocol convert(String text) {
        return switch (text) {
            case "v1" -> ProxyProtocol.V1;
            case "v2" -> ProxyProtocol.V2;
            default -> throw new TypeConversionException("'" + text + "' is neither v1 nor v2");
        };
    }
}
