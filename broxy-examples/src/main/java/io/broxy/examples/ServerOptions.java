package io.broxy.examples;

import io.broxy.AccessPolicy;
import io.broxy.Cidr;
import io.broxy.ProxyProtocol;
import io.broxy.ProxyUri;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.commons.cli.Option;
import org.jspecify.annotations.Nullable;

/** The mini-server's options with their defaults. Threading: filled in by one thread, and not changed after that. */
final class ServerOptions {
    private final OptionSet options = new OptionSet();

    private final Setting<@Nullable ListenAddress> listen = options.one(
            "--listen",
            "HOST:PORT",
            ListenAddress::parse,
            "Where to listen; port 0 takes a free one. Default: what the file of --rules says, or 127.0.0.1:3128");

    private final Setting<@Nullable ProxyUri> upstream = options.one(
            "--upstream",
            "URI",
            ProxyUri::parse,
            "The proxy that everything goes through: http://USER:PASSWORD@HOST:PORT, https://... or socks5://... User and"
                    + " password are percent-encoded.");

    private final Setting<@Nullable Path> rules = options.one(
            "--rules",
            "FILE",
            new FileConverter(),
            "The file (YAML) that says which proxy each target goes through; what no rule matches is refused. Not together"
                    + " with --upstream. A change of it takes effect at once; SIGHUP reads it again.");

    private final Setting<@Nullable ProxyProtocol> sendProxyProtocol = options.one(
            "--send-proxy-protocol",
            "v1|v2",
            new ProxyProtocolConverter(),
            "Connections to the proxies of --upstream or --rules begin with a PROXY header of that version, which names the"
                    + " client; they must expect it. Direct connections have none. Default: none");

    private final Setting<Boolean> allowPrivate = options.flag(
            "--allow-private",
            "Clients may reach private, loopback and carrier-NAT addresses, not only public ones. Link-local ones, where"
                    + " clouds serve secrets, still need --allow.");

    private final Setting<List<Cidr>> allow =
            options.many("--allow", "CIDR", Cidr::parse, "Clients may reach these addresses, too. May be repeated.");

    private final Setting<List<Cidr>> deny = options.many(
            "--deny",
            "CIDR",
            Cidr::parse,
            "Clients may not reach these addresses, whatever else allows them. May be repeated.");

    private final Setting<AccessPolicy> ports = options.one(
            "--allow-ports",
            "PORTS",
            new PortsConverter(),
            AccessPolicy.any(),
            "Clients may reach these ports only, such as 443 or 80,443,8000-8999. Default: all");

    private final Setting<Boolean> reportOnly =
            options.flag("--report-only", "Addresses that would be refused are only told in a warning, and reached.");

    private final Setting<@Nullable Path> auth = options.one(
            "--auth",
            "FILE",
            new FileConverter(),
            "Clients need a password: the file has a line USER:HASH for each user, as htpasswd -B makes it. A change of"
                    + " it takes effect at once; SIGHUP reads it again.");

    private final Setting<@Nullable ListenAddress> admin = options.one(
            "--admin",
            "HOST:PORT",
            ListenAddress::parse,
            "Where to answer /healthz and /metrics, without a password: keep it to the loopback or a network of your own."
                    + " Default: nowhere");

    private final Setting<Boolean> accessLog = options.flag(
            "--access-log", "Log a line for each tunnel, forwarded request and refusal on standard error.");

    private final Setting<@Nullable Integer> eventLoops = options.one(
            "--event-loops",
            "N",
            new CountConverter.Threads(),
            "How many event loops serve connections. Default: one for each processor");

    private final Setting<Duration> idleTimeout = options.one(
            "--idle-timeout",
            "TIME",
            new DurationConverter.Positive(),
            Duration.ofMinutes(5),
            "How long a tunnel may stand without a byte in either direction, such as 10s, 5m, 1h, 500ms or PT1M30S (ISO"
                    + " 8601). Default: 5m");

    private final Setting<Duration> headTimeout = options.one(
            "--head-timeout",
            "TIME",
            new DurationConverter.Positive(),
            Duration.ofSeconds(10),
            "The time for a request's head. Default: 10s");

    private final Setting<Duration> dialTimeout = options.one(
            "--dial-timeout",
            "TIME",
            new DurationConverter.Positive(),
            Duration.ofSeconds(10),
            "The time for reaching a target, name look-up included. Default: 10s");

    private final PlainHttpOptions plainHttp = new PlainHttpOptions(options);

    private final Setting<Integer> maxConnections = options.one(
            "--max-connections", "N", new CountConverter(), 20_000, "How many tunnels may run at once. Default: 20000");

    private final LimitOptions limits = new LimitOptions(options);

    private final Setting<Duration> drain = options.one(
            "--drain",
            "TIME",
            new DurationConverter(),
            Duration.ofSeconds(10),
            "How long running tunnels may go on after SIGTERM; a second SIGTERM ends them at once. Default: 10s");

    private final Setting<Boolean> verbose =
            options.flag("-v", "--verbose", "Log what happens on standard error, with the lines of --access-log.");

    private final Setting<Boolean> help = options.flag("-h", "--help", "Show this help message and exit.");

    private final Setting<Boolean> version = options.flag("-V", "--version", "Print version information and exit.");

    private ServerOptions() {
        options.exclusive(upstream, rules);
    }

    /**
     * Reads a command line.
     *
     * @throws UsageException if it is wrong
     */
    static ServerOptions parse(String... arguments) {
        ServerOptions read = new ServerOptions();
        List<String> unknown = read.options.parse(arguments);
        if (!read.help() && !read.version()) {
            OptionSet.refuse(unknown);
            read.refuseContradictions();
        }
        return read;
    }

    private void refuseContradictions() {
        if (sendProxyProtocol() != null && upstream() == null && rules() == null) {
            throw new UsageException("--send-proxy-protocol needs --upstream or --rules, whose proxies it is sent to");
        }
    }

    /** All options as they are declared, for the help. */
    List<Option> declared() {
        return options.declared();
    }

    /** Whether the help is asked for, and nothing else. */
    boolean help() {
        return help.value();
    }

    /** Whether the version is asked for, and nothing else. */
    boolean version() {
        return version.value();
    }

    /** Where to listen, or null if that is left to others. */
    @Nullable
    ListenAddress listen() {
        return listen.value();
    }

    /** The proxy for everything, or null for none. */
    @Nullable
    ProxyUri upstream() {
        return upstream.value();
    }

    /** The file of rules, or null for none. */
    @Nullable
    Path rules() {
        return rules.value();
    }

    /** What the proxies are told the client by, or null if they are not told. */
    @Nullable
    ProxyProtocol sendProxyProtocol() {
        return sendProxyProtocol.value();
    }

    boolean allowPrivate() {
        return allowPrivate.value();
    }

    List<Cidr> allow() {
        return allow.value();
    }

    List<Cidr> deny() {
        return deny.value();
    }

    /** Which ports clients may reach. */
    AccessPolicy ports() {
        return ports.value();
    }

    boolean reportOnly() {
        return reportOnly.value();
    }

    /** The file of users, or null if nobody needs a password. */
    @Nullable
    Path auth() {
        return auth.value();
    }

    /** Where to answer an operator, or null for nowhere. */
    @Nullable
    ListenAddress admin() {
        return admin.value();
    }

    boolean accessLog() {
        return accessLog.value();
    }

    /** How many event loops, or null for the library's default. */
    @Nullable
    Integer eventLoops() {
        return eventLoops.value();
    }

    Duration idleTimeout() {
        return idleTimeout.value();
    }

    Duration headTimeout() {
        return headTimeout.value();
    }

    Duration dialTimeout() {
        return dialTimeout.value();
    }

    PlainHttpOptions plainHttp() {
        return plainHttp;
    }

    int maxConnections() {
        return maxConnections.value();
    }

    /** What each client may have. */
    LimitOptions limits() {
        return limits;
    }

    Duration drain() {
        return drain.value();
    }

    boolean verbose() {
        return verbose.value();
    }
}
