package io.broxy;

import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides which requests are served, by their target, method, client and identity, before any name is resolved. An
 * {@link AddressPolicy} decides which addresses a name may lead to.
 *
 * <pre>{@code
 * AccessPolicy policy = AccessPolicy.ports(80, 443)
 *         .and(AccessPolicy.hosts("internal.example").negate())
 *         .or(AccessPolicy.identities("backup"));
 * }</pre>
 *
 * <p>Threading: implementations are thread-safe, pure and must not block, because they are called on event loops. A
 * policy that throws refuses the request.
 */
@FunctionalInterface
public interface AccessPolicy {

    /** Whether the request is served. */
    boolean admits(AccessRequest request);

    /**
     * Whether every request of a client with this address is refused, whatever it asks for and whichever identity it
     * has. Such a client gets no chance to log in: it gets 403 in place of 407, and its password is not checked. By
     * default false, so that {@link #admits} decides when the client has logged in.
     *
     * <p>It is true for policies that {@link #clients} builds, also {@linkplain #negate negated} and combined with
     * others, where these refuse the address.
     *
     * @param client the client's address; null if it has none, as over a Unix domain socket
     */
    default boolean refusesClient(@Nullable InetAddress client) {
        return false;
    }

    /**
     * Says in a short English clause why the request is admitted or refused, for an operator and not for clients: {@code port 25 is none
     * of 80, 443}. The default says only whether the request is admitted.
     *
     * @throws RuntimeException if {@link #admits} throws it
     */
    default String explain(AccessRequest request) {
        return "the access policy " + (admits(request) ? "admits" : "refuses") + " the request";
    }

    /** A policy that admits what both this one and the other one admit; this one is evaluated first. */
    default AccessPolicy and(AccessPolicy other) {
        return new AccessRules.Both(this, Objects.requireNonNull(other, "other"));
    }

    /** A policy that admits what this one or the other one admits; this one is evaluated first. */
    default AccessPolicy or(AccessPolicy other) {
        return new AccessRules.Either(this, Objects.requireNonNull(other, "other"));
    }

    /** A policy that admits what this one refuses. */
    default AccessPolicy negate() {
        return new AccessRules.Not(this);
    }

    /** Admits every request. */
    static AccessPolicy any() {
        return AccessRules.ANY;
    }

    /**
     * Admits requests to these ports; with no ports, none.
     *
     * @throws IllegalArgumentException if one is not from 1 to 65535
     */
    static AccessPolicy ports(int... ports) {
        return AccessRules.Ports.of(ports);
    }

    /**
     * Admits requests to ports from {@code first} to {@code last}, both included.
     *
     * @throws IllegalArgumentException if a port is not from 1 to 65535, or the first is above the last
     */
    static AccessPolicy portRange(int first, int last) {
        return AccessRules.Ports.range(first, last);
    }

    /**
     * Admits requests to these hosts: {@code example.com} matches itself and every name below it, an address matches
     * itself. A name is compared as requested; what it resolves to makes no difference.
     *
     * @throws IllegalArgumentException if one is neither a name nor an address
     */
    static AccessPolicy hosts(String... hosts) {
        return hosts(List.of(hosts));
    }

    /** As {@link #hosts(String...)}. The collection is copied. */
    static AccessPolicy hosts(Collection<String> hosts) {
        return AccessRules.Hosts.of(hosts);
    }

    /** Admits requests with these methods, which are case-sensitive; {@code CONNECT} is one. */
    static AccessPolicy methods(String... methods) {
        return new AccessRules.Methods(Set.of(methods));
    }

    /** Admits clients whose addresses are in these blocks; clients without an address are in none. */
    static AccessPolicy clients(Cidr... blocks) {
        return clients(List.of(blocks));
    }

    /** As {@link #clients(Cidr...)}. The collection is copied. */
    static AccessPolicy clients(Collection<Cidr> blocks) {
        return new AccessRules.Clients(AddressPolicy.allowing(blocks));
    }

    /** Admits clients with these identities; clients without an identity are refused. */
    static AccessPolicy identities(String... identities) {
        return new AccessRules.Identities(Set.of(identities));
    }
}
