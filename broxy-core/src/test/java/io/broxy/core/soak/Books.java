package io.broxy.core.soak;

import io.broxy.ExchangeResult;
import io.broxy.TunnelResult;

/**
 * What one party of a conversation has counted: of tunnels, and of forwarded requests and their responses. The head of a
 * request that switches protocols, and of the answer to it, stand for themselves; the proxy counts them with the tunnel.
 *
 * <p>Threading: guarded by their owner, an {@link Account} or {@link Totals}.
 */
final class Books {
    long tunnels;
    long exchanges;
    long refusals;
    long upgrades;
    long tunnelUp;
    long tunnelDown;
    long exchangeUp;
    long exchangeDown;
    long upgradeUp;
    long upgradeDown;

    /** A tunnel has ended. */
    void add(TunnelResult tunnel) {
        tunnels++;
        tunnelUp += tunnel.bytesToOrigin();
        tunnelDown += tunnel.bytesToClient();
    }

    /** An exchange has ended. */
    void add(ExchangeResult exchange) {
        exchanges++;
        exchangeUp += exchange.bytesToOrigin();
        exchangeDown += exchange.bytesToClient();
    }

    /** Adds up. */
    void add(Books other) {
        tunnels += other.tunnels;
        exchanges += other.exchanges;
        refusals += other.refusals;
        upgrades += other.upgrades;
        tunnelUp += other.tunnelUp;
        tunnelDown += other.tunnelDown;
        exchangeUp += other.exchangeUp;
        exchangeDown += other.exchangeDown;
        upgradeUp += other.upgradeUp;
        upgradeDown += other.upgradeDown;
    }

    @Override
    public String toString() {
        return "tunnels=" + tunnels + " exchanges=" + exchanges + " refusals=" + refusals + " tunnelUp=" + tunnelUp
                + " tunnelDown=" + tunnelDown + " exchangeUp=" + exchangeUp + " exchangeDown=" + exchangeDown;
    }
}
