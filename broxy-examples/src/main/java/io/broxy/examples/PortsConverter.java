package io.broxy.examples;

import io.broxy.AccessPolicy;

/** Reads ports and ranges of ports, such as {@code 80,443,8000-8999}. Threading: immutable. */
final class PortsConverter implements Converter<AccessPolicy> {
    @Override
    public AccessPolicy convert(String text) {
        AccessPolicy policy = AccessPolicy.any().negate();
        for (String part : text.split(",", -1)) {
            int dash = part.indexOf('-');
            int first = port(text, part, dash < 0 ? part : part.substring(0, dash));
            int last = dash < 0 ? first : port(text, part, part.substring(dash + 1));
            if (first > last) {
                throw new IllegalArgumentException(
                        Found.value(text) + " has a range whose first port is above its last: " + Found.value(part));
            }
            policy = policy.or(AccessPolicy.portRange(first, last));
        }
        return policy;
    }

    private static int port(String text, String part, String number) {
        int port = number.matches("[0-9]{1,5}") ? Integer.parseInt(number) : 0;
        if (port < 1 || port > 65_535) {
            throw new IllegalArgumentException(Found.value(text)
                    + " is not a list of ports such as 443 or 80,443,8000-8999: " + Found.value(part)
                    + " is neither a port of 1 to 65535 nor a range");
        }
        return port;
    }
}
