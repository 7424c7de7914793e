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
 * Connects to the addresses of a name as specified by RFC 8305: families are interleaved (section 4), and attempts start one
 * after another with a delay (section 5), or immediately after a failure. The first to connect wins, and the others are
 * canceled.
 *
 * <p>It does no I/O: the connector makes the attempts, and the clock is a parameter.
 *
 * <p>Threading: owned by its event loop.
 *
 * @param <C> the type of a connection
 */
final class AddressRace<C> {

    /** Starts attempts. */
    interface Connector<C> {
        /**
         * Starts connecting.
         *
         * @param contender receives the result of the attempt, possibly before this method returns
         * @return a task that cancels the attempt, after which the contender is not called
         */
        Runnable connect(InetSocketAddress address, Contender<C> contender);
    }

    /** Receives the result of an attempt. */
    interface Contender<C> {
        void connected(C connection);

        /** The attempt failed; {@link DialException.Reason#CANCELLED} ends the whole race. */
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

    /** The parameters of a race besides its addresses. */
    record Rules(AddressPolicy policy, TimerQueue timers, Ticker ticker, long delayNanos) {}

    /**
     * Creates a race. Exactly one of the two consumers is called at its end.
     *
     * @param lost receives the reason for the whole race; {@link #failures} has those of the addresses
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
     * Sorts addresses for a race: removes duplicates and alternates the families, starting with that of the first address and
     * keeping the order within each family (RFC 8305 section 4 with a First Address Family Count of 1).
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

    /** Starts the race, which may end before this method returns. */
    void start() {
        startNext();
    }

    /** Cancels every attempt; no consumer is called afterwards. */
    void cancel() {
        giveUp(null);
    }

    /** Cancels every attempt and records the same failure for each in {@link #failures}; no consumer is called afterwards. */
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

    /** The failed addresses, in order of failure. */
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

    /** Ranks reasons: the attempt that got farthest determines the reason of the whole race. */
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

    /** The attempt to connect to one address. */
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

        /** Starts connecting; false if the attempt ended immediately. */
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

        /** The next attempt. Attempts form a linked list, which saves allocating a list for the usual race with one attempt. */
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
            } else if (!starting) { // otherwise the loop that started it continues
                startNext();
            }
        }
    }
}
