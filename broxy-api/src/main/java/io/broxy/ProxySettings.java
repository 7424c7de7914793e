package io.broxy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Collects the proxies and the exceptions of {@link SystemProxies} while they are read, and what is not understood.
 *
 * <p>Threading: for one thread.
 */
final class ProxySettings {
    private final Rules.Builder rules = Rules.builder();
    private final List<SystemProxies.Problem> problems = new ArrayList<>();
    private final List<Named> needed = new ArrayList<>();

    /**
     * A proxy that a setting names.
     *
     * @param hop its name in the rules
     * @param setting the setting that names it
     * @param proxy null if it cannot be used
     * @param fault why it cannot be used; empty if it can
     */
    record Named(String hop, String setting, @Nullable ProxyUri proxy, String fault) {

        /** Reads a proxy, whose reader throws {@link IllegalArgumentException} for one that cannot be used. */
        static Named read(String hop, String setting, Supplier<ProxyUri> reader) {
            try {
                return new Named(hop, setting, reader.get(), "");
            } catch (IllegalArgumentException e) {
                return new Named(hop, setting, null, String.valueOf(e.getMessage()));
            }
        }
    }

    // ------------------------------------------------------------------ exceptions

    /** Adds a rule that dials directly. */
    void direct(Rule rule) {
        rules.add(rule, Route.direct());
    }

    /**
     * Adds the entries of a list, which are dialed directly. Entries that are not understood are problems.
     *
     * @param separators a regular expression
     * @param port of the targets that the entries are for, or 0 for all
     */
    void directs(String setting, String list, String separators, Function<String, Rule> reader, int port) {
        int index = 0;
        for (String entry : ProxyVariable.unquote(list).split(separators, -1)) {
            String text = ProxyVariable.unquote(entry);
            if (text.isEmpty()) {
                continue;
            }
            try {
                Rule rule = reader.apply(text);
                direct(port == 0 ? rule : Rule.at(rule, port));
            } catch (IllegalArgumentException e) {
                // with an "@" somewhere, what is around a separator may be a part of a password
                String reason = list.indexOf('@') < 0
                        ? String.valueOf(e.getMessage())
                        : "not understood: (not shown): the list has an \"@\", which no entry has";
                problems.add(new SystemProxies.Problem(setting, index, reason));
            }
            index++;
        }
    }

    // ------------------------------------------------------------------ proxies

    /** Says how the targets with a port are reached that no earlier rule matches: by a proxy, or directly. */
    void port(int port, @Nullable Named proxy) {
        Named faulty = need(proxy);
        if (faulty != null) {
            rules.add(new Rule.Unusable(unusable(faulty), port), Route.deny());
        } else {
            rules.port(port, route(proxy));
        }
    }

    /** Says how all other targets are reached. */
    void otherwise(@Nullable Named proxy) {
        Named faulty = need(proxy);
        if (faulty != null) {
            rules.add(new Rule.Unusable(unusable(faulty), 0), Route.deny());
        }
        rules.otherwise(faulty != null ? Route.deny() : route(proxy));
    }

    private @Nullable Named need(@Nullable Named proxy) {
        if (proxy == null) {
            return null;
        }
        needed.add(proxy);
        return proxy.proxy == null ? proxy : null;
    }

    private static Route route(@Nullable Named proxy) {
        return proxy == null ? Route.direct() : Route.via(proxy.hop);
    }

    private static String unusable(Named faulty) {
        return faulty.setting + " cannot be used: " + faulty.fault;
    }

    // ------------------------------------------------------------------ the result

    /**
     * Puts everything together.
     *
     * @param read every proxy that a setting names
     * @throws IllegalArgumentException if proxies are needed, and none of them can be used
     */
    SystemProxies build(List<Named> read) {
        Map<String, ProxyUri> hops = new LinkedHashMap<>();
        for (Named proxy : needed) {
            if (proxy.proxy != null) {
                hops.put(proxy.hop, proxy.proxy);
            }
        }
        if (hops.isEmpty() && !needed.isEmpty()) {
            throw new IllegalArgumentException(needed.get(0).setting + ": " + needed.get(0).fault);
        }
        List<SystemProxies.Problem> all = new ArrayList<>();
        for (Named proxy : read) {
            if (proxy.proxy == null) {
                String effect = needed.contains(proxy) ? "; targets that need it are denied" : "; no target needs it";
                all.add(new SystemProxies.Problem(proxy.setting, SystemProxies.Problem.WHOLE, proxy.fault + effect));
            }
        }
        all.addAll(problems);
        return new SystemProxies(rules.build(), hops, all);
    }
}
