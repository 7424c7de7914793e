package io.broxy;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Chooses a {@link Route} for each target: that of the first rule that matches, or else the default.
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
 * <p>No name is looked up: rules about domains match names only, and rules about addresses match only targets that are
 * addresses. Case and a trailing dot make no difference. Searching thousands of rules is as fast as searching a few.
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

    /** Returns a builder without rules. */
    public static Builder builder() {
        return new Builder();
    }

    /** Rules with one route for all targets. */
    public static Rules always(Route route) {
        return builder().otherwise(route).build();
    }

    /** The route to a target. */
    public Route route(HostPort target) {
        int found = index.find(target);
        return found == RuleIndex.NONE ? otherwise : routes.get(found);
    }

    /**
     * Says in one line which route a target takes and which rule decided that: {@code db.example:5432 goes via proxy-1:
     * rules[2], domain example}. Rules are counted from 0.
     */
    public String explain(HostPort target) {
        int found = index.find(target);
        Route route = found == RuleIndex.NONE ? otherwise : routes.get(found);
        return target + (route.isDenied() ? " is " : " goes ") + route + ": "
                + (found == RuleIndex.NONE ? "no rule matches" : "rules[" + found + "], " + rules.get(found));
    }

    /** Every hop that a route names, including {@link Route#DIRECT} if a route names it; unmodifiable. */
    public Set<String> hops() {
        return hops;
    }

    /** Shows the number of rules, and the default. */
    @Override
    public String toString() {
        return "Rules[" + rules.size() + ", otherwise " + otherwise + "]";
    }

    /** Collects rules, in the order in which they are tried. Threading: for one thread. */
    public static final class Builder {
        private final List<Rule> rules = new ArrayList<>();
        private final List<Route> routes = new ArrayList<>();
        private Route otherwise = Route.direct();

        private Builder() {}

        /**
         * Adds a rule for a domain: the name itself and every name below it. {@code example.com} and {@code
         * .example.com} are the same and match {@code example.com} and {@code www.example.com}, but not {@code
         * evilexample.com}.
         *
         * @param domain a name as {@link HostPort} describes it; {@code example.com:443} matches that port only
         * @throws RuleException if it is anything else, such as an address
         */
        public Builder domain(String domain, Route route) {
            return add(read(Rule::domain, domain), route);
        }

        /**
         * Adds a rule for addresses. It matches targets that are such addresses, and no name. An IPv4-mapped IPv6
         * address counts as its IPv4 address, in the target and here.
         *
         * @param address an address or a block as {@link Cidr#parse} reads them; with a port after it ({@code
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
         * Sets the route of targets that no rule matches; default {@link Route#direct()}. Rules that allow only what
         * they name end with {@code otherwise(Route.deny())}.
         */
        public Builder otherwise(Route route) {
            otherwise = Objects.requireNonNull(route, "route");
            return this;
        }

        /** Builds the rules. */
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
