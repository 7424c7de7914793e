package io.broxy.core.internal.net;

import io.broxy.AddressPolicy;
import io.broxy.Cidr;
import io.broxy.HostPort;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Denies the addresses and ports at which an engine listens, so that clients cannot reach them through its proxies and a proxy
 * cannot become its own client (RFC 9110 section 7.3 describes such loops). An IPv6 address that embeds such an address is
 * treated like it, in all forms that {@link AddressPolicy#denying} recognizes.
 *
 * <p>Most calls concern other ports, which a few integer comparisons decide.
 *
 * <p>Threading: thread-safe; readers take no lock.
 */
public final class OwnAddresses implements AddressPolicy {
    private static final String LOCALHOST = "localhost";

    /** The loopback, and the addresses that systems treat as such (RFC 1122 section 3.2.1.3). */
    private static final List<Cidr> IPV4_HERE = List.of(Cidr.parse("127.0.0.0/8"), Cidr.parse("0.0.0.0/8"));

    private final Object lock = new Object();

    /** Replaced as a whole, under the lock. */
    private volatile List<Listening> all = List.of();

    /** Holds the addresses that it does not dial. Threading: thread-safe. */
    public interface Holder {
        /** The addresses at which its engine listens. */
        OwnAddresses ownAddresses();
    }

    /** An address at which something listens, until it is closed. Threading: thread-safe. */
    public final class Listening {
        private final InetSocketAddress address;
        /** Denies this address in all its forms. */
        private final AddressPolicy others;

        private final AtomicBoolean open = new AtomicBoolean(true);

        private Listening(InetSocketAddress address) {
            this.address = address;
            this.others = AddressPolicy.denying(Cidr.parse(text(address.getAddress())));
        }

        /** Removes the address, unless it was added more than once. Repeated calls have no effect. */
        public void close() {
            if (open.compareAndSet(true, false)) {
                synchronized (lock) {
                    List<Listening> fewer = new ArrayList<>(all);
                    fewer.remove(this);
                    all = List.copyOf(fewer);
                }
            }
        }

        /** A connection to the wildcard address leads to the loopback. */
        private boolean isReachedBy(InetAddress dialed) {
            InetAddress listening = address.getAddress();
            return !others.admits(dialed)
                    || (dialed.isAnyLocalAddress() && listening.isLoopbackAddress())
                    || (listening.isAnyLocalAddress() && leadsToThisHost(dialed));
        }

        /** Shows the address. */
        @Override
        public String toString() {
            return address.toString();
        }
    }

    /**
     * Adds an address at which something listens.
     *
     * @param address resolved; a wildcard means every local address
     */
    public Listening add(InetSocketAddress address) {
        Listening added = new Listening(address);
        synchronized (lock) {
            List<Listening> more = new ArrayList<>(all);
            more.add(added);
            all = List.copyOf(more);
        }
        return added;
    }

    /**
     * Adds the address of a listener that this engine does not know.
     *
     * @throws UnknownHostException if the address is unresolved
     * @throws IllegalArgumentException if its port is 0
     */
    public Listening declare(InetSocketAddress address) throws UnknownHostException {
        if (address.isUnresolved()) {
            throw new UnknownHostException(address.getHostString() + " is not resolved");
        }
        if (address.getPort() == 0) {
            throw new IllegalArgumentException("a listener needs the port that it is bound to, not 0");
        }
        return add(address);
    }

    /** Always true: without a port, no address is the proxy. */
    @Override
    public boolean admits(InetAddress address) {
        return true;
    }

    @Override
    public boolean admits(InetAddress address, int port) {
        for (Listening listening : all) {
            if (listening.address.getPort() == port && listening.isReachedBy(plain(address))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether a target is one of these addresses with any dialer, as far as this can be decided without a look-up: for a
     * literal address, and for {@code localhost}, which is the loopback everywhere (RFC 6761 section 6.3).
     */
    public boolean contain(HostPort target) {
        int port = target.port();
        if (!hasPort(port)) {
            return false;
        }
        InetAddress literal = target.address();
        return literal != null
                ? !admits(literal, port)
                : isLocalhost(target.host()) && !(admits(loopback(false), port) && admits(loopback(true), port));
    }

    private boolean hasPort(int port) {
        for (Listening listening : all) {
            if (listening.address.getPort() == port) {
                return true;
            }
        }
        return false;
    }

    private static boolean isLocalhost(String host) {
        return host.equals(LOCALHOST) || host.endsWith("." + LOCALHOST);
    }

    private static InetAddress loopback(boolean ipv6) {
        byte[] bytes = ipv6 ? new byte[16] : new byte[] {127, 0, 0, 1};
        bytes[bytes.length - 1] = 1;
        return ofBytes(bytes);
    }

    private static boolean leadsToThisHost(InetAddress address) {
        if (address.isAnyLocalAddress() || address.isLoopbackAddress()) {
            return true;
        }
        try {
            return NetworkInterface.getByInetAddress(address) != null
                    || (address instanceof Inet6Address
                            && !embedsNoneOfThisHost().admits(address));
        } catch (SocketException e) {
            return false; // without interfaces nothing is reachable anyway
        }
    }

    /** Denies the IPv6 addresses that a translator or a tunnel may deliver here. */
    private static AddressPolicy embedsNoneOfThisHost() throws SocketException {
        List<Cidr> thisHost = new ArrayList<>(IPV4_HERE);
        NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(Inet4Address.class::isInstance)
                .forEach(address -> thisHost.add(Cidr.parse(text(address))));
        return AddressPolicy.denying(thisHost);
    }

    /** The address without a scope; a mapped address, which a user's resolver may return, as IPv4. */
    private static InetAddress plain(InetAddress address) {
        return address instanceof Inet6Address ? ofBytes(address.getAddress()) : address;
    }

    private static InetAddress ofBytes(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("an address has 4 or 16 bytes", e);
        }
    }

    private static String text(InetAddress address) {
        return plain(address).getHostAddress();
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

    /** Shows the addresses. */
    @Override
    public String toString() {
        return "not this proxy at " + all;
    }
}
