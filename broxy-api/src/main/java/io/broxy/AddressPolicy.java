package io.broxy;

import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Objects;

/**
 * Decides which addresses may be connected to.
 *
 * <p>A dialer checks each address just before it connects to that very address, after the name was looked up, so a name
 * that changes its address in between gains nothing.
 *
 * <p>Threading: implementations are thread-safe, pure and must not block, because they are called on event loops.
 */
@FunctionalInterface
public interface AddressPolicy {

    /** Whether the address may be connected to. */
    boolean admits(InetAddress address);

    /**
     * Says in a short English clause why the address is admitted or refused, for an operator's log and not for clients:
     * {@code 10.1.2.3 is private (RFC 1918)}. It performs no lookup. The default says only whether the address is
     * admitted.
     */
    default String explain(InetAddress address) {
        byte[] bytes = address.getAddress();
        String text = AddressText.format(AddressBits.high(bytes), AddressBits.low(bytes));
        return text + (admits(address) ? " is admitted" : " is refused");
    }

    /**
     * Whether a port of the address may be connected to; dialers call this method. The default checks the address
     * alone.
     *
     * @param port 1 to 65535
     */
    default boolean admits(InetAddress address, int port) {
        return admits(address);
    }

    /** As {@link #explain(InetAddress)}, for a port of the address. The default explains the address alone. */
    default String explain(InetAddress address, int port) {
        return explain(address);
    }

    /** A policy that admits what this one or the other one admits. */
    default AddressPolicy or(AddressPolicy other) {
        return new CombinedPolicy(this, true, Objects.requireNonNull(other, "other"));
    }

    /** A policy that admits what both this one and the other one admit. */
    default AddressPolicy and(AddressPolicy other) {
        return new CombinedPolicy(this, false, Objects.requireNonNull(other, "other"));
    }

    /** Admits every address. */
    static AddressPolicy any() {
        return RangePolicy.ANY;
    }

    /**
     * Admits addresses of the public Internet only.
     *
     * <p>It refuses every address that the IANA special-purpose registries (RFC 6890) do not call globally reachable,
     * including private, loopback, link-local, shared (carrier NAT) and documentation addresses; multicast; and all
     * other addresses that are not global unicast, such as most of IPv6 outside {@code 2000::/3}.
     *
     * <p>An IPv6 address that embeds an IPv4 address is admitted only if that one is public, too: 6to4 (RFC 3056),
     * Teredo (RFC 4380, both the server and the client), ISATAP (RFC 5214) and the well-known prefix of NAT64 (RFC
     * 6052). The deprecated IPv4-compatible form and the local-use prefix of NAT64 (RFC 8215) are refused whatever they
     * embed. A NAT64 that takes its prefix out of the network's own addresses cannot be recognized: if there is one,
     * narrow this policy with {@link #denying}.
     */
    static AddressPolicy publicOnly() {
        return RangePolicy.PUBLIC_ONLY;
    }

    /**
     * Admits the addresses in the given blocks only; with no blocks, none. An IPv6 address does not count as an IPv4
     * address that it embeds. It widens another policy: {@code publicOnly().or(allowing(...))}.
     */
    static AddressPolicy allowing(Cidr... blocks) {
        return allowing(List.of(blocks));
    }

    /** As {@link #allowing(Cidr...)}. The collection is copied. */
    static AddressPolicy allowing(Collection<Cidr> blocks) {
        return new RangePolicy(new RangePolicy.Allowed(new CidrSet(blocks)), false);
    }

    /**
     * Admits all but the addresses in the given blocks and the IPv6 addresses that embed an IPv4 address of these
     * blocks in one of the forms that {@link #publicOnly()} names; with no blocks, it admits all. It narrows another
     * policy: {@code publicOnly().and(denying(...))}.
     */
    static AddressPolicy denying(Cidr... blocks) {
        return denying(List.of(blocks));
    }

    /** As {@link #denying(Cidr...)}. The collection is copied. */
    static AddressPolicy denying(Collection<Cidr> blocks) {
        return new RangePolicy(new RangePolicy.Denied(new CidrSet(blocks)), true);
    }
}
