package io.broxy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The proxies that the environment or the JVM's properties name, as {@link Rules} and the hops that these need.
 *
 * <p>Such settings tell proxies apart by the scheme of a URL, and a dialer knows only ports: a target with port 80 counts
 * as {@code http}, every other one as {@code https}, for whose sake the proxy is asked for a tunnel.
 *
 * <p>It reads what it is given and nothing else; a program gives it {@code System.getenv()} or {@code
 * System.getProperties()}.
 *
 * <p>Threading: immutable.
 */
public final class SystemProxies {
    private static final int HTTP_PORT = 80;

    /** What {@code sun.net.spi.DefaultProxySelector} adds to every list of {@code http.nonProxyHosts} but an empty one. */
    private static final String ALWAYS_NON_PROXY = "localhost|127.*|[::1]|0.0.0.0|[::0]";

    private final Rules rules;
    private final Map<String, ProxyUri> hops;

    private SystemProxies(Rules rules, Map<String, ProxyUri> hops) {
        this.rules = rules;
        this.hops = Collections.unmodifiableMap(hops);
    }

    /**
     * Reads the variables that curl and Go's {@code golang.org/x/net/http/httpproxy} know.
     *
     * <ul>
     *   <li>{@code http_proxy} is the proxy for port 80, {@code https_proxy} for the other ports, {@code all_proxy} where
     *       these are not set. Each is a {@link ProxyUri}, {@code http://} where it has no scheme.
     *   <li>{@code no_proxy} lists what is dialled directly, separated by commas or blanks: {@code *} for all; {@code
     *       example.com} or {@code .example.com} for the domain and all below it (as in curl; in Go the second is only
     *       for those below); {@code *.example.com} for those below only; an address; a block such as {@code 10.0.0.0/8}.
     *       A domain or an address may have a port.
     *   <li>{@code localhost} and loopback addresses are always dialled directly, as in Go.
     *   <li>Lower case wins over upper case, and an empty variable is none, as in curl. {@code HTTP_PROXY} in upper case is
     *       ignored where {@code REQUEST_METHOD} is set, as in Go: there it is a CGI client's {@code Proxy} field
     *       (CVE-2016-5385).
     * </ul>
     *
     * <p>The hops are named {@code http}, {@code https} and {@code all}.
     *
     * @throws RuleException if an entry of {@code no_proxy} is none of these; its index counts the entries
     * @throws IllegalArgumentException if a proxy is no proxy URI; the message names the variable
     */
    public static SystemProxies ofEnvironment(Map<String, String> environment) {
        boolean cgi = environment.containsKey("REQUEST_METHOD");
        Map<String, ProxyUri> hops = new LinkedHashMap<>();
        String all = hop(hops, "all", lowerOrUpper(environment, "all_proxy", "ALL_PROXY"));
        String http = hop(hops, "http", lowerOrUpper(environment, "http_proxy", cgi ? null : "HTTP_PROXY"));
        String https = hop(hops, "https", lowerOrUpper(environment, "https_proxy", "HTTPS_PROXY"));
        Rules.Builder rules = Rules.builder()
                .domain("localhost", Route.direct())
                .address("127.0.0.0/8", Route.direct())
                .address("::1", Route.direct());
        Setting direct = lowerOrUpper(environment, "no_proxy", "NO_PROXY");
        if (direct != null) {
            addAll(rules, direct.name, entries(direct.value, "[,\\s]+"), Rule::noProxy);
        }
        return create(rules, http != null ? http : all, https != null ? https : all, hops);
    }

    /**
     * Reads the properties that the JDK's "Networking Properties" describe.
     *
     * <ul>
     *   <li>{@code http.proxyHost} and {@code http.proxyPort} (default 80) name the HTTP proxy for port 80, {@code
     *       https.proxyHost} and {@code https.proxyPort} (default 443) that for the other ports, spoken to without TLS,
     *       and {@code socksProxyHost} and {@code socksProxyPort} (default 1080) a SOCKS5 proxy where these are not set. For
     *       the last one {@code java.net.socks.username} and {@code java.net.socks.password} are the credentials if both are
     *       set.
     *   <li>{@code http.nonProxyHosts} lists what is dialled directly whatever the proxy, separated by {@code |}: hosts
     *       that match as a whole, and as a beginning, an end or a part where a {@code *} stands for the rest. The JDK's
     *       {@code localhost|127.*|[::1]|0.0.0.0|[::0]} is the default, and is added to every list but an empty one.
     * </ul>
     *
     * <p>The hops are named {@code http}, {@code https} and {@code socks}.
     *
     * @throws RuleException if an entry of {@code http.nonProxyHosts} is no such pattern; its index counts the entries
     * @throws IllegalArgumentException if a host or a port is none, if {@code socksProxyVersion} is not 5, or if credentials
     *     don't fit into SOCKS5; the message names the property
     */
    public static SystemProxies ofProperties(Properties properties) {
        Map<String, ProxyUri> hops = new LinkedHashMap<>();
        String http = httpHop(hops, properties, "http", HTTP_PORT);
        String https = httpHop(hops, properties, "https", 443);
        String socks = socksHop(hops, properties);
        Rules.Builder rules = Rules.builder();
        String listed =
                properties.getProperty("http.nonProxyHosts", ALWAYS_NON_PROXY).strip();
        if (!listed.isEmpty()) {
            String name = "http.nonProxyHosts";
            addAll(rules, name, entries(listed, "\\s*\\|\\s*"), Rule::nonProxyHost);
            addAll(rules, name, entries(ALWAYS_NON_PROXY, "\\|"), Rule::nonProxyHost);
        }
        return create(rules, http != null ? http : socks, https != null ? https : socks, hops);
    }

    /** What goes where. It names the hops of {@link #hops}, and {@link Route#DIRECT}. */
    public Rules rules() {
        return rules;
    }

    /** The proxies by the names that the rules use; unmodifiable, empty if everything is dialled directly. */
    public Map<String, ProxyUri> hops() {
        return hops;
    }

    /** Names the hops without their credentials, and sums the rules up. */
    @Override
    public String toString() {
        return "SystemProxies[" + hops + ", " + rules + "]";
    }

    // ------------------------------------------------------------------ rules

    private static SystemProxies create(
            Rules.Builder rules, @Nullable String http, @Nullable String others, Map<String, ProxyUri> hops) {
        Route way = others == null ? Route.direct() : Route.via(others);
        Route wayOfHttp = http == null ? Route.direct() : Route.via(http);
        if (!wayOfHttp.equals(way)) {
            rules.port(HTTP_PORT, wayOfHttp);
        }
        Rules built = rules.otherwise(way).build();
        hops.keySet().retainAll(built.hops());
        return new SystemProxies(built, hops);
    }

    private static List<String> entries(String list, String separators) {
        List<String> entries = new ArrayList<>(List.of(list.split(separators)));
        entries.removeIf(String::isEmpty);
        return entries;
    }

    private static void addAll(Rules.Builder rules, String list, List<String> entries, Function<String, Rule> reader) {
        for (int index = 0; index < entries.size(); index++) {
            Rule rule;
            try {
                rule = reader.apply(entries.get(index));
            } catch (IllegalArgumentException e) {
                throw new RuleException(list, index, String.valueOf(e.getMessage()));
            }
            rules.add(rule, Route.direct());
        }
    }

    // ------------------------------------------------------------------ hops

    private record Setting(String name, String value) {}

    private static @Nullable Setting lowerOrUpper(Map<String, String> from, String lower, @Nullable String upper) {
        String value = from.getOrDefault(lower, "").strip();
        if (!value.isEmpty()) {
            return new Setting(lower, value);
        }
        value = upper == null ? "" : from.getOrDefault(upper, "").strip();
        return upper == null || value.isEmpty() ? null : new Setting(upper, value);
    }

    private static @Nullable String hop(Map<String, ProxyUri> hops, String name, @Nullable Setting setting) {
        if (setting == null) {
            return null;
        }
        String value = setting.value;
        return put(hops, name, setting.name, () -> ProxyUri.parse(value.contains("://") ? value : "http://" + value));
    }

    private static @Nullable String httpHop(
            Map<String, ProxyUri> hops, Properties properties, String scheme, int defaultPort) {
        String host = properties.getProperty(scheme + ".proxyHost", "");
        if (host.isEmpty()) {
            return null;
        }
        return put(hops, scheme, scheme + ".proxyHost or " + scheme + ".proxyPort", () -> {
            HostPort address = HostPort.of(host, port(properties.getProperty(scheme + ".proxyPort"), defaultPort));
            return ProxyUri.of(ProxyUri.Scheme.HTTP, address, null);
        });
    }

    private static @Nullable String socksHop(Map<String, ProxyUri> hops, Properties properties) {
        String host = properties.getProperty("socksProxyHost", "");
        if (host.isEmpty()) {
            return null;
        }
        if (!properties.getProperty("socksProxyVersion", "5").equals("5")) {
            throw new IllegalArgumentException("socksProxyVersion: only version 5 of SOCKS is spoken here");
        }
        String user = properties.getProperty("java.net.socks.username");
        String password = properties.getProperty("java.net.socks.password");
        return put(hops, "socks", "socksProxyHost, socksProxyPort or java.net.socks", () -> {
            HostPort address = HostPort.of(
                    host, port(properties.getProperty("socksProxyPort"), ProxyUri.Scheme.SOCKS5.defaultPort()));
            return ProxyUri.of(
                    ProxyUri.Scheme.SOCKS5,
                    address,
                    user == null || password == null ? null : Credentials.basic(user, password));
        });
    }

    private static int port(@Nullable String text, int defaultPort) {
        return text == null || text.isEmpty() ? defaultPort : HostPort.parsePort(text, 0);
    }

    private static String put(Map<String, ProxyUri> hops, String name, String source, Supplier<ProxyUri> proxy) {
        try {
            hops.put(name, proxy.get());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(source + ": " + e.getMessage(), e);
        }
        return name;
    }
}
