package io.broxy.examples;

import io.broxy.AccessPolicy;
import io.broxy.Cidr;
import java.util.List;

/**
 * The mini-server's options for the requests that it serves. Threading: filled in by one thread, and not changed after that.
 */
final class AccessOptions {
    private final Setting<List<Cidr>> clients;
    private final Setting<AccessPolicy> ports;
    private final Setting<List<String>> deniedHosts;

    /** Adds its options. */
    AccessOptions(OptionSet options) {
        clients = options.many(
                "--allow-client",
                "CIDR",
                Cidr::parse,
                "Only clients with these addresses are served; others get 403. May be repeated. Default: all");
        ports = options.one(
                "--allow-ports",
                "PORTS",
                new PortsConverter(),
                AccessPolicy.any(),
                "Clients may reach these ports only, such as 443 or 80,443,8000-8999. Default: all");
        deniedHosts = options.many(
                "--deny-host",
                "NAME",
                new HostConverter(),
                "Clients may not reach this host and the names below it, whatever its addresses are; they get 403. May be"
                        + " repeated.");
    }

    /** Which requests are served. */
    AccessPolicy policy() {
        AccessPolicy policy = ports();
        if (!clients().isEmpty()) {
            policy = AccessPolicy.clients(clients()).and(policy);
        }
        return deniedHosts().isEmpty()
                ? policy
                : policy.and(AccessPolicy.hosts(deniedHosts()).negate());
    }

    /** The addresses of clients that are served; empty for all. */
    List<Cidr> clients() {
        return clients.value();
    }

    /** Which ports clients may reach. */
    AccessPolicy ports() {
        return ports.value();
    }

    List<String> deniedHosts() {
        return deniedHosts.value();
    }
}
