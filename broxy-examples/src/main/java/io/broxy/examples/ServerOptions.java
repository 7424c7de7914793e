package io.broxy.examples;

import io.broxy.AccessPolicy;
import io.broxy.Cidr;
import io.broxy.ProxyProtocol;
import io.broxy.ProxyUri;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The mini-server's options with their defaults. Threading: filled in by one thread, and not changed after that. */
final class ServerOptions {

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            converter = ListenAddress.Converter.class,
            description = "Where to listen; port 0 takes a free one. Default: what the file of --rules says,"
                    + " or 127.0.0.1:3128")
    private @Nullable ListenAddress listen;

    @ArgGroup
    private Way way = new Way();

    @Option(
            names = "--send-proxy-protocol",
            paramLabel = "v1|v2",
            converter = ProxyProtocolConverter.class,
            description =
                    "Connections to the proxies of --upstream or --rules begin with a PROXY header of that version,"
                            + " which names the client; they must expect it. Direct connections have none. Default: none")
    private @Nullable ProxyProtocol sendProxyProtocol;

    @Option(
            names = "--allow-private",
            description = "Clients may reach private, loopback and carrier-NAT addresses, not only public ones."
                    + " Link-local ones, where clouds serve secrets, still need --allow.")
    private boolean allowPrivate;

    @Option(
            names = "--allow",
            paramLabel = "CIDR",
            converter = CidrConverter.class,
            description = "Clients may reach these addresses, too. May be repeated.")
    private List<Cidr> allow = new ArrayList<>();

    @Option(
            names = "--deny",
            paramLabel = "CIDR",
            converter = CidrConverter.class,
            description = "Clients may not reach these addresses, whatever else allows them. May be repeated.")
    private List<Cidr> deny = new ArrayList<>();

    @Option(
            names = "--allow-ports",
            paramLabel = "PORTS",
            converter = PortsConverter.class,
            description = "Clients may reach these ports only, such as 443 or 80,443,8000-8999. Default: all")
    private AccessPolicy ports = AccessPolicy.any();

    @Option(
            names = "--report-only",
            description = "Addresses that would be refused are only told in a warning, and reached.")
    private boolean reportOnly;

    @Option(
            names = "--auth",
            paramLabel = "FILE",
            description =
                    "Clients need a password: the file has a line USER:HASH for each user, as htpasswd -B makes it."
                            + " A change of it takes effect at once.")
    private @Nullable Path auth;

    @Option(
            names = "--admin",
            paramLabel = "HOST:PORT",
            converter = ListenAddress.Converter.class,
            description =
                    "Where to answer /healthz and /metrics, without a password: keep it to the loopback or a network"
                            + " of your own. Default: nowhere")
    private @Nullable ListenAddress admin;

    @Option(
            names = "--access-log",
            description = "Log a line for each tunnel, forwarded request and refusal on standard error.")
    private boolean accessLog;

    @Option(
            names = "--event-loops",
            paramLabel = "N",
            converter = CountConverter.Threads.class,
            description = "How many event loops serve connections. Default: one for each processor")
    private @Nullable Integer eventLoops;

    @Option(
            names = "--idle-timeout",
            paramLabel = "TIME",
            converter = DurationConverter.Positive.class,
            description =
                    "How long a tunnel may stand without a byte in either direction, such as 10s, 5m, 1h, 500ms or"
                            + " PT1M30S (ISO 8601). Default: 5m")
    private Duration idleTimeout = Duration.ofMinutes(5);

    @Option(
            names = "--head-timeout",
            paramLabel = "TIME",
            converter = DurationConverter.Positive.class,
            description = "The time for a request's head. Default: 10s")
    private Duration headTimeout = Duration.ofSeconds(10);

    @Option(
            names = "--dial-timeout",
            paramLabel = "TIME",
            converter = DurationConverter.Positive.class,
            description = "The time for reaching a target, name look-up included. Default: 10s")
    private Duration dialTimeout = Duration.ofSeconds(10);

    @Mixin
    private PlainHttpOptions plainHttp = new PlainHttpOptions();

    @Option(
            names = "--max-tunnels",
            paramLabel = "N",
            converter = CountConverter.class,
            description = "How many tunnels may run at once. Default: 20000")
    private int maxTunnels = 20_000;

    @Mixin
    private LimitOptions limits = new LimitOptions();

    @Option(
            names = "--drain",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description =
                    "How long running tunnels may go on after SIGTERM; a second SIGTERM ends them at once. Default: 10s")
    private Duration drain = Duration.ofSeconds(10);

    @Option(
            names = {"-v", "--verbose"},
            description = "Log what happens on standard error, with the lines of --access-log.")
    private boolean verbose;

    /** How targets are reached, if not directly: one of these, or none. Threading: as the options. */
    private static final class Way {
        @Option(
                names = "--upstream",
                paramLabel = "URI",
                converter = ProxyUriConverter.class,
                description = "The proxy that everything goes through: http://USER:PASSWORD@HOST:PORT, https://... or"
                        + " socks5://... User and password are percent-encoded.")
        private @Nullable ProxyUri upstream;

        @Option(
                names = "--rules",
                paramLabel = "FILE",
                description = "The file (YAML) that says which proxy each target goes through. A change of it takes"
                        + " effect at once.")
        private @Nullable Path rules;
    }

    /** Where to listen, or null if that is left to others. */
    @Nullable
    ListenAddress listen() {
        return listen;
    }

    /** The proxy for everything, or null for none. */
    @Nullable
    ProxyUri upstream() {
        return way.upstream;
    }

    /** The file of rules, or null for none. */
    @Nullable
    Path rules() {
        return way.rules;
    }

    /** What the proxies are told the client by, or null if they are not told. */
    @Nullable
    ProxyProtocol sendProxyProtocol() {
        return sendProxyProtocol;
    }

    /** What is wrong with the options together, or null if nothing is. */
    @Nullable
    String contradiction() {
        return sendProxyProtocol != null && way.upstream == null && way.rules == null
                ? "--send-proxy-protocol needs --upstream or --rules, whose proxies it is sent to"
                : null;
    }

    boolean allowPrivate() {
        return allowPrivate;
    }

    List<Cidr> allow() {
        return allow;
    }

    List<Cidr> deny() {
        return deny;
    }

    /** Which ports clients may reach. */
    AccessPolicy ports() {
        return ports;
    }

    boolean reportOnly() {
        return reportOnly;
    }

    /** The file of users, or null if nobody needs a password. */
    @Nullable
    Path auth() {
        return auth;
    }

    /** Where to answer an operator, or null for nowhere. */
    @Nullable
    ListenAddress admin() {
        return admin;
    }

    boolean accessLog() {
        return accessLog;
    }

    /** How many event loops, or null for the library's default. */
    @Nullable
    Integer eventLoops() {
        return eventLoops;
    }

    Duration idleTimeout() {
        return idleTimeout;
    }

    Duration headTimeout() {
        return headTimeout;
    }

    Duration dialTimeout() {
        return dialTimeout;
    }

    PlainHttpOptions plainHttp() {
        return plainHttp;
    }

    int maxTunnels() {
        return maxTunnels;
    }

    /** What each client may have. */
    LimitOptions limits() {
        return limits;
    }

    Duration drain() {
        return drain;
    }

    boolean verbose() {
        return verbose;
    }
}
