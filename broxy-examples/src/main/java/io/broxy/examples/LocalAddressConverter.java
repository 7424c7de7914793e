package io.broxy.examples;

import io.broxy.HostPort;
import java.net.InetAddress;

/** Reads an IP address, not a name. Threading: immutable. */
final class LocalAddressConverter implements Converter<InetAddress> {
    private static final int ANY_PORT = 1;

    @Override
    public InetAddress convert(String text) {
        InetAddress address = HostPort.of(text, ANY_PORT).address();
        if (address == null) {
            throw new IllegalArgumentException(Found.value(text) + " is a name; an IP address is expected");
        }
        return address;
    }
}
