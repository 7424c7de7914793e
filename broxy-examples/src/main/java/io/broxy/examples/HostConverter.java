package io.broxy.examples;

import io.broxy.HostPort;

/** Reads a host, a name or an address. Threading: immutable. */
final class HostConverter implements Converter<String> {
    private static final int ANY_PORT = 1;

    @Override
    public String convert(String text) {
        return HostPort.of(text, ANY_PORT).host();
    }
}
