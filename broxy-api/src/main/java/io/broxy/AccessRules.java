package io.broxy;

import java.net.InetAddress;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The built-in implementations of {@link AccessPolicy}.
 *
 * <p>Threading: stateless.
 */
final class AccessRules {
    static final AccessPolicy ANY = new Any();

    /** As many values as an explanation names. */
    private static final int MOST_NAMED = 10;

    private AccessRules() {}

    /** A policy that may know from a client's address that it admits all of its requests. Threading: immutable. */
    private interface ClientRule extends AccessPolicy {
        boolean admitsClient(@Nullable InetAddress client);
    }

    private static boolean admitsClient(AccessPolicy policy, @Nullable InetAddress client) {
        return policy instanceof ClientRule rule && rule.admitsClient(client);
    }

    /** The values in order or, if there are many, their number. */
    private static String list(Set<String> values, String what) {
        return values.size() <= MOST_NAMED ? String.join(", ", new TreeSet<>(values)) : values.size() + " " + what;
    }

    private static String isOneOf(boolean in) {
        return in ? " is one of " : " is none of ";
    }

    /** Threading: immutable. */
    private record Any() implements ClientRule {
        @Override
        public boolean admits(AccessRequest request) {
            return true;
        }

        @Override
        public boolean admitsClient(@Nullable InetAddress client) {
            return true;
        }

        @Override
        public String explain(AccessRequest request) {
            return "every request is admitted";
        }

        @Override
        public String toString() {
            return "any request";
        }
    }

    /** Threading: immutable. */
    record Both(AccessPolicy first, AccessPolicy second) implements ClientRule {
        @Override
        public boolean admits(AccessRequest request) {
            return first.admits(request) && second.admits(request);
        }

        @Override
        public boolean refusesClient(@Nullable InetAddress client) {
            return first.refusesClient(client) || second.refusesClient(client);
        }

        @Override
        public boolean admitsClient(@Nullable InetAddress client) {
            return AccessRules.admitsClient(first, client) && AccessRules.admitsClient(second, client);
        }

        /** A refusal is that of the first operand that refuses. */
        @Override
        public String explain(AccessRequest request) {
            if (!first.admits(request)) {
                return first.explain(request);
            }
            return second.admits(request)
                    ? first.explain(request) + ", and " + second.explain(request)
                    : second.explain(request);
        }

        @Override
        public String toString() {
            return "(" + first + " and " + second + ")";
        }
    }

    /** Threading: immutable. */
    record Either(AccessPolicy first, AccessPolicy second) implements ClientRule {
        @Override
        public boolean admits(AccessRequest request) {
            return first.admits(request) || second.admits(request);
        }

        @Override
        public boolean refusesClient(@Nullable InetAddress client) {
            return first.refusesClient(client) && second.refusesClient(client);
        }

        @Override
        public boolean admitsClient(@Nullable InetAddress client) {
            return AccessRules.admitsClient(first, client) || AccessRules.admitsClient(second, client);
        }

        /** An admission is that of the first operand that admits. */
        @Override
        public String explain(AccessRequest request) {
            if (first.admits(request)) {
                return first.explain(request);
            }
            return second.admits(request)
                    ? second.explain(request)
                    : first.explain(request) + ", and " + second.explain(request);
        }

        @Override
        public String toString() {
            return "(" + first + " or " + second + ")";
        }
    }

    /** Threading: immutable. */
    record Not(AccessPolicy refused) implements ClientRule {
        @Override
        public boolean admits(AccessRequest request) {
            return !refused.admits(request);
        }

        @Override
        public boolean refusesClient(@Nullable InetAddress client) {
            return AccessRules.admitsClient(refused, client);
        }

        @Override
        public boolean admitsClient(@Nullable InetAddress client) {
            return refused.refusesClient(client);
        }

        @Override
        public AccessPolicy negate() {
            return refused;
        }

        @Override
        public String explain(AccessRequest request) {
            return refused.explain(request) + (admits(request) ? ", which is admitted" : ", which is refused");
        }

        @Override
        public String toString() {
            return "not " + refused;
        }
    }

    /** Threading: immutable; the set does not change after construction. */
    record Ports(BitSet ports) implements AccessPolicy {
        static Ports of(int... ports) {
            BitSet set = new BitSet();
            for (int port : ports) {
                set.set(checked(port));
            }
            return new Ports(set);
        }

        static Ports range(int first, int last) {
            if (checked(first) > checked(last)) {
                throw new IllegalArgumentException("no ports from " + first + " to " + last);
            }
            BitSet set = new BitSet();
            set.set(first, last + 1);
            return new Ports(set);
        }

        private static int checked(int port) {
            if (port < 1 || port > 65_535) {
                throw new IllegalArgumentException("a port is from 1 to 65535, not " + port);
            }
            return port;
        }

        @Override
        public boolean admits(AccessRequest request) {
            return ports.get(request.target().port());
        }

        @Override
        public String explain(AccessRequest request) {
            return "port " + request.target().port() + isOneOf(admits(request)) + ranges();
        }

        /** The ports, with a hyphen in place of those between two. */
        private String ranges() {
            StringJoiner all = new StringJoiner(", ");
            for (int first = ports.nextSetBit(0); first >= 0; ) {
                int end = ports.nextClearBit(first);
                all.add(end == first + 1 ? String.valueOf(first) : first + "-" + (end - 1));
                first = ports.nextSetBit(end);
            }
            return all.length() == 0 ? "no ports" : all.toString();
        }

        @Override
        public String toString() {
            return "ports " + ports;
        }
    }

    /**
     * Names are looked up by their suffixes, so that a list of thousands costs no more than a short one.
     *
     * <p>Threading: immutable.
     */
    record Hosts(Set<String> hosts) implements AccessPolicy {
        static Hosts of(Collection<String> hosts) {
            Set<String> canonical = new HashSet<>();
            for (String host : hosts) {
                canonical.add(HostPort.of(host, 1).host());
            }
            return new Hosts(Set.copyOf(canonical));
        }

        @Override
        public boolean admits(AccessRequest request) {
            return find(request.target()) != null;
        }

        /** The host of the list that matches, or null. */
        private @Nullable String find(HostPort target) {
            String host = target.host();
            if (target.isLiteral()) {
                return hosts.contains(host) ? host : null;
            }
            for (int dot = -1; ; ) {
                String suffix = host.substring(dot + 1);
                if (hosts.contains(suffix)) {
                    return suffix;
                }
                dot = host.indexOf('.', dot + 1);
                if (dot < 0) {
                    return null;
                }
            }
        }

        @Override
        public String explain(AccessRequest request) {
            String host = request.target().host();
            String found = find(request.target());
            String text = found == null || found.equals(host) ? host : host + " is below " + found + ", which";
            return text + isOneOf(found != null) + list(hosts, "hosts");
        }

        @Override
        public String toString() {
            return "hosts " + hosts;
        }
    }

    /** Threading: immutable. */
    record Methods(Set<String> methods) implements AccessPolicy {
        @Override
        public boolean admits(AccessRequest request) {
            return methods.contains(request.method());
        }

        @Override
        public String explain(AccessRequest request) {
            return "method " + Printable.quote(request.method()) + isOneOf(admits(request)) + list(methods, "methods");
        }

        @Override
        public String toString() {
            return "methods " + methods;
        }
    }

    /** Threading: immutable. */
    record Clients(AddressPolicy blocks) implements ClientRule {
        @Override
        public boolean admits(AccessRequest request) {
            return admitsClient(request.client());
        }

        @Override
        public boolean refusesClient(@Nullable InetAddress client) {
            return !admitsClient(client);
        }

        @Override
        public boolean admitsClient(@Nullable InetAddress client) {
            return client != null && blocks.admits(client);
        }

        @Override
        public String explain(AccessRequest request) {
            InetAddress client = request.client();
            return client == null ? "the client has no address" : "client " + blocks.explain(client);
        }

        @Override
        public String toString() {
            return "clients " + blocks;
        }
    }

    /** Threading: immutable. */
    record Identities(Set<String> identities) implements AccessPolicy {
        @Override
        public boolean admits(AccessRequest request) {
            String identity = request.identity();
            return identity != null && identities.contains(identity);
        }

        @Override
        public String explain(AccessRequest request) {
            return request.identity() == null
                    ? "the client has no identity"
                    : "the identity" + isOneOf(admits(request)) + list(identities, "identities");
        }

        @Override
        public String toString() {
            return "identities " + identities;
        }
    }
}
