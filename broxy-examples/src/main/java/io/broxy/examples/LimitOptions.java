package io.broxy.examples;

import io.broxy.Cidr;
import io.broxy.ProxyHandler;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The mini-server's options for limits on clients. Threading: filled in by one thread, and not changed after that. */
final class LimitOptions {
    private final Setting<@Nullable Integer> maxPerClient;
    private final Setting<@Nullable Long> rate;
    private final Setting<@Nullable Long> ratePerUser;
    private final Setting<@Nullable Duration> maxLifetime;
    private final Setting<@Nullable Integer> maxHead;
    private final Setting<List<Cidr>> proxyProtocol;

    /** Adds its options. */
    LimitOptions(OptionSet options) {
        maxPerClient = options.one(
                "--max-per-client",
                "N",
                new CountConverter(),
                "The most concurrent connections of one client: an IPv4 address, or an IPv6 /64. Default: no limit");
        rate = options.one(
                "--rate",
                "BYTES",
                new RateConverter(),
                "The most bytes per second in each direction of a tunnel, such as 500000, 512K, 10M or 1G (powers of"
                        + " 1024). Default: no limit");
        ratePerUser = options.one(
                "--rate-per-user",
                "BYTES",
                new RateConverter(),
                "The most bytes per second in each direction for all connections of a user of --auth together, written"
                        + " as for --rate. Default: no limit");
        maxLifetime = options.one(
                "--max-lifetime",
                "TIME",
                new DurationConverter.Positive(),
                "The longest lifetime of a connection and its tunnel. Default: no limit");
        maxHead = options.one(
                "--max-head",
                "SIZE",
                new SizeConverter(256, 1 << 20),
                "The largest head of a request, such as 16384, 32k, 64KiB or 1M (powers of 1024). Default: 16k");
        proxyProtocol = options.many(
                "--proxy-protocol",
                "CIDR",
                Cidr::parse,
                "Load balancers in front, whose connections begin with a PROXY header (version 1 or 2) that names the"
                        + " client; a connection without one is closed. May be repeated.");
    }

    /** Applies the options that were given. */
    void apply(ProxyHandler.Builder settings) {
        Integer connections = maxPerClient();
        if (connections != null) {
            settings.maxConnectionsPerClient(connections);
        }
        Long bytes = rate();
        if (bytes != null) {
            settings.rateLimit(bytes);
        }
        Long bytesPerUser = ratePerUser();
        if (bytesPerUser != null) {
            settings.rateLimitPerIdentity(bytesPerUser);
        }
        Duration lifetime = maxLifetime();
        if (lifetime != null) {
            settings.maxLifetime(lifetime);
        }
        Integer headBytes = maxHead();
        if (headBytes != null) {
            settings.maxHeadBytes(headBytes);
        }
        settings.proxyProtocol(proxyProtocol().toArray(Cidr[]::new));
    }

    @Nullable
    Integer maxPerClient() {
        return maxPerClient.value();
    }

    @Nullable
    Long rate() {
        return rate.value();
    }

    @Nullable
    Long ratePerUser() {
        return ratePerUser.value();
    }

    @Nullable
    Duration maxLifetime() {
        return maxLifetime.value();
    }

    /** The most bytes of a request's head, or null for the library's default. */
    @Nullable
    Integer maxHead() {
        return maxHead.value();
    }

    List<Cidr> proxyProtocol() {
        return proxyProtocol.value();
    }
}
