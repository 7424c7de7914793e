package io.broxy;

import java.net.InetAddress;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The built-in implementations of {@link AccessPolicy}.
 *
 * <p>Threading: stateless.
 */
final class AccessRules {
    static final AccessPolicy ANY = new Any();

    private AccessRules() {}

    /** A policy that may know from a client's address that it admits all of its requests. Threading: immutable. */
    private interface ClientRule extends AccessPolicy {
        boolean admitsClient(@Nullable InetAddress client);
    }

    private static boolean admitsClient(AccessPolicy policy, @Nullable InetAddress client) {
        return policy instanceof ClientRule rule && rule.admitsClient(client);
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
            String host = request.target().host();
            if (request.target().isLiteral()) {
                return hosts.contains(host);
            }
            for (int dot = -1; ; ) {
                if (hosts.contains(host.substring(dot + 1))) {
                    return true;
                }
                dot = host.indexOf('.', dot + 1);
                if (dot < 0) {
                    return false;
                }
            }
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
        public String toString() {
            return "identities " + identities;
        }
    }
}
