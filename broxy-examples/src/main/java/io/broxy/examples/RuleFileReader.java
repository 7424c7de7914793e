package io.broxy.examples;

import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.ProxyUri;
import io.broxy.Route;
import io.broxy.RuleException;
import io.broxy.Rules;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * Reads the nodes of a rule file:
 *
 * <pre>
 * server:  { listen: ADDRESS, port: N }
 * proxies: [ { name: NAME, type: http|https|socks5|socks4|direct, host: HOST, port: N,
 *              auth: { type: basic|digest|negotiate, username: …, password: … } } ]
 * rules:   [ { match: domain|ip|default, value: …, values: [ … ], proxy: NAME or [ NAME, … ] } ]
 * pool:    { max_idle_per_host: N, max_idle_total: N, idle_timeout: 90s }
 * </pre>
 *
 * <p>Threading: for one thread, and for one file.
 */
final class RuleFileReader {
    private static final String DENY = "deny";
    private static final Set<String> DENYING = Set.of(DENY, "block");
    private static final int HIGHEST_PORT = 65_535;

    private final Map<String, Upstream> proxies = new LinkedHashMap<>();
    private final Set<String> direct = new HashSet<>(Set.of(Route.DIRECT));
    private final Rules.Builder rules = Rules.builder();
    private boolean defaultSeen;

    /**
     * Reads the file.
     *
     * @param root of the document
     * @throws MarkedYAMLException if anything is not as it should be; it says where
     */
    RuleFile read(Node root) {
        YamlMap file = YamlMap.of(root, "the file", "server", "proxies", "rules", "pool");
        ListenAddress listen = listen(file.find("server"));
        Node listed = file.find("proxies");
        if (listed != null) {
            YamlMap.list(listed, "proxies").forEach(this::addProxy);
        }
        YamlMap.list(file.require("rules"), "rules").forEach(this::addRule);
        if (!defaultSeen) {
            rules.otherwise(Route.deny()); // a file that forgets some targets does not open them to everybody
        }
        return new RuleFile(listen, proxies, rules.build(), defaultSeen, pool(file.find("pool")));
    }

    // ------------------------------------------------------------------ server and pool

    private static ListenAddress listen(@Nullable Node node) {
        ListenAddress usual = ListenAddress.DEFAULT;
        if (node == null) {
            return usual;
        }
        YamlMap server = YamlMap.of(node, "server", "listen", "port");
        Node host = server.find("listen");
        Node port = server.find("port");
        return new ListenAddress(
                host == null ? usual.host() : address(host, "listen", 1).host(),
                port == null ? usual.port() : YamlMap.whole(port, "port", 0, HIGHEST_PORT));
    }

    private static PoolSettings pool(@Nullable Node node) {
        PoolSettings usual = PoolSettings.DEFAULT;
        if (node == null) {
            return usual;
        }
        YamlMap pool = YamlMap.of(node, "pool", "max_idle_per_host", "max_idle_total", "idle_timeout");
        Node time = pool.find("idle_timeout");
        return new PoolSettings(
                count(pool, "max_idle_per_host", usual.maxIdlePerHost()),
                count(pool, "max_idle_total", usual.maxIdleTotal()),
                time == null ? usual.idleTimeout() : time(time, "idle_timeout"));
    }

    private static int count(YamlMap map, String key, int usual) {
        Node node = map.find(key);
        return node == null ? usual : YamlMap.whole(node, key, 0, Integer.MAX_VALUE);
    }

    private static Duration time(Node node, String what) {
        try {
            return new DurationConverter.Positive().convert(YamlMap.text(node, what));
        } catch (IllegalArgumentException e) {
            throw new YamlProblem(node, what + ": " + e.getMessage());
        }
    }

    // ------------------------------------------------------------------ proxies

    private void addProxy(Node node) {
        YamlMap proxy = YamlMap.of(node, "a proxy", "name", "type", "host", "port", "auth");
        Node nameNode = proxy.require("name");
        String name = name(nameNode);
        ProxyUri.Scheme scheme = scheme(proxy.require("type"));
        if (proxies.containsKey(name) || (direct.contains(name) && !name.equals(Route.DIRECT))) {
            throw new YamlProblem(nameNode, "there is another proxy " + Found.name(name) + " before this one");
        }
        if (scheme == null) {
            refuse(proxy, "host");
            refuse(proxy, "port");
            refuse(proxy, "auth");
            direct.add(name);
            return;
        }
        if (name.equals(Route.DIRECT)) {
            throw new YamlProblem(nameNode, "\"direct\" is reserved for direct connections");
        }
        Node host = proxy.require("host");
        int port = YamlMap.whole(proxy.require("port"), "port", 1, HIGHEST_PORT);
        proxies.put(name, proxy(scheme, address(host, "host", port), proxy.find("auth")));
    }

    private static String name(Node node) {
        String name = YamlMap.text(node, "name");
        if (DENYING.contains(name)) {
            throw new YamlProblem(node, Found.name(name) + " is reserved for denied targets");
        }
        try {
            return Route.via(name).hops().get(0);
        } catch (IllegalArgumentException e) {
            throw new YamlProblem(node, String.valueOf(e.getMessage()));
        }
    }

    /** The scheme, or null for direct connections. */
    private static ProxyUri.@Nullable Scheme scheme(Node node) {
        return switch (YamlMap.text(node, "type")) {
            case "http" -> ProxyUri.Scheme.HTTP;
            case "https" -> ProxyUri.Scheme.HTTPS;
            case "socks5" -> ProxyUri.Scheme.SOCKS5;
            case "socks4" -> ProxyUri.Scheme.SOCKS4;
            case "direct" -> null;
            default ->
                throw new YamlProblem(node, "type must be http, https, socks5, socks4 or direct" + YamlMap.found(node));
        };
    }

    private static void refuse(YamlMap proxy, String key) {
        Node node = proxy.find(key);
        if (node != null) {
            throw new YamlProblem(node, "a proxy of the type direct has no " + key);
        }
    }

    private static HostPort address(Node node, String what, int port) {
        try {
            return HostPort.of(YamlMap.text(node, what), port);
        } catch (IllegalArgumentException e) {
            throw new YamlProblem(node, what + ": " + e.getMessage());
        }
    }

    private static Upstream proxy(ProxyUri.Scheme scheme, HostPort address, @Nullable Node auth) {
        if (auth == null) {
            return new Upstream(ProxyUri.of(scheme, address, null), UpstreamAuth.BASIC);
        }
        YamlMap how = YamlMap.ofSecret(auth, "auth", "username", "password", "type");
        UpstreamAuth type = authType(how.find("type"));
        boolean ticket = type == UpstreamAuth.NEGOTIATE && how.find("username") == null && how.find("password") == null;
        String user = ticket ? "" : how.requireText("username");
        boolean userIdOnly = scheme == ProxyUri.Scheme.SOCKS4 && how.find("password") == null;
        String password = ticket || userIdOnly ? "" : how.requireText("password");
        try {
            return new Upstream(ProxyUri.of(scheme, address, ticket ? null : Credentials.basic(user, password)), type);
        } catch (IllegalArgumentException e) { // says nothing of what they are
            throw new YamlProblem(auth, "auth: " + e.getMessage());
        }
    }

    /** What is found in its place is not shown: it may be a password. */
    private static UpstreamAuth authType(@Nullable Node node) {
        if (node == null) {
            return UpstreamAuth.BASIC;
        }
        try {
            return UpstreamAuth.parse(YamlMap.text(node, "type"));
        } catch (IllegalArgumentException e) {
            throw new YamlProblem(node, "auth: type must be basic, digest or negotiate");
        }
    }

    // ------------------------------------------------------------------ rules

    private void addRule(Node node) {
        YamlMap rule = YamlMap.of(node, "a rule", "match", "value", "values", "proxy");
        Node match = rule.require("match");
        switch (YamlMap.text(match, "match")) {
            case "domain" -> {
                Route route = route(rule.require("proxy"));
                values(rule).forEach(value -> add(value, () -> rules.domain(YamlMap.text(value, "a domain"), route)));
            }
            case "ip" -> {
                Route route = route(rule.require("proxy"));
                values(rule)
                        .forEach(value -> add(value, () -> rules.address(YamlMap.text(value, "an address"), route)));
            }
            case "default" -> addDefault(rule, match);
            default -> throw new YamlProblem(match, "match must be domain, ip or default" + YamlMap.found(match));
        }
    }

    private void addDefault(YamlMap rule, Node match) {
        for (String key : List.of("value", "values")) {
            Node value = rule.find(key);
            if (value != null) {
                throw new YamlProblem(value, "the default matches everything and has no " + key + YamlMap.found(value));
            }
        }
        if (defaultSeen) {
            throw new YamlProblem(match, "there is another default before this one");
        }
        defaultSeen = true;
        rules.otherwise(route(rule.require("proxy")));
    }

    private static List<Node> values(YamlMap rule) {
        Node one = rule.find("value");
        Node several = rule.find("values");
        if (one != null && several != null) {
            throw new YamlProblem(several, "a rule has either \"value\" or \"values\", not both");
        }
        if (several != null) {
            return YamlMap.list(several, "values");
        }
        if (one == null) {
            throw new YamlProblem(rule.node(), "missing field \"value\" or \"values\"");
        }
        return List.of(one);
    }

    private static void add(Node value, Runnable addition) {
        try {
            addition.run();
        } catch (RuleException e) {
            throw new YamlProblem(value, e.reason());
        }
    }

    private Route route(Node node) {
        if (!(node instanceof SequenceNode)) {
            String name = YamlMap.text(node, "proxy");
            return DENYING.contains(name) ? Route.deny() : Route.via(hop(node, name));
        }
        List<String> hops = new ArrayList<>();
        for (Node each : YamlMap.list(node, "proxy")) {
            hops.add(hop(each, YamlMap.text(each, "proxy")));
        }
        try {
            return Route.via(hops);
        } catch (IllegalArgumentException e) {
            throw new YamlProblem(node, String.valueOf(e.getMessage()));
        }
    }

    private String hop(Node node, String name) {
        if (direct.contains(name)) {
            return Route.DIRECT;
        }
        if (DENYING.contains(name)) {
            throw new YamlProblem(node, Found.name(name) + " cannot be one of several");
        }
        if (!proxies.containsKey(name)) {
            throw new YamlProblem(node, "unknown proxy " + Found.name(name));
        }
        return name;
    }
}
