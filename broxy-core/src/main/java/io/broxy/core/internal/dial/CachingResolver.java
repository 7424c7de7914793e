package io.broxy.core.internal.dial;

import io.broxy.Resolver;
import io.broxy.core.internal.loop.LookUpThreads;
import io.broxy.core.internal.net.ClientNetwork;
import io.broxy.core.internal.time.Seldom;
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
 * Asks a {@link Resolver} off the caller's thread, once for all dials that look up the same name at the same time, and
 * caches the answer for a while. When the DNS is down, dials give up sooner than look-ups: a look-up that nothing waits for any
 * more leaves its queue, or is interrupted and no longer counts.
 *
 * <p>Only legal answers are cached: addresses, or an {@link UnknownHostException}. Anything else that a resolver throws or
 * returns is a fault of the resolver, which says nothing about the name.
 *
 * <p>Threading: thread-safe; the lock guards {@code pending}, what is in it, and {@code answers}.
 */
final class CachingResolver {
    private static final Logger log = LoggerFactory.getLogger(CachingResolver.class);

    /** The most recently used names are kept, whatever names clients make up. */
    static final int MAX_NAMES = 1_000;

    /** The addresses kept for one name: more than a dial has time to try. A hostile zone may have thousands. */
    static final int MAX_ADDRESSES = 100;

    private static final long LOG_DISTANCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Resolver resolver;
    private final LookUpThreads threads;
    private final Ticker ticker;
    private final long foundNanos;
    private final long failedNanos;
    private final Seldom faults = new Seldom(LOG_DISTANCE_NANOS);

    private final Object lock = new Object();
    private final Map<String, LookUp> pending = new HashMap<>();
    private final Map<String, Answer> answers = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Answer> eldest) {
            return size() > MAX_NAMES;
        }
    };

    /** What a resolver must not answer. */
    private static final class BadAnswerException extends UnknownHostException {
        private static final long serialVersionUID = 1L;

        BadAnswerException(String message) {
            super(message);
        }
    }

    /** Threading: guarded by the lock, but for what does not change. */
    private final class LookUp {
        final String host;
        final LookUpThreads.Task task = threads.task(() -> run(this), e -> refused(this, e));
        final Set<NameQuery> waiting = new LinkedHashSet<>();
        /** Whether its answer counts for those only that wait for it. */
        boolean outdated;

        LookUp(String host) {
            this.host = host;
        }
    }

    /** Addresses, or a failure, and until when they count. */
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
     * @param threads run the look-ups
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

    // ------------------------------------------------------------------ asking

    /**
     * Looks a name up.
     *
     * @param client whose share of the look-ups it counts for, if it comes to one; null for none
     * @return the caller's own: completes, possibly at once, with at least one address and at most {@link #MAX_ADDRESSES},
     *     or with the look-up's failure; a caller that completes it itself waits no more
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

    /** As {@link #resolve(String, ClientNetwork)}, whatever is remembered: for a dial that has found that of no use. */
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

    /** What waits for an answer is probably gone: the look-up leaves its place to others, if that is so of all. */
    void giveWay(String host, NameQuery query) {
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
        threads.giveWay(lookUp.task);
    }

    /** Forgets what was said about a name; a look-up that is under way counts for those only that wait for it. */
    void forget(String host) {
        synchronized (lock) {
            answers.remove(host);
            LookUp begun = pending.remove(host);
            if (begun != null) {
                begun.outdated = true;
            }
        }
    }

    @SuppressWarnings("CollectionUndefinedEquality") // a future is equal to itself alone, as it should be here
    private void leave(LookUp lookUp, NameQuery query) {
        synchronized (lock) {
            if (!lookUp.waiting.remove(query) || !lookUp.waiting.isEmpty()) {
                return; // it was answered, or others wait
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
                why.getMessage() == null ? "there is no thread to look a name up" : why.getMessage());
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
        } catch (Throwable e) { // it is the user's code
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
            throw new BadAnswerException("the resolver gave no answer, and so no address for " + host);
        }
        List<@Nullable InetAddress> addresses = new ArrayList<>(answer);
        if (addresses.isEmpty()) {
            throw new BadAnswerException("the resolver gave no address for " + host);
        }
        if (addresses.stream().anyMatch(Objects::isNull)) {
            throw new BadAnswerException("the resolver gave a null address for " + host);
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
                answers.put(lookUp.host, answer); // the failure of one that was abandoned may come of its interrupt
            }
            waiting = List.copyOf(lookUp.waiting);
            lookUp.waiting.clear();
        }
        waiting.forEach(answer::giveTo);
    }
}
