package io.broxy.examples;

import io.broxy.Cidr;
import io.broxy.ProxyHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What the mini-server's options say about each client. Threading: filled in by one thread, and not changed after that. */
final class LimitOptions {

    @Option(
            names = "--max-per-client",
            paramLabel = "N",
            converter = CountConverter.class,
            description = "How many connections a client may have at once: an IPv4 address, or a /64 of IPv6."
                    + " Default: no limit")
    private @Nullable Integer maxPerClient;

    @Option(
            names = "--rate",
            paramLabel = "BYTES",
            converter = RateConverter.class,
            description =
                    "How many bytes a second may go over in each direction of a tunnel, such as 500000, 512K, 10M or"
                            + " 1G (powers of 1024). Default: no limit")
    private @Nullable Long rate;

    @Option(
            names = "--max-lifetime",
            paramLabel = "TIME",
            converter = DurationConverter.Positive.class,
            description = "How long a connection, and its tunnel, may last. Default: no limit")
    private @Nullable Duration maxLifetime;

    @Option(
            names = "--proxy-protocol",
            paramLabel = "CIDR",
            converter = CidrConverter.class,
            description =
                    "The load balancers in front: their connections begin with a PROXY header (version 1 or 2) that"
                            + " names the client, and are cut without one. May be repeated.")
    private List<Cidr> proxyProtocol = new ArrayList<>();

    /** Sets what was asked for. */
    void apply(ProxyHandler.Builder settings) {
        if (maxPerClient != null) {
            settings.maxConnectionsPerClient(maxPerClient);
        }
        if (rate != null) {
            settings.rateLimit(rate);
        }
        if (maxLifetime != null) {
            settings.maxLifetime(maxLifetime);
        }
        settings.proxyProtocol(proxyProtocol.toArray(Cidr[]::new));
    }

    @Nullable
    Integer maxPerClient() {
        return maxPerClient;
    }

    @Nullable
    Long rate() {
        return rate;
    }

    @Nullable
    Duration maxLifetime() {
        return maxLifetime;
    }

    List<Cidr> proxyProtocol() {
        return proxyProtocol;
    }
}
