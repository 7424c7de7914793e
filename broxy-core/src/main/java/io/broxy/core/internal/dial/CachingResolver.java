package io.broxy.core.internal.dial;

import io.broxy.Resolver;
import io.broxy.core.internal.time.Ticker;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Asks a {@link Resolver} off the caller's thread, once for all who want the same name at the same time, and remembers
 * what it said for a while.
 *
 * <p>Threading: thread-safe; the lock guards {@code entries} and their times.
 */
final class CachingResolver {
    /** The names used last are kept: about 300 KB in the worst case, whatever names clients make up. */
    private static final int MAX_NAMES = 1_000;

    private final Resolver resolver;
    private final Executor executor;
    private final Ticker ticker;
    private final long foundNanos;
    private final long failedNanos;

    private final Object lock = new Object();
    private final Map<String, Entry> entries = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Entry> eldest) {
            return size() > MAX_NAMES;
        }
    };

    /** A look-up under way ({@code expires} is not set) or its answer. */
    private static final class Entry {
        final CompletableFuture<List<InetAddress>> answer = new CompletableFuture<>();
        boolean answered;
        long expiresNanos;
    }

    /**
     * Creates a resolver with an empty cache.
     *
     * @param executor runs the look-ups
     * @param foundNanos how long addresses are kept; 0 for not at all
     * @param failedNanos how long failures are kept; 0 for not at all
     */
    CachingResolver(Resolver resolver, Executor executor, Ticker ticker, long foundNanos, long failedNanos) {
        this.resolver = resolver;
        this.executor = executor;
        this.ticker = ticker;
        this.foundNanos = foundNanos;
        this.failedNanos = failedNanos;
    }

    /**
     * Looks a name up.
     *
     * @return completes, possibly at once, with at least one address, or with the look-up's failure; shared, so not to be
     *     completed by callers
     */
    CompletableFuture<List<InetAddress>> resolve(String host) {
        Entry entry;
        synchronized (lock) {
            Entry known = entries.get(host);
            if (known != null && (!known.answered || known.expiresNanos - ticker.nanos() > 0)) {
                return known.answer;
            }
            entry = new Entry();
            entries.put(host, entry);
        }
        try {
            executor.execute(() -> lookUp(host, entry));
        } catch (RejectedExecutionException e) {
            answer(host, entry, null, new UnknownHostException("the resolver has been closed"));
        }
        return entry.answer;
    }

    private void lookUp(String host, Entry entry) {
        List<InetAddress> addresses = null;
        Throwable failure = null;
        try {
            addresses = List.copyOf(resolver.resolve(host));
            if (addresses.isEmpty()) {
                failure = new UnknownHostException("the resolver gave no address");
            }
        } catch (Throwable e) {
            failure = e;
        }
        answer(host, entry, addresses, failure);
    }

    private void answer(String host, Entry entry, @Nullable List<InetAddress> addresses, @Nullable Throwable failure) {
        long keepNanos = failure == null ? foundNanos : failedNanos;
        synchronized (lock) {
            entry.answered = true;
            entry.expiresNanos = ticker.nanos() + keepNanos;
            if (keepNanos == 0) {
                entries.remove(host, entry);
            }
        }
        if (failure != null) {
            entry.answer.completeExceptionally(failure);
        } else {
            entry.answer.complete(addresses);
        }
    }
}
