package io.broxy;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Says for each target which {@link Route} it takes: that of the first rule that matches, or else the default.
 *
 * <pre>{@code
 * Rules rules = Rules.builder()
 *         .domain("corp.example", Route.direct())
 *         .address("10.0.0.0/8", Route.direct())
 *         .domain("ads.example", Route.deny())
 *         .otherwise(Route.via("proxy-1", "proxy-2"))
 *         .build();
 * }</pre>
 *
 * <p>Nothing here looks a name up: rules about domains match names only, and rules about addresses match only targets
 * that are addresses. Upper and lower case and a trailing dot make no difference. Thousands of rules are as quick to
 * search as a few.
 *
 * <p>Threading: immutable.
 */
public final class Rules {
    private final List<Rule> rules;
    private final List<Route> routes;
    private final Route otherwise;
    private final RuleIndex index;
    private final Set<String> hops;

    private Rules(Builder builder) {
        rules = List.copyOf(builder.rules);
        routes = List.copyOf(builder.routes);
        otherwise = builder.otherwise;
        index = new RuleIndex(rules);
        Set<String> named = new LinkedHashSet<>();
        routes.forEach(route -> named.addAll(route.hops()));
        named.addAll(otherwise.hops());
        hops = Set.copyOf(named);
    }

    /** Starts with no rule. */
    public static Builder builder() {
        return new Builder();
    }

    /** No rule, and one route for all. */
    public static Rules always(Route route) {
        return builder().otherwise(route).build();
    }

    /** The way to a target. */
    public Route route(HostPort target) {
        int found = index.find(target);
        return found == RuleIndex.NONE ? otherwise : routes.get(found);
    }

    /**
     * Says in one line which way a target goes and which rule decided that: {@code db.example:5432 goes via proxy-1:
     * rules[2], domain example}. Rules are counted from 0.
     */
    public String explain(HostPort target) {
        int found = index.find(target);
        Route route = found == RuleIndex.NONE ? otherwise : routes.get(found);
        return target + (route.isDenied() ? " is " : " goes ") + route + ": "
                + (found == RuleIndex.NONE ? "no rule matches" : "rules[" + found + "], " + rules.get(found));
    }

    /** Every hop that a route names, {@link Route#DIRECT} among them if one does; unmodifiable. */
    public Set<String> hops() {
        return hops;
    }

    /** Says how many rules there are, and the default. */
    @Override
    public String toString() {
        return "Rules[" + rules.size() + ", otherwise " + otherwise + "]";
    }

    /** Collects rules, in the order in which they are asked. Threading: for one thread. */
    public static final class Builder {
        private final List<Rule> rules = new ArrayList<>();
        private final List<Route> routes = new ArrayList<>();
        private Route otherwise = Route.direct();

        private Builder() {}

        /**
         * Adds a rule for a domain: the name itself and every name below it. {@code example.com} and {@code .example.com}
         * are the same and match {@code example.com} and {@code www.example.com}, but not {@code evilexample.com}.
         *
         * @param domain a name as {@link HostPort} describes it; {@code example.com:443} matches that port only
         * @throws RuleException if it is anything else, an address for one
         */
        public Builder domain(String domain, Route route) {
            return add(read(Rule::domain, domain), route);
        }

        /**
         * Adds a rule for addresses. It matches targets that are such addresses, and no name. An IPv4-mapped IPv6 address
         * counts as the IPv4 address that it stands for, in the target and here.
         *
         * @param address an address or a block as {@link Cidr#parse} reads them; with a port behind it ({@code
         *     192.0.2.1:443}, {@code [2001:db8::1]:443}, {@code 10.0.0.0/8:443}) it matches that port only
         * @throws RuleException if it is anything else
         */
        public Builder address(String address, Route route) {
            return add(read(Rule::address, address), route);
        }

        /**
         * Adds a rule for every target with a port.
         *
         * @throws RuleException if it is not within 1 to 65535
         */
        public Builder port(int port, Route route) {
            if (port < 1 || port > 65_535) {
                throw refused("port " + port + " is not within 1 to 65535");
            }
            return add(new Rule.AnyHost(port), route);
        }

        /**
         * Sets the way of the targets that no rule matches; default {@link Route#direct()}. Rules that only allow what they
         * name end with {@code otherwise(Route.deny())}.
         */
        public Builder otherwise(Route route) {
            otherwise = Objects.requireNonNull(route, "route");
            return this;
        }

        /** The rules. */
        public Rules build() {
            return new Rules(this);
        }

        Builder add(Rule rule, Route route) {
            routes.add(Objects.requireNonNull(route, "route"));
            rules.add(rule);
            return this;
        }

        private Rule read(Function<String, Rule> reader, String text) {
            try {
                return reader.apply(text);
            } catch (IllegalArgumentException e) {
                throw refused(e.getMessage());
            }
        }

        private RuleException refused(@Nullable String reason) {
            return new RuleException("rules", rules.size(), String.valueOf(reason));
        }
    }
}
