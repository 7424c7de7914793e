package io.broxy.examples.admin;

import io.broxy.HostPort;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;

/**
 * The names under which a browser may reach the admin address. A page of another site whose name leads here (DNS
 * rebinding) would be of the same origin otherwise, and could read and close what the operator can.
 *
 * <p>Threading: immutable.
 */
final class AdminHosts {
    private static final int ANY_PORT = 80;

    private final Set<String> names;

    /** Admits {@code localhost}, literal addresses and these names. */
    AdminHosts(Collection<String> names) {
        this.names = new TreeSet<>(names);
        this.names.add("localhost");
    }

    /**
     * Whether the host of a request is one of them.
     *
     * @param host the value of {@code Host}, with or without a port
     */
    boolean admits(String host) {
        boolean port = host.indexOf(':', host.indexOf(']') + 1) >= 0;
        try {
            HostPort parsed = port ? HostPort.parse(host) : HostPort.of(host, ANY_PORT);
            return parsed.isLiteral() || names.contains(parsed.host());
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
