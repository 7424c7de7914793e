package io.broxy.core.internal.dial;

import io.broxy.AddressPolicy;
import io.broxy.DialException;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Connects to the addresses of one name as RFC 8305 says: families interleaved (section 4), one attempt after the other
 * with a delay between (section 5), the next one at once when one fails; the first that connects wins, and the others are
 * canceled.
 *
 * <p>It does no I/O: the connector makes the attempts, and the clock is a parameter.
 *
 * <p>Threading: owned by its event loop.
 *
 * @param <C> what an attempt yields
 */
final class AddressRace<C> {

    /** Makes attempts. */
    interface Connector<C> {
        /**
         * Begins to connect.
         *
         * @param contender gets the end of the attempt, possibly before this method returns
         * @return cancels the attempt, after which the contender gets nothing
         */
        Runnable connect(InetSocketAddress address, Contender<C> contender);
    }

    /** Receives the end of an attempt. */
    interface Contender<C> {
        void connected(C connection);

        /** A reason of {@link DialException.Reason#CANCELLED} ends the whole race. */
        void failed(DialException.Reason reason, Throwable failure);
    }

    private final Connector<C> connector;
    private final AddressPolicy policy;
    private final TimerQueue timers;
    private final Ticker ticker;
    private final long delayNanos;
    private final Consumer<C> won;
    private final Consumer<DialException.Reason> lost;

    private final List<InetSocketAddress> inOrder;
    /** The index of the first address that has not been tried. */
    private int next;

    /** The oldest of the running attempts. */
    private @Nullable Attempt running;

    private @Nullable List<DialException.Attempt> failures;
    private DialException.@Nullable Reason worst;
    private TimerQueue.@Nullable Timer nextStart;
    private boolean over;

    /** What one race needs besides its addresses. */
    record Rules(AddressPolicy policy, TimerQueue timers, Ticker ticker, long delayNanos) {}

    /**
     * Creates a race. One of the two consumers is called at its end, once.
     *
     * @param lost gets the reason for the whole; {@link #failures} has the addresses
     */
    AddressRace(
            List<InetSocketAddress> inOrder,
            Connector<C> connector,
            Rules rules,
            Consumer<C> won,
            Consumer<DialException.Reason> lost) {
        this.inOrder = inOrder;
        this.connector = connector;
        this.policy = rules.policy();
        this.timers = rules.timers();
        this.ticker = rules.ticker();
        this.delayNanos = rules.delayNanos();
        this.won = won;
        this.lost = lost;
    }

    /**
     * Sorts addresses for a race: without repetitions, the families taking turns, the first one's first, within a family
     * in the given order (RFC 8305 section 4 with a First Address Family Count of 1).
     */
    static List<InetAddress> interleave(List<InetAddress> addresses) {
        if (addresses.size() < 2) {
            return addresses;
        }
        Queue<InetAddress> first = new ArrayDeque<>();
        Queue<InetAddress> second = new ArrayDeque<>();
        boolean firstIs4 = addresses.get(0) instanceof Inet4Address;
        for (InetAddress address : new LinkedHashSet<>(addresses)) {
            ((address instanceof Inet4Address) == firstIs4 ? first : second).add(address);
        }
        List<InetAddress> order = new ArrayList<>(addresses.size());
        while (!first.isEmpty() || !second.isEmpty()) {
            moveOne(first, order);
            moveOne(second, order);
        }
        return order;
    }

    private static void moveOne(Queue<InetAddress> from, List<InetAddress> to) {
        InetAddress address = from.poll();
        if (address != null) {
            to.add(address);
        }
    }

    /** Begins the race, which may end before this method returns. */
    void start() {
        startNext();
    }

    /** Cancels every attempt; no consumer is called any more. */
    void cancel() {
        giveUp(null);
    }

    /** Cancels every attempt with the same failure, for {@link #failures}; no consumer is called any more. */
    void giveUp(@Nullable Throwable failure) {
        over = true;
        if (nextStart != null) {
            timers.cancel(nextStart);
        }
        for (Attempt attempt = running; attempt != null; attempt = attempt.younger) {
            attempt.giveUp();
            if (failure != null) {
                add(attempt.failure(failure));
            }
        }
        running = null;
    }

    /** Each address that failed, in the order of the failures. */
    List<DialException.Attempt> failures() {
        return failures == null ? List.of() : failures;
    }

    private void add(DialException.Attempt failure) {
        if (failures == null) {
            failures = new ArrayList<>(1);
        }
        failures.add(failure);
    }

    private void startNext() {
        if (nextStart != null) {
            timers.cancel(nextStart);
        }
        while (!over) {
            if (next == inOrder.size()) {
                loseIfNoneRuns();
                return;
            }
            InetSocketAddress address = inOrder.get(next++);
            if (admit(address) && new Attempt(address).start()) {
                planNext();
                return;
            }
        }
    }

    private void planNext() {
        if (next == inOrder.size()) {
            return;
        }
        long at = ticker.nanos() + delayNanos;
        if (nextStart == null) {
            nextStart = timers.schedule(at, this::startNext);
        } else {
            timers.reschedule(nextStart, at);
        }
    }

    private boolean admit(InetSocketAddress address) {
        IOException denial = DialFailures.denial(policy, address.getAddress(), address.getPort());
        if (denial != null) {
            note(DialException.Reason.DENIED, new DialException.Attempt(address, denial, Duration.ZERO));
        }
        return denial == null;
    }

    private void note(DialException.Reason reason, DialException.Attempt failure) {
        add(failure);
        if (worst == null || weight(reason) > weight(worst)) {
            worst = reason;
        }
    }

    /** The reason of the attempt that came farthest is the reason of all. */
    private static int weight(DialException.Reason reason) {
        return switch (reason) {
            case DENIED -> 0;
            case LOCAL -> 1;
            case UNREACHABLE -> 2;
            case TIMEOUT -> 3;
            default -> 4;
        };
    }

    private void loseIfNoneRuns() {
        if (running == null) {
            lose(worst == null ? DialException.Reason.UNREACHABLE : worst);
        }
    }

    private void lose(DialException.Reason reason) {
        over = true;
        lost.accept(reason);
    }

    /** One address being connected to. */
    private final class Attempt implements Contender<C> {
        private final InetSocketAddress address;
        private final long startNanos = ticker.nanos();
        private @Nullable Runnable giveUp;
        private boolean starting;
        private boolean ended;
        private @Nullable Attempt younger;

        Attempt(InetSocketAddress address) {
            this.address = address;
        }

        /** Begins to connect; true if the attempt has not ended at once. */
        boolean start() {
            starting = true;
            join();
            Runnable stop = connector.connect(address, this);
            starting = false;
            if (!ended) {
                giveUp = stop;
            }
            return !ended;
        }

        /** Most races have one attempt, so the attempts link to each other and need no list. */
        private void join() {
            if (running == null) {
                running = this;
                return;
            }
            Attempt youngest = running;
            while (youngest.younger != null) {
                youngest = youngest.younger;
            }
            youngest.younger = this;
        }

        private void leave() {
            if (running == this) {
                running = younger;
                return;
            }
            for (Attempt older = running; older != null; older = older.younger) {
                if (older.younger == this) {
                    older.younger = younger;
                }
            }
        }

        void giveUp() {
            ended = true;
            if (giveUp != null) {
                giveUp.run();
            }
        }

        DialException.Attempt failure(Throwable failure) {
            return new DialException.Attempt(address, failure, Duration.ofNanos(ticker.nanos() - startNanos));
        }

        @Override
        public void connected(C connection) {
            ended = true;
            leave();
            cancel();
            won.accept(connection);
        }

        @Override
        public void failed(DialException.Reason reason, Throwable failure) {
            ended = true;
            leave();
            note(reason, failure(failure));
            if (reason == DialException.Reason.CANCELLED) {
                cancel();
                lose(reason);
            } else if (!starting) { // or else the loop that started it goes on
                startNext();
            }
        }
    }
}
