package io.broxy.core.internal.dial;

import io.broxy.Resolver;
import io.broxy.core.internal.time.Ticker;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Asks a {@link Resolver} off the caller's thread, once for all who want the same name at the same time, and remembers
 * what it said for a while. When the DNS is down, dials give up sooner than look-ups: whoever gives up is forgotten, and a
 * look-up that nobody waits for any more is not begun.
 *
 * <p>Threading: thread-safe; the lock guards {@code pending}, what is in it, {@code queued} and {@code answers}.
 */
final class CachingResolver {
    /** The names used last are kept, whatever names clients make up. */
    static final int MAX_NAMES = 1_000;

    /** Of one name. More than a dial has time to try; a hostile zone may have thousands. */
    static final int MAX_ADDRESSES = 100;

    /** Look-ups that wait for a thread. */
    static final int MAX_QUEUED = 10_000;

    private final Resolver resolver;
    private final Executor executor;
    private final Ticker ticker;
    private final long foundNanos;
    private final long failedNanos;

    private final Object lock = new Object();
    private final Map<String, LookUp> pending = new HashMap<>();
    private int queued;
    private final Map<String, Answer> answers = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Answer> eldest) {
            return size() > MAX_NAMES;
        }
    };

    private static final class LookUp {
        final String host;
        final Set<CompletableFuture<List<InetAddress>>> waiting = new LinkedHashSet<>();

        LookUp(String host) {
            this.host = host;
        }
    }

    /** Addresses, or a failure, and until when they count. */
    private record Answer(
            @Nullable List<InetAddress> addresses, @Nullable Throwable failure, long expiresNanos) {

        void giveTo(CompletableFuture<List<InetAddress>> future) {
            if (failure != null) {
                future.completeExceptionally(failure);
            } else {
                future.complete(addresses);
            }
        }
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
     * @return the caller's own: completes, possibly at once, with at least one address and at most {@link #MAX_ADDRESSES},
     *     or with the look-up's failure; whoever completes it himself, waits no more
     */
    CompletableFuture<List<InetAddress>> resolve(String host) {
        CompletableFuture<List<InetAddress>> own = new CompletableFuture<>();
        Answer known;
        LookUp lookUp = null;
        boolean isNew = false;
        synchronized (lock) {
            known = answers.get(host);
            if (known == null || known.expiresNanos - ticker.nanos() <= 0) {
                lookUp = pending.get(host);
                isNew = lookUp == null && queued < MAX_QUEUED;
                if (isNew) {
                    lookUp = new LookUp(host);
                    pending.put(host, lookUp);
                    queued++;
                }
                if (lookUp != null) {
                    lookUp.waiting.add(own);
                }
                known = null;
            }
        }
        if (known != null) {
            known.giveTo(own);
        } else if (lookUp == null) {
            own.completeExceptionally(new UnknownHostException("too many names are being looked up already"));
        } else {
            LookUp joined = lookUp;
            own.whenComplete((addresses, failure) -> leave(joined, own));
            if (isNew) {
                begin(joined);
            }
        }
        return own;
    }

    @SuppressWarnings("CollectionUndefinedEquality") // a future is equal to itself alone, as it should be here
    private void leave(LookUp lookUp, CompletableFuture<List<InetAddress>> own) {
        synchronized (lock) {
            lookUp.waiting.remove(own);
        }
    }

    private void begin(LookUp lookUp) {
        try {
            executor.execute(() -> run(lookUp));
        } catch (RejectedExecutionException e) {
            synchronized (lock) {
                queued--;
            }
            end(lookUp, null, new UnknownHostException("the resolver has been closed"));
        }
    }

    private void run(LookUp lookUp) {
        synchronized (lock) {
            queued--;
            if (lookUp.waiting.isEmpty()) {
                pending.remove(lookUp.host);
                return;
            }
        }
        List<InetAddress> addresses = null;
        Throwable failure = null;
        try {
            addresses = ask(lookUp.host);
        } catch (Throwable e) {
            failure = e;
        }
        end(lookUp, addresses, failure);
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

    private void end(LookUp lookUp, @Nullable List<InetAddress> addresses, @Nullable Throwable failure) {
        long keepNanos = failure == null ? foundNanos : failedNanos;
        Answer answer = new Answer(addresses, failure, ticker.nanos() + keepNanos);
        List<CompletableFuture<List<InetAddress>>> waiting;
        synchronized (lock) {
            pending.remove(lookUp.host);
            if (keepNanos > 0) {
                answers.put(lookUp.host, answer);
            }
            waiting = List.copyOf(lookUp.waiting);
            lookUp.waiting.clear();
        }
        waiting.forEach(answer::giveTo);
    }
}
