package io.broxy;

import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Decides which requests are served, by what is asked for and who asks, before any name is resolved. Which addresses a
 * name may lead to is for an {@link AddressPolicy} to say.
 *
 * <pre>{@code
 * AccessPolicy policy = AccessPolicy.ports(80, 443)
 *         .and(AccessPolicy.hosts("internal.example").negate())
 *         .or(AccessPolicy.identities("backup"));
 * }</pre>
 *
 * <p>Threading: implementations are thread-safe, pure and must not block: they are called on event loops. One that throws
 * refuses.
 */
@FunctionalInterface
public interface AccessPolicy {

    /** Whether the request is served. */
    boolean admits(AccessRequest request);

    /** A policy that admits what both this one and the other one admit; the other one is asked second. */
    default AccessPolicy and(AccessPolicy other) {
        return new AccessRules.Both(this, Objects.requireNonNull(other, "other"));
    }

    /** A policy that admits what this one or the other one admits; the other one is asked second. */
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
     * Admits requests to these ports; without a port, none.
     *
     * @throws IllegalArgumentException if one is not from 1 to 65535
     */
    static AccessPolicy ports(int... ports) {
        return AccessRules.Ports.of(ports);
    }

    /**
     * Admits requests to ports from {@code first} to {@code last}, both included.
     *
     * @throws IllegalArgumentException if one is not from 1 to 65535, or the first is above the last
     */
    static AccessPolicy portRange(int first, int last) {
        return AccessRules.Ports.range(first, last);
    }

    /**
     * Admits requests to these hosts: {@code example.com} stands for itself and every name below it, an address for
     * itself. A name is compared as it was asked for; what it resolves to makes no difference.
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

    /** Admits clients whose addresses are in these blocks; those without an address are in none. */
    static AccessPolicy clients(Cidr... blocks) {
        return clients(List.of(blocks));
    }

    /** As {@link #clients(Cidr...)}. The collection is copied. */
    static AccessPolicy clients(Collection<Cidr> blocks) {
        return new AccessRules.Clients(AddressPolicy.allowing(blocks));
    }

    /** Admits clients with these identities; those without one have none of them. */
    static AccessPolicy identities(String... identities) {
        return new AccessRules.Identities(Set.of(identities));
    }
}
