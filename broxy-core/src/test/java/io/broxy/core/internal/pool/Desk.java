package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.internal.pool.Counters.Ending;
import io.broxy.core.internal.pool.PoolActions.SpareEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A policy with a clock that is moved by hand, names for connections, and a record of what it left to be done. */
final class Desk implements PoolActions.ActionRunner<String> {
    static final Dialer NEVER = request -> {
        throw new AssertionError("the policy does not dial");
    };

    static final ConnPool.Key A = ConnPool.Key.of(HostPort.of("a.example", 80), NEVER);
    static final ConnPool.Key B = ConnPool.Key.of(HostPort.of("b.example", 80), NEVER);
    static final ConnPool.Key C = ConnPool.Key.of(HostPort.of("c.example", 80), NEVER);

    /** Where connections lie unless a test says otherwise. */
    static final String HOME = "loop-1";

    private long nowNanos = -1_000; // clocks wrap
    final IdlePool<String> pool;
    final List<String> closed = new ArrayList<>();
    final List<String> news = new ArrayList<>();
    long expireAtNanos = Long.MAX_VALUE;

    Desk(PoolLimits limits) {
        pool = new IdlePool<>(limits, () -> nowNanos, this);
    }

    /** Idle timeout 100 s, maximum age 1,000 s. */
    static PoolLimits limits(int maxIdlePerKey, int maxIdle, int maxOpenPerKey, int maxOpen) {
        return new PoolLimits(
                maxIdlePerKey,
                maxIdle,
                maxOpenPerKey,
                maxOpen,
                TimeUnit.SECONDS.toNanos(100),
                TimeUnit.SECONDS.toNanos(1_000));
    }

    static PoolLimits unlimited() {
        return limits(10, 100, Integer.MAX_VALUE, Integer.MAX_VALUE);
    }

    long nowNanos() {
        return nowNanos;
    }

    /** Moves the clock; the timer rings where it was asked to. */
    void pass(long seconds) {
        long end = nowNanos + TimeUnit.SECONDS.toNanos(seconds);
        while (expireAtNanos != Long.MAX_VALUE && expireAtNanos - end <= 0) {
            nowNanos = expireAtNanos;
            expireAtNanos = Long.MAX_VALUE;
            pool.expire();
        }
        nowNanos = end;
    }

    /** Moves the clock, and no timer rings. */
    void passUnnoticed(long seconds) {
        nowNanos += TimeUnit.SECONDS.toNanos(seconds);
    }

    /** A waiter that claims a place. */
    static final class Asker implements Waiter<String> {
        private final IdleUse use;
        private @Nullable Slot<String> slot;
        private boolean refused;

        Asker() {
            this(IdleUse.ANY);
        }

        private Asker(IdleUse use) {
            this.use = use;
        }

        @Override
        public IdleUse idleUse() {
            return use;
        }

        /** The place that was got. */
        Slot<String> slot() {
            return Objects.requireNonNull(slot, "a place");
        }

        @Override
        public void granted(Slot<String> granted) {
            slot = granted;
        }

        @Override
        public void refused() {
            refused = true;
        }

        /** The idle connection that was got, or "new", or "waits". */
        String got() {
            if (slot == null) {
                return refused ? "refused" : "waits";
            }
            String parked = slot.parked();
            return parked == null ? "new" : parked;
        }
    }

    Asker ask(ConnPool.Key key) {
        return ask(key, HOME);
    }

    Asker ask(ConnPool.Key key, @Nullable Object home) {
        return ask(key, home, new Asker());
    }

    /** Claims a place without accepting idle connections. */
    Asker askFresh(ConnPool.Key key) {
        return ask(key, HOME, new Asker(IdleUse.NEVER));
    }

    /** For a request that cannot be sent twice. */
    Asker askPromised(ConnPool.Key key) {
        return ask(key, HOME, new Asker(IdleUse.PROMISED));
    }

    /** For a request that is sent once more if the connection turns out dead. */
    Asker askUnread(ConnPool.Key key) {
        return ask(key, HOME, new Asker(IdleUse.UNREAD));
    }

    private Asker ask(ConnPool.Key key, @Nullable Object home, Asker asker) {
        Slot<String> slot = pool.claim(key, home, asker);
        if (slot != null) {
            asker.granted(slot);
        }
        return asker;
    }

    /** A new connection, leased. */
    Slot<String> opened(ConnPool.Key key) {
        Asker asker = ask(key);
        if (!asker.got().equals("new")) {
            throw new AssertionError("no new connection but: " + asker.got());
        }
        return open(asker.slot());
    }

    Slot<String> open(Slot<String> slot) {
        if (!pool.opened(slot)) {
            throw new AssertionError("the pool is closed");
        }
        return slot;
    }

    void park(Slot<String> slot, String name) {
        park(slot, name, HOME);
    }

    void park(Slot<String> slot, String name, Object home) {
        pool.park(slot, name, home);
    }

    /** New idle connections, the first the oldest. */
    void idle(ConnPool.Key key, String... names) {
        List<Slot<String>> slots = new ArrayList<>();
        while (slots.size() < names.length) {
            slots.add(opened(key));
        }
        for (String name : names) {
            park(slots.remove(0), name);
        }
    }

    void discard(Slot<String> slot) {
        pool.end(slot, Ending.DISCARDED);
    }

    @Override
    public void close(String parked) {
        closed.add(parked);
    }

    @Override
    public void spares(ConnPool.Key key, SpareEvent what) {
        news.add(key.address().host().charAt(0) + " " + what);
    }

    @Override
    public void expireAt(long nanos) {
        expireAtNanos = nanos;
    }
}
