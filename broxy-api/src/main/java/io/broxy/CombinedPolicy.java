package io.broxy;

import java.net.InetAddress;

/**
 * Two policies as one; the second is asked only if the first leaves the question open.
 *
 * <p>Threading: immutable.
 *
 * @param first asked first
 * @param decisive the answer of one policy that is the answer of both: true for "or", false for "and"
 * @param second asked second
 */
record CombinedPolicy(AddressPolicy first, boolean decisive, AddressPolicy second) implements AddressPolicy {

    @Override
    public boolean admits(InetAddress address) {
        return first.admits(address) == decisive ? decisive : second.admits(address);
    }

    @Override
    public String explain(InetAddress address) {
        if (first.admits(address) == decisive) {
            return first.explain(address);
        }
        if (second.admits(address) == decisive) {
            return second.explain(address);
        }
        return first.explain(address) + ", and " + second.explain(address);
    }

    @Override
    public boolean admits(InetAddress address, int port) {
        return first.admits(address, port) == decisive ? decisive : second.admits(address, port);
    }

    @Override
    public String explain(InetAddress address, int port) {
        if (first.admits(address, port) == decisive) {
            return first.explain(address, port);
        }
        if (second.admits(address, port) == decisive) {
            return second.explain(address, port);
        }
        return first.explain(address, port) + ", and " + second.explain(address, port);
    }

    @Override
    public String toString() {
        return "(" + first + (decisive ? " or " : " and ") + second + ")";
    }
}
