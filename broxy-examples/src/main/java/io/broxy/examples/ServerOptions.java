package io.broxy.examples;

import io.broxy.Cidr;
import io.broxy.ProxyProtocol;
import io.broxy.ProxyUri;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;
import org.jspecify.annotations.Nullable;

/** The mini-server's options with their defaults. Threading: filled in by one thread, and not changed after that. */
final class ServerOptions {
    private final OptionSet options = new OptionSet();

    private final Setting<@Nullable ListenPoint> listen = options.one(
            "--listen",
            "HOST:PORT|unix:PATH|inherited",
            ListenPoint::parse,
            "The address to listen on; port 0 picks a free port. Or a Unix domain socket: unix:PATH, or"
                    + " unix:PATH,mode=0660 to set its permissions. Or the listening socket that a service manager"
                    + " passes as standard input: inherited. Default: as the file of --rules says, or 127.0.0.1:3128");

    private final Setting<List<Forward>> forwards = options.many(
            "--forward",
            "LISTEN=TARGET:PORT",
            Forward::parse,
            "Another address to listen on, for clients that know of no proxy: each connection leads to the target, under"
                    + " the rules and limits that hold for CONNECT, but without a password. LISTEN is written as for"
                    + " --listen. May be repeated.");

    private final TlsOptions tls = new TlsOptions(options);

    private final Setting<@Nullable ProxyUri> upstream = options.one(
            "--upstream",
            "URI",
            ProxyUri::parse,
            "The proxy that all traffic goes through: http://USER:PASSWORD@HOST:PORT, https://..., socks5://... or"
                    + " socks4://USERID@HOST:PORT. User and password are percent-encoded.");

    private final Setting<@Nullable UpstreamAuth> upstreamAuth = options.one(
            "--upstream-auth",
            "basic|digest|negotiate",
            UpstreamAuth::parse,
            "How the HTTP proxy of --upstream is told who uses it: basic and digest with the user and password of its URI,"
                    + " negotiate with the Kerberos ticket of this process. A file of --rules says it for each proxy."
                    + " Default: basic");

    private final Setting<@Nullable Path> rules = options.one(
            "--rules",
            "FILE",
            new FileConverter(),
            "The file (YAML) that chooses a proxy for each target; targets that no rule matches are refused. Not together"
                    + " with --upstream. A changed file takes effect at once; SIGHUP reads it again.");

    private final Setting<@Nullable ProxyProtocol> sendProxyProtocol = options.one(
            "--send-proxy-protocol",
            "v1|v2",
            new ProxyProtocolConverter(),
            "Begin connections to the proxies of --upstream or --rules with a PROXY header of this version, which names the"
                    + " client. The proxies must expect it. Direct connections have no header. Default: none");

    private final Setting<@Nullable InetAddress> sourceAddress = options.one(
            "--source-address",
            "ADDRESS",
            new LocalAddressConverter(),
            "The address of this machine from which targets and proxies are dialed; those of the other family (IPv4, IPv6)"
                    + " cannot be reached then. Default: the system chooses it");

    private final Setting<Boolean> allowPrivate = options.flag(
            "--allow-private",
            "Clients may also reach private, loopback and carrier-NAT addresses. Link-local ones, such as a cloud's"
                    + " metadata service, still need --allow.");

    private final Setting<List<Cidr>> allow =
            options.many("--allow", "CIDR", Cidr::parse, "Clients may also reach these addresses. May be repeated.");

    private final Setting<List<Cidr>> deny = options.many(
            "--deny",
            "CIDR",
            Cidr::parse,
            "Clients may not reach these addresses, even if another option allows them. May be repeated.");

    private final AccessOptions access = new AccessOptions(options);

    private final Setting<Boolean> reportOnly =
            options.flag("--report-only", "Report addresses that would be refused in a warning, and allow them.");

    private final Setting<@Nullable Path> auth = options.one(
            "--auth",
            "FILE",
            new FileConverter(),
            "Clients need a password. The file has a line USER:HASH for each user, as htpasswd -B writes it. A changed"
                    + " file takes effect at once; SIGHUP reads it again.");

    private final Setting<Boolean> passProxyAuth = options.flag(
            "--pass-proxy-auth",
            "Clients log in at the proxies of --upstream or --rules themselves, also with NTLM or Negotiate: at those that"
                    + " have no password here. Not together with --auth.");

    private final Setting<Boolean> socks = options.flag(
            "--socks", "Clients may also speak SOCKS5, 4 and 4a, at the same port as HTTP. With --auth: SOCKS5 only.");

    private final AdminOptions admin = new AdminOptions(options);

    private final Setting<@Nullable ListenAddress> checkHealth = options.one(
            "--check-health",
            "HOST:PORT",
            ListenAddress::parse,
            "Ask the mini-server with this address of --admin whether it serves clients, and exit: with 0 if it does, with 1"
                    + " if not.");

    private final LogOptions log = new LogOptions(options);

    private final EngineOptions engine = new EngineOptions(options);

    private final Setting<Duration> idleTimeout = options.one(
            "--idle-timeout",
            "TIME",
            new DurationConverter.Positive(),
            Duration.ofMinutes(5),
            "How long a tunnel may be idle, without a byte in either direction, such as 10s, 5m, 1h, 500ms or PT1M30S"
                    + " (ISO 8601). Default: 5m");

    private final Setting<Duration> headTimeout = options.one(
            "--head-timeout",
            "TIME",
            new DurationConverter.Positive(),
            Duration.ofSeconds(10),
            "The time for reading a request's head. Default: 10s");

    private final Setting<Duration> dialTimeout = options.one(
            "--dial-timeout",
            "TIME",
            new DurationConverter.Positive(),
            Duration.ofSeconds(10),
            "The time for reaching a target, name lookup included. Default: 10s");

    private final PlainHttpOptions plainHttp = new PlainHttpOptions(options);

    private final Setting<Integer> maxConnections = options.one(
            "--max-connections",
            "N",
            new CountConverter(),
            20_000,
            "The most concurrent client connections, and so tunnels. Default: 20000");

    private final LimitOptions limits = new LimitOptions(options);

    private final Setting<Duration> drain = options.one(
            "--drain",
            "TIME",
            new DurationConverter(),
            Duration.ofSeconds(10),
            "How long running tunnels may continue after SIGTERM; a second SIGTERM ends them at once. Default: 10s");

    private final Setting<Boolean> verbose =
            options.flag("-v", "--verbose", "Log what happens, the lines of --access-log included.");

    private final ExplainOptions explain = new ExplainOptions(options);

    private final Setting<Boolean> help = options.flag("-h", "--help", "Show this help message and exit.");

    private final Setting<Boolean> version = options.flag("-V", "--version", "Print version information and exit.");

    private ServerOptions() {
        options.exclusive(upstream, rules);
        options.exclusive(auth, passProxyAuth);
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
        refuseToInheritTwice();
        if (sendProxyProtocol() != null && upstream() == null && rules() == null) {
            throw new UsageException("--send-proxy-protocol needs --upstream or --rules, whose proxies it is sent to");
        }
        if (upstreamAuth.value() != null && upstream.value() == null) {
            throw new UsageException("--upstream-auth needs --upstream; a file of --rules says it for each proxy");
        }
        try {
            upstream();
        } catch (IllegalArgumentException e) {
            throw new UsageException("--upstream-auth: " + e.getMessage());
        }
        if (passProxyAuth()) {
            refuseToPassNothing();
        }
        tls.refuseContradictions();
        admin.refuseContradictions();
        explain.refuseContradictions();
    }

    private void refuseToInheritTwice() {
        long inherited = Stream.concat(
                        Stream.ofNullable(listen()), forwards().stream().map(Forward::listen))
                .filter(ListenInherited.class::isInstance)
                .count();
        if (inherited > 1) {
            throw new UsageException("there is one inherited socket, for one of --listen and --forward");
        }
    }

    private void refuseToPassNothing() {
        ProxyUri proxy = upstream.value();
        if (proxy == null && rules() == null) {
            throw new UsageException("--pass-proxy-auth needs --upstream or --rules, at whose proxies clients log in");
        }
        boolean http =
                proxy == null || proxy.scheme() == ProxyUri.Scheme.HTTP || proxy.scheme() == ProxyUri.Scheme.HTTPS;
        boolean ownLogin = upstreamAuth.value() != null || (proxy != null && proxy.credentials() != null);
        if (!http || ownLogin) {
            throw new UsageException("--pass-proxy-auth needs an --upstream with http or https, and without a user");
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

    /** Where to listen, or null if the rule file or the default decides. */
    @Nullable
    ListenPoint listen() {
        return listen.value();
    }

    /** Whether clients log in at the proxies themselves. */
    boolean passProxyAuth() {
        return passProxyAuth.value();
    }

    /** How clients speak TLS to the proxy, if they do. */
    TlsOptions tls() {
        return tls;
    }

    /** What leads to one target each. */
    List<Forward> forwards() {
        return forwards.value();
    }

    /** The proxy for all traffic, or null for none. */
    @Nullable
    Upstream upstream() {
        ProxyUri uri = upstream.value();
        UpstreamAuth auth = upstreamAuth.value();
        return uri == null ? null : new Upstream(uri, auth == null ? UpstreamAuth.BASIC : auth);
    }

    /** The file of rules, or null for none. */
    @Nullable
    Path rules() {
        return rules.value();
    }

    /** The version of the PROXY header that names the client to the proxies, or null for no header. */
    @Nullable
    ProxyProtocol sendProxyProtocol() {
        return sendProxyProtocol.value();
    }

    /** Where dials come from, or null for the system's choice. */
    @Nullable
    InetAddress sourceAddress() {
        return sourceAddress.value();
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

    /** Which requests are served. */
    AccessOptions access() {
        return access;
    }

    boolean reportOnly() {
        return reportOnly.value();
    }

    /** The file of users, or null if clients need no password. */
    @Nullable
    Path auth() {
        return auth.value();
    }

    /** Whether clients may speak SOCKS. */
    boolean socks() {
        return socks.value();
    }

    /** What is asked about the options, if the proxy is not to run. */
    ExplainOptions explain() {
        return explain;
    }

    /** What operators see, and where. */
    AdminOptions admin() {
        return admin;
    }

    /** The admin address of a server that is only asked whether it is healthy, or null to run one. */
    @Nullable
    ListenAddress checkHealth() {
        return checkHealth.value();
    }

    /** What is logged, apart from {@link #verbose}. */
    LogOptions log() {
        return log;
    }

    /** The engine's. */
    EngineOptions engine() {
        return engine;
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
