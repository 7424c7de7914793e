package io.broxy.core.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * One client's connections, as three parties have counted them: the client itself, the origins that it reached, and the proxy,
 * which tells its listener. What a client or an origin sends is booked before it is sent, and what it gets when it has come. So
 * where all ended well all books are equal; where something broke, no side has received more than was passed on, and nothing
 * was passed on that was not sent.
 *
 * <p>Threading: thread-safe.
 */
final class Account {
    /** By how much a proxy may change a head: the longest target and credentials that go, the {@code Via}s that come. */
    private static final long HEAD_CHANGES = 512;

    private final String name;
    private final Consumer<Account> settled;
    private final Books client = new Books();
    private final Books origin = new Books();
    private final Books told = new Books();
    private int connections;
    private int opened;
    private int closed;
    private boolean broke;
    private boolean headsChange;
    private int originsAtWork;
    private boolean over;
    private boolean done;

    /**
     * Opens one.
     *
     * @param settled called once, when no side has more to report
     */
    Account(String name, Consumer<Account> settled) {
        this.name = name;
        this.settled = settled;
    }

    // ------------------------------------------------------------------ the parties

    /** The client has connected once more. */
    synchronized void connected() {
        connections++;
    }

    synchronized void client(Consumer<Books> entry) {
        entry.accept(client);
    }

    synchronized void origin(Consumer<Books> entry) {
        entry.accept(origin);
    }

    synchronized void told(Consumer<Books> entry) {
        entry.accept(told);
    }

    /** An origin serves the client from now on, and books it. */
    synchronized void originBegins() {
        originsAtWork++;
    }

    void originEnds() {
        synchronized (this) {
            originsAtWork--;
        }
        settle();
    }

    synchronized void toldOpened() {
        opened++;
    }

    void toldClosed() {
        synchronized (this) {
            closed++;
        }
        settle();
    }

    /** A side has broken off, so that bytes in transit were lost. */
    synchronized void broke() {
        broke = true;
    }

    /** What the origin gets is not what this proxy has sent: another one is on the way, or it was sent twice. */
    synchronized void headsChange() {
        headsChange = true;
    }

    /** The client has closed all that it had. */
    void over() {
        synchronized (this) {
            over = true;
        }
        settle();
    }

    private void settle() {
        synchronized (this) {
            if (done || !over || originsAtWork > 0 || closed < connections) {
                return;
            }
            done = true;
        }
        settled.accept(this);
    }

    // ------------------------------------------------------------------ the balance

    /** Adds what the client has counted to what all have. */
    synchronized void addTo(Books clients) {
        clients.add(client);
    }

    /** Everything that does not add up. */
    synchronized List<String> faults() {
        List<String> faults = new ArrayList<>();
        equal(faults, "connections reported as opened", opened, connections);
        equal(faults, "connections reported as closed", closed, connections);
        if (broke) {
            inOrder(faults, "requests", 0, requests(told), requests(client));
            inOrder(faults, "bytes up a tunnel", origin.tunnelUp, told.tunnelUp, client.tunnelUp);
            inOrder(faults, "bytes down a tunnel", client.tunnelDown, told.tunnelDown, origin.tunnelDown);
            inOrder(faults, "bytes of responses", client.exchangeDown, told.exchangeDown, Long.MAX_VALUE);
        } else {
            equal(faults, "tunnels", told.tunnels, client.tunnels);
            equal(faults, "exchanges", told.exchanges, client.exchanges);
            equal(faults, "refusals", told.refusals, client.refusals);
            equal(faults, "bytes up a tunnel, by the proxy", told.tunnelUp, client.tunnelUp + origin.upgradeUp);
            equal(faults, "bytes up a tunnel, by the origin", origin.tunnelUp, client.tunnelUp);
            equal(faults, "bytes down a tunnel, by the proxy", told.tunnelDown, origin.tunnelDown + client.upgradeDown);
            equal(faults, "bytes down a tunnel, by the client", client.tunnelDown, origin.tunnelDown);
            equal(faults, "bytes of responses", told.exchangeDown, client.exchangeDown);
        }
        long slack = headsChange ? HEAD_CHANGES * client.exchanges : 0;
        long most = broke ? Long.MAX_VALUE : origin.exchangeUp + slack;
        inOrder(faults, "bytes of requests", origin.exchangeUp - slack, told.exchangeUp, most);
        return faults;
    }

    private static long requests(Books books) {
        return books.tunnels + books.exchanges + books.refusals;
    }

    private void equal(List<String> faults, String what, long actual, long expected) {
        if (actual != expected) {
            faults.add(this + ": " + what + ": " + actual + ", not " + expected);
        }
    }

    private void inOrder(List<String> faults, String what, long least, long actual, long most) {
        if (actual < least || actual > most) {
            faults.add(this + ": " + what + ": " + actual + ", not from " + least + " to " + most);
        }
    }

    /** Shows the books of a client that are not closed in time. */
    synchronized String details() {
        return this + (over ? "" : ", at work") + ", origins " + originsAtWork + ", connections " + connections
                + ", opened " + opened + ", closed " + closed + ", client [" + client + "], told [" + told
                + "], origin [" + origin + "]";
    }

    @Override
    public String toString() {
        return name;
    }
}
