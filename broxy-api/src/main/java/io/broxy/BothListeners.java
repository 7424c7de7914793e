package io.broxy;

import java.util.function.Consumer;

/**
 * Notifies one listener after another. The second is notified even if the first throws.
 *
 * <p>Threading: as {@link ProxyListener}.
 */
record BothListeners(ProxyListener first, ProxyListener second) implements ProxyListener {

    private void each(Consumer<ProxyListener> event) {
        try {
            event.accept(first);
        } catch (Throwable e) {
            try {
                event.accept(second);
            } catch (Throwable other) {
                e.addSuppressed(other);
            }
            throw e;
        }
        event.accept(second);
    }

    @Override
    public void connectionOpened(Client client) {
        each(listener -> listener.connectionOpened(client));
    }

    @Override
    public void connectionClosed(Client client, ConnectionResult result) {
        each(listener -> listener.connectionClosed(client, result));
    }

    @Override
    public void requestRefused(Request request, RefusedException refusal) {
        each(listener -> listener.requestRefused(request, refusal));
    }

    @Override
    public void authenticationFailed(Request request) {
        each(listener -> listener.authenticationFailed(request));
    }

    @Override
    public void dialSucceeded(Request request, DialResult result) {
        each(listener -> listener.dialSucceeded(request, result));
    }

    @Override
    public void dialFailed(Request request, DialException failure) {
        each(listener -> listener.dialFailed(request, failure));
    }

    @Override
    public void tunnelEstablished(Request request) {
        each(listener -> listener.tunnelEstablished(request));
    }

    @Override
    public void tunnelEnded(Request request, TunnelResult result) {
        each(listener -> listener.tunnelEnded(request, result));
    }

    @Override
    public void exchangeEnded(Request request, ExchangeResult result) {
        each(listener -> listener.exchangeEnded(request, result));
    }
}
