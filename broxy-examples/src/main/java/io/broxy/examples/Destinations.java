package io.broxy.examples;

import io.broxy.AddressPolicy;
import io.broxy.Cidr;
import java.util.List;
import java.util.stream.Stream;

/** From the options to the addresses that clients may reach. */
final class Destinations {
    private Destinations() {}

    static AddressPolicy policy(ServerOptions options) {
        AddressPolicy policy = AddressPolicy.publicOnly();
        if (options.allowPrivate()) {
            policy = policy.or(AddressPolicy.allowing(privateBlocks()));
        }
        if (!options.allow().isEmpty()) {
            policy = policy.or(AddressPolicy.allowing(options.allow()));
        }
        return options.deny().isEmpty() ? policy : policy.and(AddressPolicy.denying(options.deny()));
    }

    /** Link-local is not among them: 169.254.169.254 serves a cloud machine's credentials to every client. */
    private static List<Cidr> privateBlocks() {
        return Stream.of(
                        "10.0.0.0/8", // RFC 1918
                        "172.16.0.0/12",
                        "192.168.0.0/16",
                        "100.64.0.0/10", // RFC 6598, carrier NAT
                        "127.0.0.0/8", // RFC 1122, loopback
                        "::1",
                        "fc00::/7") // RFC 4193
                .map(Cidr::parse)
                .toList();
    }
}
