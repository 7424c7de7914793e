package io.broxy.examples;

import io.broxy.ProxyProtocol;

/** Reads a version of the PROXY protocol. Threading: immutable. */
final class ProxyProtocolConverter implements Converter<ProxyProtocol> {

    @Override
    public ProxyProtocol convert(String text) {
        return switch (text) {
            case "v1" -> ProxyProtocol.V1;
            case "v2" -> ProxyProtocol.V2;
            default -> throw new IllegalArgumentException(Found.value(text) + " is neither v1 nor v2");
        };
    }
}
