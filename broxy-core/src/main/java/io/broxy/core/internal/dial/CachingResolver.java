package io.broxy.core.internal.dial;

import io.broxy.Resolver;
import io.broxy.core.internal.time.Ticker;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
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
 * <p>Threading: thread-safe; the lock guards {@code pending} and {@code answers}.
 */
final class CachingResolver {
    /** The names used last are kept, whatever names clients make up. */
    static final int MAX_NAMES = 1_000;

    /** Of one name. More than a dial has time to try; a hostile zone may have thousands. */
    static final int MAX_ADDRESSES = 100;

    /** Look-ups that wait for a thread. When the DNS is down, dials give up sooner than look-ups, which would pile up. */
    static final int MAX_PENDING = 10_000;

    private final Resolver resolver;
    private final Executor executor;
    private final Ticker ticker;
    private final long foundNanos;
    private final long failedNanos;

    private final Object lock = new Object();
    private final Map<String, CompletableFuture<List<InetAddress>>> pending = new HashMap<>();
    private final Map<String, Answer> answers = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Answer> eldest) {
            return size() > MAX_NAMES;
        }
    };

    private record Answer(CompletableFuture<List<InetAddress>> future, long expiresNanos) {}

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
     * @return completes, possibly at once, with at least one address and at most {@link #MAX_ADDRESSES}, or with the
     *     look-up's failure; shared, so not to be completed by callers
     */
    CompletableFuture<List<InetAddress>> resolve(String host) {
        CompletableFuture<List<InetAddress>> lookUp;
        synchronized (lock) {
            Answer known = answers.get(host);
            if (known != null && known.expiresNanos - ticker.nanos() > 0) {
                return known.future;
            }
            CompletableFuture<List<InetAddress>> joined = pending.get(host);
            if (joined != null) {
                return joined;
            }
            if (pending.size() == MAX_PENDING) {
                return CompletableFuture.failedFuture(
                        new UnknownHostException("too many names are being looked up already"));
            }
            lookUp = new CompletableFuture<>();
            pending.put(host, lookUp);
        }
        try {
            executor.execute(() -> lookUp(host, lookUp));
        } catch (RejectedExecutionException e) {
            answer(host, lookUp, null, new UnknownHostException("the resolver has been closed"));
        }
        return lookUp;
    }

    private void lookUp(String host, CompletableFuture<List<InetAddress>> lookUp) {
        List<InetAddress> addresses = null;
        Throwable failure = null;
        try {
            addresses = ask(host);
        } catch (Throwable e) {
            failure = e;
        }
        answer(host, lookUp, addresses, failure);
    }

    private List<InetAddress> ask(String host) throws UnknownHostException {
        List<InetAddress> addresses = resolver.resolve(host);
        if (addresses == null || addresses.isEmpty()) {
            throw new UnknownHostException("the resolver gave no address for " + host);
        }
        return addresses.size() <= MAX_ADDRESSES
                ? List.copyOf(addresses)
                : List.copyOf(AddressRace.interleave(addresses).subList(0, MAX_ADDRESSES));
    }

    private void answer(
            String host,
            CompletableFuture<List<InetAddress>> lookUp,
            @Nullable List<InetAddress> addresses,
            @Nullable Throwable failure) {
        long keepNanos = failure == null ? foundNanos : failedNanos;
        synchronized (lock) {
            pending.remove(host);
            if (keepNanos > 0) {
                answers.put(host, new Answer(lookUp, ticker.nanos() + keepNanos));
            }
        }
        if (failure != null) {
            lookUp.completeExceptionally(failure);
        } else {
            lookUp.complete(addresses);
        }
    }
}
