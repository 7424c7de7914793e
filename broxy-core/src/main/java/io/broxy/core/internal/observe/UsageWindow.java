package io.broxy.core.internal.observe;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What keys, such as targets, have used in the last minute: requests and bytes in each direction, in slots of five seconds. The number
 * of keys is bounded; what the others have used is known in sum. At the end of a slot the keys that have used least make room, so that
 * clients that ask for ever new targets do not hide the busy ones for long.
 *
 * <p>Threading: for one thread at a time.
 *
 * @param <K> what identifies a key
 */
public final class UsageWindow<K> {
    /** The number of keys that are told apart. */
    public static final int MAX_KEYS = 2_000;

    static final long SLOT_NANOS = TimeUnit.SECONDS.toNanos(5);
    static final int SLOTS = 12;

    private static final int REQUESTS = 0;
    private static final int TO_ORIGIN = 1;
    private static final int TO_CLIENT = 2;
    private static final int FIGURES = 3;

    private final Map<K, Figures> keys = new HashMap<>();
    private final Figures others = new Figures();
    private int slot;
    private long slotEndNanos;

    /** Begins with nothing used. */
    public UsageWindow(long nowNanos) {
        slotEndNanos = nowNanos + SLOT_NANOS;
    }

    /**
     * What a key has used in the last minute. Threading: immutable.
     *
     * @param <K> what identifies the key
     */
    public record Usage<K>(K key, long requests, long bytesToOrigin, long bytesToClient) {
        long bytes() {
            return bytesToOrigin + bytesToClient;
        }
    }

    /**
     * The keys that have used most. Threading: immutable.
     *
     * @param usages the most first
     * @param requests of all other keys
     * @param bytesToOrigin of all other keys
     * @param bytesToClient of all other keys
     * @param <K> what identifies a key
     */
    public record Top<K>(List<Usage<K>> usages, long requests, long bytesToOrigin, long bytesToClient) {}

    private static final class Figures {
        private final long[] slots = new long[SLOTS * FIGURES];
        private final long[] sums = new long[FIGURES];

        void add(int slot, int figure, long value) {
            slots[slot * FIGURES + figure] += value;
            sums[figure] += value;
        }

        void clear(int slot) {
            for (int figure = 0; figure < FIGURES; figure++) {
                add(slot, figure, -slots[slot * FIGURES + figure]);
            }
        }

        void addAll(Figures more) {
            for (int i = 0; i < slots.length; i++) {
                add(i / FIGURES, i % FIGURES, more.slots[i]);
            }
        }

        boolean isEmpty() {
            return sums[REQUESTS] == 0 && bytes() == 0;
        }

        long requests() {
            return sums[REQUESTS];
        }

        long bytes() {
            return sums[TO_ORIGIN] + sums[TO_CLIENT];
        }
    }

    /** A key has used something. */
    public void add(K key, long requests, long bytesToOrigin, long bytesToClient) {
        Figures figures = keys.get(key);
        if (figures == null) {
            figures = others;
            if (keys.size() < MAX_KEYS) {
                figures = new Figures();
                keys.put(key, figures);
            }
        }
        figures.add(slot, REQUESTS, requests);
        figures.add(slot, TO_ORIGIN, bytesToOrigin);
        figures.add(slot, TO_CLIENT, bytesToClient);
    }

    /** Time has passed: forgets what is older than a minute. */
    public void advance(long nowNanos) {
        for (int passed = 0; nowNanos - slotEndNanos >= 0 && passed < SLOTS; passed++) {
            slotEndNanos += SLOT_NANOS;
            slot = (slot + 1) % SLOTS;
            int oldest = slot;
            keys.values().removeIf(figures -> {
                figures.clear(oldest);
                return figures.isEmpty();
            });
            others.clear(oldest);
        }
        if (nowNanos - slotEndNanos >= 0) {
            slotEndNanos = nowNanos + SLOT_NANOS;
        }
        if (keys.size() >= MAX_KEYS) {
            makeRoom();
        }
    }

    /** Keeps the quarter that has most bytes, and the quarter that has most requests. */
    private void makeRoom() {
        Set<K> kept = new HashSet<>();
        for (boolean byBytes : new boolean[] {true, false}) {
            top(MAX_KEYS / 4, byBytes).usages().forEach(usage -> kept.add(usage.key()));
        }
        keys.entrySet().removeIf(entry -> {
            boolean light = !kept.contains(entry.getKey());
            if (light) {
                others.addAll(entry.getValue());
            }
            return light;
        });
    }

    /**
     * The keys that have used most.
     *
     * @param max how many of them
     * @param byBytes whether bytes count, and otherwise requests
     */
    public Top<K> top(int max, boolean byBytes) {
        List<Usage<K>> all = new ArrayList<>(keys.size());
        keys.forEach((key, figures) ->
                all.add(new Usage<>(key, figures.sums[REQUESTS], figures.sums[TO_ORIGIN], figures.sums[TO_CLIENT])));
        Comparator<Usage<K>> order =
                byBytes ? Comparator.comparingLong(Usage::bytes) : Comparator.comparingLong(Usage::requests);
        all.sort(order.reversed());
        int shown = Math.min(max, all.size());
        long requests = others.requests();
        long toOrigin = others.sums[TO_ORIGIN];
        long toClient = others.sums[TO_CLIENT];
        for (Usage<K> other : all.subList(shown, all.size())) {
            requests += other.requests();
            toOrigin += other.bytesToOrigin();
            toClient += other.bytesToClient();
        }
        return new Top<>(List.copyOf(all.subList(0, shown)), requests, toOrigin, toClient);
    }
}
