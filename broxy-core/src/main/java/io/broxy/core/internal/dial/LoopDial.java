package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.observe.DialTrace;
import io.broxy.core.internal.observe.FlightRecorderEvents;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A direct dial on a loop: looks up the name and races its addresses, all under one deadline. If cached addresses all fail,
 * they may be outdated, so the name is looked up again and any new addresses are raced.
 *
 * <pre>
 *   RESOLVING ──> RACING ──> over        (a literal address starts with RACING)
 *       ^            │
 *       └────────────┘  all cached addresses have failed, once
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class LoopDial implements DialHandle {
    private final Dial dial;
    private final EventLoop loop;
    private final DirectDialerImpl dialer;
    private final TimerQueue.Timer deadline;
    private final DialTrace trace;
    private @Nullable NameQuery lookUp;
    /** Whether the name may be looked up again. */
    private boolean fromCache;

    /** The failure of the cached addresses. */
    private @Nullable DialException firstRound;

    private List<InetAddress> addresses = List.of();
    private @Nullable AddressRace<LoopConnection> race;
    private boolean over;

    LoopDial(Dial dial, DirectDialerImpl dialer) {
        this.dial = dial;
        this.loop = dial.loop();
        this.dialer = dialer;
        this.trace = FlightRecorderEvents.dial(dial.target(), null);
        this.deadline = loop.timers().schedule(dial.endNanos(), this::timedOut);
    }

    /** Starts with the look-up, or with the literal address. */
    DialHandle begin() {
        InetAddress literal = dial.request().address();
        if (literal != null) {
            return begin(List.of(literal));
        }
        NameQuery query = dialer.resolver.resolve(dial.target().host(), dial.network());
        fromCache = query.isFromCache();
        await(query);
        return this;
    }

    /** Starts with addresses that are already looked up. */
    DialHandle begin(List<InetAddress> found) {
        race(found);
        return this;
    }

    private void await(NameQuery query) {
        lookUp = query;
        query.whenComplete((found, failure) -> {
            if (loop.inLoop()) { // the answer was in the cache
                resolved(found, failure);
            } else {
                loop.tryExecute(() -> resolved(found, failure)); // a stopping loop has fired the deadline
            }
        });
    }

    private void resolved(@Nullable List<InetAddress> found, @Nullable Throwable failure) {
        if (over) {
            return;
        }
        lookUp = null;
        DialException first = firstRound;
        if (first != null) {
            List<InetAddress> untried = found == null ? List.of() : DialFailures.untried(found, addresses);
            if (untried.isEmpty()) {
                fail(first.reason(), first.getCause());
            } else {
                race(untried);
            }
        } else if (found == null) {
            fail(Reason.RESOLVE, failure);
        } else {
            race(found);
        }
    }

    private void race(List<InetAddress> toTry) {
        addresses = toTry;
        List<InetSocketAddress> inOrder = inOrder(toTry);
        if (inOrder.isEmpty()) {
            failed(Reason.UNREACHABLE, List.of(), dialer.sockets.misfit());
            return;
        }
        AddressRace<LoopConnection> all = new AddressRace<>(
                inOrder,
                (address, contender) ->
                        new ConnectAttempt(loop, dial.target(), contender).begin(dialer.sockets, address),
                new AddressRace.Rules(
                        dial.request().addressPolicy(), loop.timers(), dialer.ticker(), dialer.attemptDelayNanos),
                this::won,
                this::lost);
        race = all;
        all.start();
    }

    /** The addresses to try, in order; avoids allocating a list for a literal address. */
    private List<InetSocketAddress> inOrder(List<InetAddress> toTry) {
        int port = dial.target().port();
        if (toTry.size() == 1) {
            InetAddress only = toTry.get(0);
            return dialer.sockets.fits(only) ? List.of(new InetSocketAddress(only, port)) : List.of();
        }
        List<InetSocketAddress> inOrder = new ArrayList<>(toTry.size());
        for (InetAddress address : AddressRace.interleave(toTry)) {
            if (dialer.sockets.fits(address)) {
                inOrder.add(new InetSocketAddress(address, port));
            }
        }
        return inOrder;
    }

    /** Called at the deadline, and by a stopping loop, which fires all timers. */
    private void timedOut() {
        if (loop.isStopping()) {
            giveUp(Reason.CANCELLED, new IOException("the event loop is stopping"));
        } else if (lookUp != null) {
            giveUp(Reason.TIMEOUT, lookUp.timedOut());
        } else {
            giveUp(Reason.TIMEOUT, new SocketTimeoutException("no answer within the dial's timeout"));
        }
    }

    private void giveUp(Reason reason, IOException why) {
        if (race != null) {
            race.giveUp(why);
        }
        fail(reason, why);
    }

    private void won(LoopConnection connection) {
        end();
        trace.connected(connection.peer());
        dial.completion().done(connection);
    }

    private void lost(Reason reason) {
        failed(reason, race == null ? List.of() : race.failures(), null);
    }

    /** Called when all addresses have failed. */
    private void failed(Reason reason, List<DialException.Attempt> failures, @Nullable Throwable why) {
        if (!fromCache || !DialFailures.isOfTheAddresses(reason)) {
            fail(reason, why);
            return;
        }
        fromCache = false;
        race = null;
        firstRound = failure(reason, failures, why);
        await(dialer.resolver.resolveAnew(dial.target().host(), dial.network()));
    }

    private void fail(Reason reason, @Nullable Throwable why) {
        end();
        List<DialException.Attempt> failures = race == null ? List.of() : race.failures();
        DialException failure = failure(reason, DialFailures.attempts(firstRound, failures), why);
        trace.failed(failure);
        dial.completion().failed(failure);
    }

    private DialException failure(Reason reason, List<DialException.Attempt> failures, @Nullable Throwable why) {
        Throwable cause = why == null && failures.size() == 1 ? failures.get(0).failure() : why;
        return dial.failure(reason).attempts(failures).cause(cause).build();
    }

    private void end() {
        over = true;
        loop.timers().cancel(deadline);
        if (lookUp != null) {
            lookUp.cancel(false); // no effect if it is answered
        }
    }

    @Override
    public void clientEnded() {
        if (lookUp != null) {
            dialer.resolver.yieldQuery(dial.target().host(), lookUp);
        }
    }

    @Override
    public void cancel() {
        if (!over) {
            end();
            trace.cancelled();
            if (race != null) {
                race.cancel();
            }
        }
    }
}
