package io.broxy.core.internal.net;

import io.broxy.AddressPolicy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Refuses the addresses and ports at which a proxy itself listens, so that it does not become its own client (RFC 9110
 * section 7.3 speaks of that danger). Where it is reached by an address that no interface has, behind a NAT for one, it
 * cannot know.
 *
 * <p>Whoever asks mostly asks for a port that is none of these, which costs a look at a few numbers.
 *
 * <p>Threading: thread-safe; readers take no lock.
 */
public final class OwnAddresses implements AddressPolicy {
    private final Object lock = new Object();

    /** Replaced as a whole, under the lock. */
    private volatile Set<InetSocketAddress> listening = Set.of();

    private volatile int[] ports = {};

    /**
     * Adds where a server listens, or where a client has reached one. An address that no interface has is left out: it
     * belongs to somebody else, whose connections were intercepted.
     *
     * @param address resolved; a wildcard means every local address
     */
    public void add(InetSocketAddress address) {
        if (listening.contains(address) || !isOfThisHost(address.getAddress())) {
            return;
        }
        synchronized (lock) {
            Set<InetSocketAddress> more = new LinkedHashSet<>(listening);
            more.add(address);
            replace(more);
        }
    }

    /** Takes an address out at which nobody listens any more. */
    public void remove(InetSocketAddress address) {
        synchronized (lock) {
            Set<InetSocketAddress> fewer = new LinkedHashSet<>(listening);
            fewer.remove(address);
            replace(fewer);
        }
    }

    private void replace(Set<InetSocketAddress> next) {
        listening = next;
        ports = next.stream().mapToInt(InetSocketAddress::getPort).distinct().toArray();
    }

    /** Without a port, no address is the proxy. */
    @Override
    public boolean admits(InetAddress address) {
        return true;
    }

    @Override
    public boolean admits(InetAddress address, int port) {
        for (int own : ports) {
            if (own == port) {
                return !leadsHere(address, port);
            }
        }
        return true;
    }

    private boolean leadsHere(InetAddress address, int port) {
        for (InetSocketAddress own : listening) {
            if (own.getPort() == port && covers(own.getAddress(), address)) {
                return true;
            }
        }
        return false;
    }

    /** A connection to the wildcard address leads to the loopback. */
    private static boolean covers(InetAddress listening, InetAddress address) {
        return listening.equals(address)
                || (address.isAnyLocalAddress() && listening.isLoopbackAddress())
                || (listening.isAnyLocalAddress() && isOfThisHost(address));
    }

    private static boolean isOfThisHost(InetAddress address) {
        if (address.isAnyLocalAddress() || address.isLoopbackAddress()) {
            return true;
        }
        try {
            return NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException e) {
            return false; // without interfaces nobody can be reached anyway
        }
    }

    @Override
    public String explain(InetAddress address, int port) {
        return admits(address, port)
                ? explain(address)
                : address.getHostAddress() + " with port " + port + " is where this proxy listens";
    }

    @Override
    public String explain(InetAddress address) {
        return address.getHostAddress() + " is not this proxy";
    }

    /** Names them. */
    @Override
    public String toString() {
        return "not this proxy at " + listening;
    }
}
