package io.broxy.core.soak;

import io.broxy.ConnectionResult;
import io.broxy.DialException;
import io.broxy.ExchangeResult;
import io.broxy.PoolStats;
import io.broxy.ProxyListener;
import io.broxy.ProxyStats;
import io.broxy.RefusedException;
import io.broxy.TunnelResult;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * All that a handler tells, added up, and whether each connection's story has one beginning and one end.
 *
 * <p>Threading: thread-safe.
 */
final class Totals implements ProxyListener {
    private static final int MOST_FAULTS = 20;

    private final String handler;
    private final Set<Long> open = new HashSet<>();
    private final List<String> faults = new ArrayList<>();
    private final Books told = new Books();
    private long opened;
    private long closed;
    private long unnamed;
    private long established;
    private long dialFailures;
    private long connectionExchanges;

    Totals(String handler) {
        this.handler = handler;
    }

    @Override
    public synchronized void connectionOpened(Client client) {
        opened++;
        if (client.address() == null) {
            unnamed++;
        }
        if (!open.add(client.number())) {
            fault("connection " + client.number() + " was reported as opened twice");
        }
    }

    @Override
    public synchronized void connectionClosed(Client client, ConnectionResult result) {
        closed++;
        connectionExchanges += result.exchanges();
        if (!open.remove(client.number())) {
            fault("connection " + client.number() + " was reported as closed, and was not open");
        }
    }

    @Override
    public synchronized void requestRefused(Request request, RefusedException refusal) {
        told.refusals++;
        mustBeOpen(request);
    }

    @Override
    public synchronized void authenticationFailed(Request request) {
        mustBeOpen(request);
    }

    @Override
    public synchronized void dialFailed(Request request, DialException failure) {
        dialFailures++;
        mustBeOpen(request);
    }

    @Override
    public synchronized void tunnelEstablished(Request request) {
        established++;
        mustBeOpen(request);
    }

    @Override
    public synchronized void tunnelEnded(Request request, TunnelResult result) {
        told.add(result);
        mustBeOpen(request);
    }

    @Override
    public synchronized void exchangeEnded(Request request, ExchangeResult result) {
        told.add(result);
        mustBeOpen(request);
    }

    private void mustBeOpen(Request request) {
        if (!open.contains(request.client().number())) {
            fault("connection " + request.client().number() + " is not open, but an event was reported for it");
        }
    }

    private void fault(String fault) {
        if (faults.size() < MOST_FAULTS) {
            faults.add(handler + ": " + fault);
        }
    }

    /** The reported bytes in both directions. */
    synchronized long bytes() {
        return told.tunnelUp + told.tunnelDown + told.exchangeUp + told.exchangeDown;
    }

    /**
     * All discrepancies once no client is served any more.
     *
     * @param upgrades the number of requests that switched protocols, which are reported only as tunnels
     */
    synchronized List<String> faults(ProxyStats stats, long upgrades) {
        List<String> all = new ArrayList<>(faults);
        equal(all, "connections that are still open", open.size(), 0);
        equal(all, "connections reported without an address", unnamed, 0);
        equal(all, "connections reported as opened", opened, stats.totalConnections());
        equal(all, "connections reported as closed", closed, stats.totalConnections());
        equal(all, "refusals", told.refusals, stats.refused());
        equal(all, "dial failures", dialFailures, stats.dialFailures());
        equal(all, "tunnels that stood", established, stats.establishedTunnels());
        equal(all, "exchanges", told.exchanges + upgrades, stats.totalExchanges());
        equal(all, "exchanges of connections", connectionExchanges, stats.totalExchanges());
        equal(all, "bytes to origins", told.tunnelUp + told.exchangeUp, stats.bytesToOrigin());
        equal(all, "bytes to clients", told.tunnelDown + told.exchangeDown, stats.bytesToClient());
        equal(all, "events that were dropped", stats.droppedEvents(), 0);
        equal(all, "open connections", stats.openConnections(), 0);
        equal(all, "open TLS handshakes", stats.openTlsHandshakes(), 0);
        equal(all, "open tunnels", stats.openTunnels(), 0);
        equal(all, "open exchanges", stats.openExchanges(), 0);
        addFaults(all, stats.pool());
        return all;
    }

    private void addFaults(List<String> all, PoolStats pool) {
        equal(all, "leases", pool.leased() + pool.opening() + pool.waiting(), 0);
        equal(all, "leases lost", pool.leaked(), 0);
        equal(
                all,
                "pooled connections that ended or are idle",
                pool.idle() + pool.evicted() + pool.discarded() + pool.detached() + pool.leaked(),
                pool.created());
    }

    private void equal(List<String> all, String what, long actual, long expected) {
        if (actual != expected) {
            all.add(handler + ": " + what + ": " + actual + ", not " + expected);
        }
    }
}
