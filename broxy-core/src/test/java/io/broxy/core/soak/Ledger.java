package io.broxy.core.soak;

import io.broxy.ConnectionResult;
import io.broxy.DialException;
import io.broxy.ExchangeResult;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.TunnelResult;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The accounts of all clients that are at work. Each client has an address of its own, by which it is known to everybody; once
 * its account is settled and adds up, only the sums remain of it.
 *
 * <p>Threading: thread-safe.
 */
final class Ledger implements ProxyListener {
    private static final int MOST_FAULTS = 20;

    /** The second number of clients' addresses in 127/8: of those that come by themselves, and by way of a balancer. */
    private static final int OWN = 16;

    private static final int BALANCED = 128;

    private final Map<Integer, Account> open = new ConcurrentHashMap<>();
    private final List<String> faults = new CopyOnWriteArrayList<>();
    private final Totals totals = new Totals("the proxy");
    private final Books clients = new Books();
    private final Account unknown = new Account("of no client", account -> {});

    // ------------------------------------------------------------------ identities

    /** The address that a client connects from. */
    static byte[] address(int client) {
        return address(client, OWN);
    }

    /** The address that a load balancer connects from for a client. */
    static byte[] balancer(int client) {
        return address(client, BALANCED);
    }

    private static byte[] address(int client, int kind) {
        return new byte[] {127, (byte) (kind + (client >> 16)), (byte) (client >> 8), (byte) client};
    }

    private static int client(byte[] address) {
        int second = address[1] & 0xFF;
        int worker = second >= BALANCED ? second - BALANCED : second - OWN;
        return worker << 16 | (address[2] & 0xFF) << 8 | (address[3] & 0xFF);
    }

    /** Opens the account of a client that begins. */
    Account open(int client, String name) {
        Account account = new Account(name, settled -> settled(client, settled));
        if (open.putIfAbsent(client, account) != null) {
            throw new AssertionError("the account of " + name + " is open already");
        }
        return account;
    }

    /** The account that an origin's client has named; a disposable one if that is already settled. */
    Account of(int client) {
        return open.getOrDefault(client, unknown);
    }

    private Account of(Client client) {
        InetSocketAddress address = client.address();
        InetAddress internet = address == null ? null : address.getAddress();
        return internet == null ? unknown : of(client(internet.getAddress()));
    }

    // ------------------------------------------------------------------ ends

    private void settled(int client, Account account) {
        List<String> wrong = account.faults();
        wrong.forEach(this::fault);
        synchronized (clients) {
            account.addTo(clients);
        }
        open.remove(client);
    }

    /** Whether no client is active. */
    boolean isSettled() {
        return open.isEmpty();
    }

    /** Accounts that are not settled, in words. */
    List<String> unsettled() {
        return open.values().stream().limit(MOST_FAULTS).map(Account::details).toList();
    }

    /** Something is wrong, and the soak has failed. */
    void fault(String fault) {
        if (faults.size() < MOST_FAULTS) {
            faults.add(fault);
        }
    }

    /** What did not add up so far. */
    List<String> faults() {
        return faults;
    }

    Totals totals() {
        return totals;
    }

    /** How many requests have switched protocols. */
    long upgrades() {
        synchronized (clients) {
            return clients.upgrades;
        }
    }

    /** What the clients have counted. */
    String clients() {
        synchronized (clients) {
            return clients.toString();
        }
    }

    // ------------------------------------------------------------------ reported events

    private void told(Request request, Consumer<Books> entry) {
        of(request.client()).told(entry);
        String identity = request.identity();
        if (identity != null && request.client().address() != null && !identity.equals(expected(request))) {
            fault("client " + request.client().address() + " was taken for " + identity);
        }
    }

    private static @Nullable String expected(Request request) {
        InetSocketAddress address = request.client().address();
        return address == null ? null : Scene.user(client(address.getAddress().getAddress()));
    }

    @Override
    public void connectionOpened(Client client) {
        totals.connectionOpened(client);
        of(client).toldOpened();
    }

    @Override
    public void connectionClosed(Client client, ConnectionResult result) {
        totals.connectionClosed(client, result);
        of(client).toldClosed();
    }

    @Override
    public void requestRefused(Request request, RefusedException refusal) {
        totals.requestRefused(request, refusal);
        told(request, books -> books.refusals++);
    }

    @Override
    public void authenticationFailed(Request request) {
        totals.authenticationFailed(request);
    }

    @Override
    public void dialFailed(Request request, DialException failure) {
        totals.dialFailed(request, failure);
    }

    @Override
    public void tunnelEstablished(Request request) {
        totals.tunnelEstablished(request);
    }

    @Override
    public void tunnelEnded(Request request, TunnelResult result) {
        totals.tunnelEnded(request, result);
        told(request, books -> books.add(result));
    }

    @Override
    public void exchangeEnded(Request request, ExchangeResult result) {
        totals.exchangeEnded(request, result);
        told(request, books -> books.add(result));
    }
}
