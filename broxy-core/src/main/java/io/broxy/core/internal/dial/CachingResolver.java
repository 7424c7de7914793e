package io.broxy.core.internal.dial;

import io.broxy.Resolver;
import io.broxy.core.internal.loop.LookUpThreads;
import io.broxy.core.internal.net.ClientNetwork;
import io.broxy.core.internal.time.Cooldown;
import io.broxy.core.internal.time.Ticker;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls a {@link Resolver} off the caller's thread, once for all dials that look up the same name concurrently, and caches the
 * answer for a while. When DNS is down, dials time out before look-ups do: a look-up that no dial waits for leaves its queue,
 * or is interrupted and no longer counts.
 *
 * <p>Only valid answers are cached: addresses, or an {@link UnknownHostException}. Any other result or exception is a fault of
 * the resolver and says nothing about the name.
 *
 * <p>Threading: thread-safe; the lock guards {@code pending} with its elements, and {@code answers}.
 */
final class CachingResolver {
    private static final Logger log = LoggerFactory.getLogger(CachingResolver.class);

    /**
     * The maximum number of cached names; the most recently used are kept, so clients cannot exhaust memory with invented
     * names.
     */
    static final int MAX_NAMES = 1_000;

    /** The maximum number of addresses kept for a name: more than a dial has time to try. A hostile zone may have thousands. */
    static final int MAX_ADDRESSES = 100;

    private static final long LOG_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Resolver resolver;
    private final LookUpThreads threads;
    private final Ticker ticker;
    private final long foundNanos;
    private final long failedNanos;
    private final Cooldown faults = new Cooldown(LOG_INTERVAL_NANOS);

    private final Object lock = new Object();
    private final Map<String, LookUp> pending = new HashMap<>();
    private final Map<String, Answer> answers = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Answer> eldest) {
            return size() > MAX_NAMES;
        }
    };

    /** An invalid answer of a resolver. */
    private static final class BadAnswerException extends UnknownHostException {
        private static final long serialVersionUID = 1L;

        BadAnswerException(String message) {
            super(message);
        }
    }

    /** Threading: guarded by the lock, except for final fields. */
    private final class LookUp {
        final String host;
        final LookUpThreads.Task task = threads.task(() -> run(this), e -> refused(this, e));
        final Set<NameQuery> waiting = new LinkedHashSet<>();
        /** Whether the answer is only for the current queries and must not be cached. */
        boolean outdated;

        LookUp(String host) {
            this.host = host;
        }
    }

    /** Addresses or a failure, and their expiry. */
    private record Answer(
            @Nullable List<InetAddress> addresses, @Nullable Throwable failure, long expiresNanos) {

        void giveTo(NameQuery query) {
            if (failure != null) {
                query.completeExceptionally(failure);
            } else {
                query.complete(addresses);
            }
        }
    }

    /**
     * Creates a resolver with an empty cache.
     *
     * @param threads the threads that run look-ups
     * @param foundNanos how long addresses are kept; 0 for not at all
     * @param failedNanos how long failures are kept; 0 for not at all
     */
    CachingResolver(Resolver resolver, LookUpThreads threads, Ticker ticker, long foundNanos, long failedNanos) {
        this.resolver = resolver;
        this.threads = threads;
        this.ticker = ticker;
        this.foundNanos = foundNanos;
        this.failedNanos = failedNanos;
    }

    // ------------------------------------------------------------------ queries

    /**
     * Looks a name up.
     *
     * @param client the client whose share of the look-ups is used if one is needed; null for none
     * @return a new query for this caller, which completes, possibly immediately, with at least one and at most {@link
     *     #MAX_ADDRESSES} addresses, or with the look-up's failure; a caller that completes it itself stops waiting
     */
    NameQuery resolve(String host, @Nullable ClientNetwork client) {
        Answer known;
        synchronized (lock) {
            known = answers.get(host);
            if (known == null || known.expiresNanos - ticker.nanos() <= 0) {
                known = null;
            }
        }
        if (known == null) {
            return resolveAnew(host, client);
        }
        NameQuery query = new NameQuery(ticker.nanos(), null);
        known.giveTo(query);
        return query;
    }

    /** As {@link #resolve(String, ClientNetwork)}, but bypasses the cache, for a dial to which all cached addresses failed. */
    NameQuery resolveAnew(String host, @Nullable ClientNetwork client) {
        LookUp lookUp;
        NameQuery query;
        boolean isNew;
        synchronized (lock) {
            LookUp begun = pending.get(host);
            isNew = begun == null;
            lookUp = begun != null ? begun : new LookUp(host);
            query = new NameQuery(ticker.nanos(), lookUp.task);
            if (!isNew && lookUp.task.isAskedByItself()) {
                query.completeExceptionally(new UnknownHostException("the look-up of " + host + " waits for itself"));
                return query;
            }
            pending.put(host, lookUp);
            lookUp.waiting.add(query);
        }
        query.whenComplete((addresses, failure) -> leave(lookUp, query));
        if (isNew) {
            begin(lookUp, client);
        } else {
            threads.join(lookUp.task, client);
        }
        return query;
    }

    /** Marks a query as probably no longer needed: if all queries of a look-up are, it yields to other look-ups. */
    void yieldQuery(String host, NameQuery query) {
        LookUp lookUp;
        synchronized (lock) {
            lookUp = pending.get(host);
            if (lookUp == null || !lookUp.waiting.contains(query)) {
                return;
            }
            query.yields(true);
            if (!lookUp.waiting.stream().allMatch(NameQuery::yields)) {
                return;
            }
        }
        threads.yieldPlace(lookUp.task);
    }

    /** Removes a name from the cache; the answer of a look-up in progress goes only to its current queries. */
    void forget(String host) {
        synchronized (lock) {
            answers.remove(host);
            LookUp begun = pending.remove(host);
            if (begun != null) {
                begun.outdated = true;
            }
        }
    }

    @SuppressWarnings("CollectionUndefinedEquality") // futures compare by identity, as intended
    private void leave(LookUp lookUp, NameQuery query) {
        synchronized (lock) {
            if (!lookUp.waiting.remove(query) || !lookUp.waiting.isEmpty()) {
                return; // already answered, or other queries remain
            }
            pending.remove(lookUp.host, lookUp);
        }
        threads.abandon(lookUp.task);
    }

    // ------------------------------------------------------------------ looking up

    private void begin(LookUp lookUp, @Nullable ClientNetwork client) {
        try {
            threads.submit(lookUp.task, client);
        } catch (RejectedExecutionException e) {
            refused(lookUp, e);
        }
    }

    private void refused(LookUp lookUp, RejectedExecutionException why) {
        UnknownHostException failure = new UnknownHostException(
                why.getMessage() == null ? "no thread is available to look up a name" : why.getMessage());
        failure.initCause(why);
        end(lookUp, null, failure, 0);
    }

    private void run(LookUp lookUp) {
        List<InetAddress> addresses;
        try {
            addresses = ask(lookUp.host);
        } catch (BadAnswerException e) {
            report(e);
            end(lookUp, null, e, 0);
            return;
        } catch (UnknownHostException e) {
            end(lookUp, null, e, failedNanos);
            return;
        } catch (Throwable e) { // user code may throw anything
            report(e);
            end(lookUp, null, e, 0);
            return;
        }
        end(lookUp, addresses, null, foundNanos);
    }

    private void report(Throwable fault) {
        if (!Thread.currentThread().isInterrupted() && faults.isTime(ticker.nanos())) {
            log.error("a resolver failed; further failures are logged from time to time", fault);
        }
    }

    private List<InetAddress> ask(String host) throws UnknownHostException {
        List<InetAddress> answer = resolver.resolve(host);
        if (answer == null) {
            throw new BadAnswerException("the resolver returned null, and so no address for " + host);
        }
        List<@Nullable InetAddress> addresses = new ArrayList<>(answer);
        if (addresses.isEmpty()) {
            throw new BadAnswerException("the resolver returned no address for " + host);
        }
        if (addresses.stream().anyMatch(Objects::isNull)) {
            throw new BadAnswerException("the resolver returned a null address for " + host);
        }
        return addresses.size() <= MAX_ADDRESSES
                ? List.copyOf(addresses)
                : List.copyOf(AddressRace.interleave(List.copyOf(addresses)).subList(0, MAX_ADDRESSES));
    }

    private void end(
            LookUp lookUp, @Nullable List<InetAddress> addresses, @Nullable Throwable failure, long keepNanos) {
        Answer answer = new Answer(addresses, failure, ticker.nanos() + keepNanos);
        List<NameQuery> waiting;
        synchronized (lock) {
            boolean current = pending.remove(lookUp.host, lookUp);
            if (keepNanos > 0 && (current || failure == null) && !lookUp.outdated) {
                answers.put(lookUp.host, answer); // an abandoned look-up may have failed because of its interrupt
            }
            waiting = List.copyOf(lookUp.waiting);
            lookUp.waiting.clear();
        }
        waiting.forEach(answer::giveTo);
    }
}
