package io.broxy.core.testkit;

import static org.awaitility.Awaitility.await;

import io.broxy.ConnectionResult;
import io.broxy.DialException;
import io.broxy.ExchangeResult;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.TunnelResult;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A listener that records every event and the threads that they came on. Threading: thread-safe. */
public final class Events implements ProxyListener {
    private final List<String> all = new CopyOnWriteArrayList<>();
    private final Set<String> threads = ConcurrentHashMap.newKeySet();

    private void note(String event) {
        threads.add(Thread.currentThread().getName());
        all.add(event);
    }

    private static String text(Request request) {
        return request.method() + " " + request.target() + " by " + request.identity();
    }

    @Override
    public void connectionOpened(Client client) {
        note("opened");
    }

    @Override
    public void connectionClosed(Client client, ConnectionResult result) {
        note("closed: " + result.reason() + ", exchanges " + result.exchanges());
    }

    @Override
    public void requestRefused(Request request, RefusedException refusal) {
        note("refused " + text(request) + ": " + refusal.reason());
    }

    @Override
    public void authenticationFailed(Request request) {
        note("authentication failed " + text(request));
    }

    @Override
    public void dialFailed(Request request, DialException failure) {
        note("dial failed " + text(request) + ": " + failure.reason());
    }

    @Override
    public void tunnelEstablished(Request request) {
        note("established " + text(request));
    }

    @Override
    public void tunnelEnded(Request request, TunnelResult result) {
        note("tunnel ended " + text(request) + ": " + result.reason() + ", " + result.bytesToOrigin() + " up, "
                + result.bytesToClient() + " down");
    }

    @Override
    public void exchangeEnded(Request request, ExchangeResult result) {
        note("exchange ended " + text(request) + ": " + result.status() + " " + result.reason());
    }

    /** The events so far. */
    public List<String> all() {
        return List.copyOf(all);
    }

    /** The events up to the close of a connection, which it waits for. */
    public List<String> untilClosed() {
        await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                .until(() -> all.stream().anyMatch(event -> event.startsWith("closed: ")));
        return all();
    }

    /** The names of the threads that events came on. */
    public Set<String> threads() {
        return Set.copyOf(threads);
    }
}
