package io.broxy.core.internal.time;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * One rate in each direction for all connections of one kind, such as those of a client or of a user. A kind is known as long
 * as it has a connection, and after that until what it has used up has flowed: else many short connections would have no rate.
 *
 * <p>Threading: thread-safe; the lock guards {@code shares}, {@code leftovers} and the counts.
 *
 * @param <K> identifies a kind
 */
public final class SharedRates<K> {
    /** The most kinds without a connection. Each lasts for a fraction of a second; further ones are forgotten at once. */
    private static final int MAX_LEFTOVERS = 4_096;

    private final long rate;
    private final Ticker ticker;
    private final Object lock = new Object();
    private final Map<K, Share> shares = new HashMap<>();
    /** Shares without a connection when they came in here, the oldest first. */
    private final ArrayDeque<Share> leftovers = new ArrayDeque<>();

    /**
     * Creates the rates.
     *
     * @param rate in bytes a second and direction, at least 1
     */
    public SharedRates(long rate, Ticker ticker) {
        this.rate = rate;
        this.ticker = ticker;
    }

    /** The rate of one kind. Threading: thread-safe. */
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

        /** The rate of what clients send. */
        public TokenBucket toOrigin() {
            return toOrigin;
        }

        /** The rate of what clients are sent. */
        public TokenBucket toClient() {
            return toClient;
        }

        /** A connection that has {@linkplain SharedRates#enter entered} is no longer of this kind. */
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

    /** One more connection is of a kind, which it {@linkplain Share#leave leaves} later. */
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

    /** How many kinds are known. */
    public int size() {
        long now = ticker.nanos();
        synchronized (lock) {
            forgetLeftovers(now);
            return shares.size();
        }
    }
}
