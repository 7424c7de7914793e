package io.broxy.core.internal.time;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * One rate in each direction for all connections with the same key, such as a client or a user. A share exists while its key
 * has a connection, and afterwards until its token buckets are full again; otherwise a series of short connections would evade
 * the limit.
 *
 * <p>Threading: thread-safe; the lock guards {@code shares}, {@code leftovers} and the counts.
 *
 * @param <K> the type of the keys
 */
public final class SharedRates<K> {
    /**
     * The maximum number of shares without a connection. Each lasts for a fraction of a second; further ones are removed
     * immediately.
     */
    private static final int MAX_LEFTOVERS = 4_096;

    private final long rate;
    private final Ticker ticker;
    private final Object lock = new Object();
    private final Map<K, Share> shares = new HashMap<>();
    /** Shares that had no connection when they were added, oldest first. */
    private final ArrayDeque<Share> leftovers = new ArrayDeque<>();

    /**
     * Creates the rates.
     *
     * @param rate in bytes per second and direction, at least 1
     */
    public SharedRates(long rate, Ticker ticker) {
        this.rate = rate;
        this.ticker = ticker;
    }

    /** The rate of one key. Threading: thread-safe. */
    public final class Share {
        private final K key;
        private final TokenBucket toOrigin;
        private final TokenBucket toClient;
        private int connections;
        private boolean leftOver;

        private Share(K key, long nowNanos) {
            this.key = key;
            this.toOrigin = new TokenBucket(rate, nowNanos);
            this.toClient = new TokenBucket(rate, nowNanos);
        }

        /** The rate of bytes from clients. */
        public TokenBucket toOrigin() {
            return toOrigin;
        }

        /** The rate of bytes to clients. */
        public TokenBucket toClient() {
            return toClient;
        }

        /** Removes a connection that has {@linkplain SharedRates#enter entered}. */
        public void leave() {
            long now = ticker.nanos();
            synchronized (lock) {
                connections--;
                if (connections == 0 && !leftOver) {
                    leftOver = true;
                    leftovers.add(this);
                }
                forgetLeftovers(now);
            }
        }

        private boolean isFull(long nowNanos) {
            return toOrigin.isFull(nowNanos) && toClient.isFull(nowNanos);
        }
    }

    /** Adds a connection to the share of a key, which it {@linkplain Share#leave leaves} later. */
    public Share enter(K key) {
        long now = ticker.nanos();
        synchronized (lock) {
            forgetLeftovers(now);
            Share share = shares.computeIfAbsent(key, kind -> new Share(kind, now));
            share.connections++;
            return share;
        }
    }

    private void forgetLeftovers(long nowNanos) {
        for (Share oldest; (oldest = leftovers.peek()) != null; ) {
            if (oldest.connections == 0 && leftovers.size() <= MAX_LEFTOVERS && !oldest.isFull(nowNanos)) {
                return;
            }
            leftovers.remove();
            oldest.leftOver = false;
            if (oldest.connections == 0) {
                shares.remove(oldest.key);
            }
        }
    }

    /** The number of shares. */
    public int size() {
        long now = ticker.nanos();
        synchronized (lock) {
            forgetLeftovers(now);
            return shares.size();
        }
    }
}
