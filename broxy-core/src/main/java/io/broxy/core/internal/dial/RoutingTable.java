package io.broxy.core.internal.dial;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.Route;
import io.broxy.Rules;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/**
 * Rules together with the hops that they name.
 *
 * <p>Threading: immutable, but for what the hops remember.
 */
final class RoutingTable {
    private final Rules rules;
    private final Map<String, Hop> hops;

    private RoutingTable(Rules rules, Map<String, Hop> hops) {
        TreeSet<String> unknown = new TreeSet<>(rules.hops());
        unknown.removeAll(hops.keySet());
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("the rules name hops that there are not: " + String.join(", ", unknown));
        }
        this.rules = rules;
        this.hops = hops;
    }

    /**
     * Makes a table of new hops.
     *
     * @param dialers those of the hops, {@link Route#DIRECT} among them
     * @throws IllegalArgumentException if a rule names none of them
     */
    static RoutingTable of(Rules rules, Map<String, Dialer> dialers, DialEngine engine) {
        Map<String, Hop> hops = new HashMap<>();
        dialers.forEach((name, dialer) -> hops.put(name, new Hop(name, dialer, engine)));
        return new RoutingTable(rules, hops);
    }

    /** The same hops with other rules. */
    RoutingTable with(Rules newRules) {
        return new RoutingTable(newRules, hops);
    }

    /** Other rules and hops; the direct hop, and each hop whose name and dialer are the same, stays as it is. */
    RoutingTable with(Rules newRules, Map<String, Dialer> dialers, DialEngine engine) {
        Map<String, Hop> newHops = new HashMap<>();
        dialers.forEach((name, dialer) -> {
            Hop old = hops.get(checkName(name));
            newHops.put(name, old != null && old.dialer() == dialer ? old : new Hop(name, dialer, engine));
        });
        newHops.put(Route.DIRECT, hop(Route.DIRECT));
        return new RoutingTable(newRules, newHops);
    }

    /** Refuses a name that a user's hop cannot have. */
    static String checkName(String name) {
        if (name.equals(Route.DIRECT)) {
            throw new IllegalArgumentException("the hop \"" + Route.DIRECT + "\" is the dialer for direct dials");
        }
        return Route.via(name).hops().get(0);
    }

    /** Whether the dialer of one of the hops sends the address of the client. */
    boolean sendsClientAddress() {
        for (Hop hop : hops.values()) {
            if (hop.dialer().sendsClientAddress()) {
                return true;
            }
        }
        return false;
    }

    Rules rules() {
        return rules;
    }

    /** The hops to a target in order of preference, none if it is denied. */
    List<Hop> hopsTo(HostPort target) {
        List<String> names = rules.route(target).hops();
        List<Hop> all = new ArrayList<>(names.size());
        for (String name : names) {
            all.add(hop(name));
        }
        return all;
    }

    private Hop hop(String name) {
        return Objects.requireNonNull(hops.get(name), name); // every name was looked for when this was made
    }
}
