package io.broxy;

import io.broxy.ProxySettings.Named;
import java.net.ProxySelector;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The proxies that the environment, the JVM's properties or a {@link ProxySelector} name, as {@link Rules} and the hops that the rules need.
 *
 * <p>Such settings choose a proxy by the scheme of a URL, but a dialer knows only ports: a target with port 80 counts
 * as {@code http}, every other one as {@code https}, and the proxy is asked for a tunnel.
 *
 * <p>Such settings are shared with other programs, so entries that cannot be parsed are skipped and listed in {@link
 * #problems()}; {@link #strict()} refuses them. A proxy that is needed and cannot be used is never replaced by a direct
 * dial: the targets that need it are denied, and {@link Rules#explain} names the setting.
 *
 * <p>It reads only its argument; a program passes {@code System.getenv()} or {@code
 * System.getProperties()}. Values and entries may be in quotation marks. Internationalised host names are translated to
 * A-labels as {@link java.net.IDN} does.
 *
 * <p>Threading: immutable.
 */
public final class SystemProxies {
    private static final int HTTP_PORT = 80;

    /** What {@code sun.net.spi.DefaultProxySelector} adds to every list of its exceptions but an empty one. */
    private static final String ALWAYS_NON_PROXY = "localhost|127.*|[::1]|0.0.0.0|[::0]";

    /** The hop that a {@link ProxySelector} decides about. */
    private static final String SELECTOR = "selector";

    private final Rules rules;
    private final Map<String, ProxyUri> hops;
    private final List<Problem> problems;
    private final @Nullable ProxySelector selector;

    /**
     * A part of a setting that cannot be parsed, and has no effect.
     *
     * @param setting the name of the variable or of the property
     * @param index the place of the entry in the setting's list, counted from 0, or {@link #WHOLE} if the setting is
     *     not a list
     * @param reason the offending text, quoted, and what is wrong with it: one line of printable ASCII without
     *     credentials
     */
    public record Problem(String setting, int index, String reason) {
        /** The index of a setting that is not a list. */
        public static final int WHOLE = -1;

        /** Checks for null. */
        public Problem {
            Objects.requireNonNull(setting, "setting");
            Objects.requireNonNull(reason, "reason");
        }

        /** One line, such as {@code NO_PROXY[2]: not understood: "<local>": ...}. */
        @Override
        public String toString() {
            return setting + (index == WHOLE ? "" : "[" + index + "]") + ": " + reason;
        }
    }

    SystemProxies(Rules rules, Map<String, ProxyUri> hops, List<Problem> problems) {
        this.rules = rules;
        this.hops = Collections.unmodifiableMap(new LinkedHashMap<>(hops));
        this.problems = List.copyOf(problems);
        this.selector = null;
    }

    private SystemProxies(ProxySelector selector) {
        this.rules = Rules.always(Route.via(SELECTOR));
        this.hops = Map.of();
        this.problems = List.of();
        this.selector = selector;
    }

    // ------------------------------------------------------------------ the environment

    /**
     * Reads the variables that curl and Go's {@code golang.org/x/net/http/httpproxy} support.
     *
     * <ul>
     *   <li>{@code http_proxy} is the proxy for port 80, {@code https_proxy} for the other ports, {@code all_proxy} if
     *       these are not set. Each is a {@link ProxyUri}, with {@code http://} if it has no scheme; a path after the
     *       host is ignored, and the user information need not be percent-encoded.
     *   <li>{@code no_proxy} lists what is dialed directly, separated by commas or blanks: {@code *} for all; {@code
     *       example.com} or {@code .example.com} for the domain and all below it (as in curl; in Go the second is only
     *       for those below); {@code *.example.com} for those below only; an address; a block such as {@code
     *       10.0.0.0/8}, whose bits after the prefix are ignored. All but the first may have a port.
     *   <li>{@code localhost} and loopback addresses are always dialed directly, as in Go.
     *   <li>Lower case wins over upper case, and an empty variable counts as unset, as in curl. {@code HTTP_PROXY} in
     *       upper case is ignored if {@code REQUEST_METHOD} is set, as in Go: there it is a CGI client's {@code Proxy}
     *       field (CVE-2016-5385).
     * </ul>
     *
     * <p>The hops are named {@code http}, {@code https} and {@code all}.
     *
     * @throws IllegalArgumentException if proxies are needed, and none of them can be used; the message names the
     *     variable and shows no credentials
     */
    public static SystemProxies ofEnvironment(Map<String, String> environment) {
        boolean cgi = environment.containsKey("REQUEST_METHOD");
        Named all = variable("all", lowerOrUpper(environment, "all_proxy", "ALL_PROXY"));
        Named http = variable("http", lowerOrUpper(environment, "http_proxy", cgi ? null : "HTTP_PROXY"));
        Named https = variable("https", lowerOrUpper(environment, "https_proxy", "HTTPS_PROXY"));
        ProxySettings settings = new ProxySettings();
        settings.direct(Rule.domain("localhost"));
        settings.direct(Rule.address("127.0.0.0/8"));
        settings.direct(Rule.address("::1"));
        Setting exceptions = lowerOrUpper(environment, "no_proxy", "NO_PROXY");
        if (exceptions != null) {
            settings.directs(exceptions.name, exceptions.value, "[,\\s]+", ProxyExceptions::noProxy, 0);
        }
        Named forPort80 = http != null ? http : all;
        Named forOthers = https != null ? https : all;
        if (!Objects.equals(forPort80, forOthers)) {
            settings.port(HTTP_PORT, forPort80);
        }
        settings.otherwise(forOthers);
        return settings.build(read(http, https, all));
    }

    private record Setting(String name, String value) {}

    private static @Nullable Setting lowerOrUpper(Map<String, String> from, String lower, @Nullable String upper) {
        String value = from.getOrDefault(lower, "").strip();
        if (!value.isEmpty()) {
            return new Setting(lower, value);
        }
        value = upper == null ? "" : from.getOrDefault(upper, "").strip();
        return upper == null || value.isEmpty() ? null : new Setting(upper, value);
    }

    private static @Nullable Named variable(String hop, @Nullable Setting setting) {
        if (setting == null || ProxyVariable.unquote(setting.value).isEmpty()) {
            return null;
        }
        return Named.read(hop, setting.name, () -> ProxyVariable.read(setting.value));
    }

    // ------------------------------------------------------------------ the JVM's properties

    /**
     * Reads the properties that the JDK's "Networking Properties" describe.
     *
     * <ul>
     *   <li>{@code http.proxyHost} and {@code http.proxyPort} (default 80) name the HTTP proxy for port 80, {@code
     *       https.proxyHost} and {@code https.proxyPort} (default 443) the proxy for the other ports, which is spoken
     *       to without TLS, and {@code socksProxyHost} and {@code socksProxyPort} (default 1080) a SOCKS proxy if
     *       these are not set, of version 5 unless {@code socksProxyVersion} is 4. For version 5 {@code
     *       java.net.socks.username} and {@code java.net.socks.password} are the credentials if both are set; for
     *       version 4 {@code user.name} is the user id, as in the JDK.
     *   <li>{@code http.nonProxyHosts} lists what is dialed directly whatever the proxy, separated by {@code |}: hosts
     *       that match as a whole, and as a beginning, an end or a part where a {@code *} is for the rest; addresses
     *       match as text. {@code socksNonProxyHosts} is the same for what would go through the SOCKS proxy. The JDK's
     *       {@code localhost|127.*|[::1]|0.0.0.0|[::0]} is the default of both, and is added to every list but an empty
     *       one.
     * </ul>
     *
     * <p>The hops are named {@code http}, {@code https} and {@code socks}.
     *
     * @throws IllegalArgumentException if proxies are needed, and none of them can be used: a host or a port is
     *     invalid, {@code socksProxyVersion} is neither 4 nor 5, or credentials do not fit into SOCKS; the message names
     *     the property and shows no credentials
     */
    public static SystemProxies ofProperties(Properties properties) {
        Named http = httpProxy(properties, "http", HTTP_PORT);
        Named https = httpProxy(properties, "https", 443);
        Named socks = socksProxy(properties);
        Named forPort80 = http != null ? http : socks;
        Named forOthers = https != null ? https : socks;
        ProxySettings settings = new ProxySettings();
        nonProxyHosts(settings, properties, "http.nonProxyHosts", 0);
        boolean different = !Objects.equals(forPort80, forOthers);
        if (socks != null && different && http == null) {
            nonProxyHosts(settings, properties, "socksNonProxyHosts", HTTP_PORT);
        }
        if (different) {
            settings.port(HTTP_PORT, forPort80);
        }
        if (socks != null && https == null) {
            nonProxyHosts(settings, properties, "socksNonProxyHosts", 0);
        }
        settings.otherwise(forOthers);
        return settings.build(read(http, https, socks));
    }

    private static void nonProxyHosts(ProxySettings settings, Properties properties, String name, int port) {
        String listed = properties.getProperty(name, ALWAYS_NON_PROXY);
        if (!listed.isBlank()) {
            settings.directs(name, listed, "\\|", ProxyExceptions::nonProxyHost, port);
            settings.directs(name, ALWAYS_NON_PROXY, "\\|", ProxyExceptions::nonProxyHost, port);
        }
    }

    private static @Nullable Named httpProxy(Properties properties, String scheme, int defaultPort) {
        String host = text(properties, scheme + ".proxyHost");
        if (host.isEmpty()) {
            return null;
        }
        return Named.read(scheme, scheme + ".proxyHost or " + scheme + ".proxyPort", () -> {
            int port = port(text(properties, scheme + ".proxyPort"), defaultPort);
            return ProxyUri.of(ProxyUri.Scheme.HTTP, HostPort.of(ProxyExceptions.ascii(host), port), null);
        });
    }

    private static @Nullable Named socksProxy(Properties properties) {
        String host = text(properties, "socksProxyHost");
        if (host.isEmpty()) {
            return null;
        }
        String version = text(properties, "socksProxyVersion");
        ProxyUri.Scheme scheme = switch (version) {
            case "", "5" -> ProxyUri.Scheme.SOCKS5;
            case "4" -> ProxyUri.Scheme.SOCKS4;
            default -> null;
        };
        if (scheme == null) {
            String fault = "only the versions 4 and 5 of SOCKS are supported, not " + Printable.quote(version);
            return new Named("socks", "socksProxyVersion", null, fault);
        }
        boolean four = scheme == ProxyUri.Scheme.SOCKS4;
        String user = properties.getProperty(four ? "user.name" : "java.net.socks.username");
        String password = four ? "" : properties.getProperty("java.net.socks.password");
        String settings = "socksProxyHost, socksProxyPort or " + (four ? "user.name" : "java.net.socks");
        return Named.read("socks", settings, () -> {
            int port = port(text(properties, "socksProxyPort"), scheme.defaultPort());
            Credentials credentials = user == null || password == null ? null : Credentials.basic(user, password);
            HostPort address = HostPort.of(ProxyExceptions.ascii(host), port);
            return ProxyUri.of(scheme, address, credentials);
        });
    }

    private static String text(Properties properties, String name) {
        return ProxyVariable.unquote(properties.getProperty(name, ""));
    }

    private static int port(String text, int defaultPort) {
        return text.isEmpty() ? defaultPort : HostPort.parsePort(text, 0);
    }

    private static List<Named> read(@Nullable Named... proxies) {
        return Stream.of(proxies).filter(Objects::nonNull).toList();
    }

    // ------------------------------------------------------------------ a proxy selector

    /**
     * Has a selector choose the proxies of each target, such as {@link ProxySelector#getDefault()}, which reads the
     * JVM's properties and, with {@code java.net.useSystemProxies}, the settings of the desktop. All rules lead to one
     * hop, {@code selector}.
     *
     * <ul>
     *   <li>The selector is asked in each dial for the URI {@code http://host/} if the port is 80, and otherwise for
     *       {@code https://host/} or {@code https://host:port/}. It may block, within the dial's timeout.
     *   <li>An HTTP proxy is asked for a tunnel, a SOCKS proxy must speak version 5, both without credentials. A proxy
     *       that has an unresolved address, or one with a name, is dialed by its name.
     *   <li>Several proxies are tried in order, as those of a {@link RoutingDialer}'s route, with a penalty of 10 s; {@link
     *       ProxySelector#connectFailed} gets each one that fails.
     *   <li>If the selector throws, or names nothing that can be used, the target is denied, never dialed directly. This
     *       is a {@linkplain Problem problem} while dials run, which {@link #problems} does not list.
     * </ul>
     *
     * @param selector thread-safe
     */
    public static SystemProxies ofProxySelector(ProxySelector selector) {
        return new SystemProxies(Objects.requireNonNull(selector, "selector"));
    }

    // ------------------------------------------------------------------ what was read

    /** The selector of {@link #ofProxySelector}; null if the rules decide. */
    public @Nullable ProxySelector selector() {
        return selector;
    }

    /** The rules, which name the hops of {@link #hops} and {@link Route#DIRECT}, or the one of a {@link #selector}. */
    public Rules rules() {
        return rules;
    }

    /** The proxies by the names that the rules use; unmodifiable, empty if everything is dialed directly. */
    public Map<String, ProxyUri> hops() {
        return hops;
    }

    /**
     * The settings that could not be parsed and are left out: proxies first, then entries of lists in order;
     * unmodifiable. {@code Broxy.routingDialer(SystemProxies)} logs each of them once.
     */
    public List<Problem> problems() {
        return problems;
    }

    /**
     * Refuses settings that could not be parsed, for programs whose settings are not shared.
     *
     * @return this
     * @throws RuleException if an entry of a list could not be parsed; its index is that of the entry
     * @throws IllegalArgumentException if a proxy cannot be used, even one that no target needs
     */
    public SystemProxies strict() {
        for (Problem problem : problems) {
            if (problem.index != Problem.WHOLE) {
                throw new RuleException(problem.setting, problem.index, problem.reason);
            }
            throw new IllegalArgumentException(problem.toString());
        }
        return this;
    }

    /** Shows the hops without their credentials, and a summary of the rules. */
    @Override
    public String toString() {
        return "SystemProxies[" + (selector == null ? "" : selector.getClass().getName() + ", ") + hops + ", " + rules
                + (problems.isEmpty() ? "" : ", problems " + problems) + "]";
    }
}
