package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.observe.DialTrace;
import io.broxy.core.internal.observe.FlightRecorderEvents;
import io.broxy.core.internal.time.TimerQueue;
import io.broxy.core.internal.upstream.LoopDialer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A direct dial on a loop: look the name up, race its addresses, all under one deadline. Addresses that were remembered and
 * are all of no use may be outdated, so the name is looked up once more, and what is new is raced.
 *
 * <pre>
 *   RESOLVING ──> RACING ──> over        (a literal address begins with RACING)
 *       ^            │
 *       └────────────┘  all that was remembered has failed, once
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class LoopDial implements DialHandle, AddressRace.Finish<LoopConnection> {
    private final EventLoop loop;
    private final DialRequest request;
    private final DirectDialerImpl dialer;
    private final LoopDialer.Outcome outcome;
    private final long startNanos;
    private final TimerQueue.Timer deadline;
    private final DialTrace trace;
    private @Nullable NameQuery lookUp;
    /** Whether the name may be looked up once more. */
    private boolean remembered;

    private @Nullable FirstRound firstRound;
    private List<InetAddress> addresses = List.of();
    private @Nullable AddressRace<LoopConnection> race;
    private boolean over;

    private LoopDial(
            EventLoop loop, DialRequest request, long startNanos, DirectDialerImpl dialer, LoopDialer.Outcome outcome) {
        this.loop = loop;
        this.request = request;
        this.dialer = dialer;
        this.outcome = outcome;
        this.startNanos = startNanos;
        this.trace = FlightRecorderEvents.dial(request.target(), null);
        this.deadline = loop.timers().schedule(startNanos + dialer.timeoutNanos(request), this::timedOut);
    }

    /** Begins a dial whose time runs from {@code startNanos}. */
    static LoopDial start(
            EventLoop loop, DialRequest request, long startNanos, DirectDialerImpl dialer, LoopDialer.Outcome outcome) {
        LoopDial dial = new LoopDial(loop, request, startNanos, dialer, outcome);
        dial.begin();
        return dial;
    }

    /** Begins a dial of addresses that have been looked up. */
    static LoopDial start(
            EventLoop loop,
            DialRequest request,
            List<InetAddress> addresses,
            long startNanos,
            DirectDialerImpl dialer,
            LoopDialer.Outcome outcome) {
        LoopDial dial = new LoopDial(loop, request, startNanos, dialer, outcome);
        dial.race(addresses);
        return dial;
    }

    private void begin() {
        InetAddress literal = request.address();
        if (literal != null) {
            race(List.of(literal));
            return;
        }
        NameQuery query = dialer.resolver().resolve(request.target().host(), LookUpShare.of(request, outcome));
        remembered = query.isFromCache();
        await(query);
    }

    private void await(NameQuery query) {
        lookUp = query;
        query.whenComplete((found, failure) -> {
            if (loop.inLoop()) { // the answer was in the cache
                resolved(found, failure);
                return;
            }
            try {
                loop.execute(() -> resolved(found, failure));
            } catch (RejectedExecutionException e) {
                // The loop has stopped; its end has fired the deadline.
            }
        });
    }

    private void resolved(@Nullable List<InetAddress> found, @Nullable Throwable failure) {
        if (over) {
            return;
        }
        lookUp = null;
        FirstRound first = firstRound;
        if (first != null) {
            List<InetAddress> untried = found == null ? List.of() : first.untried(found);
            if (untried.isEmpty()) {
                fail(first.reason(), first.cause());
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
        List<InetSocketAddress> inOrder = new ArrayList<>(addresses.size());
        for (InetAddress address : AddressRace.interleave(toTry)) {
            if (dialer.sockets().fits(address)) {
                inOrder.add(new InetSocketAddress(address, request.target().port()));
            }
        }
        if (inOrder.isEmpty()) {
            failed(Reason.UNREACHABLE, List.of(), dialer.sockets().misfit());
            return;
        }
        AddressRace<LoopConnection> all = new AddressRace<>(
                inOrder,
                (address, contender) ->
                        ConnectAttempt.start(loop, dialer.sockets(), address, request.target(), contender),
                new AddressRace.Rules(
                        request.addressPolicy(), loop.timers(), dialer.ticker(), dialer.attemptDelayNanos()),
                this);
        race = all;
        all.start();
    }

    /** Told by the deadline, and by the end of the loop, which lets no timer wait. */
    private void timedOut() {
        if (loop.isStopping()) {
            giveUp(Reason.CANCELLED, new IOException("the event loop is ending"));
        } else if (lookUp != null) {
            giveUp(Reason.TIMEOUT, lookUp.timedOut());
        } else {
            giveUp(Reason.TIMEOUT, new SocketTimeoutException("no answer in the dial's time"));
        }
    }

    private void giveUp(Reason reason, IOException why) {
        if (race != null) {
            race.giveUp(why);
        }
        fail(reason, why);
    }

    @Override
    public void won(LoopConnection connection) {
        end();
        trace.connected(connection.peer());
        outcome.connected(connection);
    }

    @Override
    public void lost(Reason reason) {
        failed(reason, race == null ? List.of() : race.failures(), null);
    }

    /** The addresses have failed. */
    private void failed(Reason reason, List<DialException.Attempt> failures, @Nullable Throwable why) {
        if (!remembered || !FirstRound.isOfTheAddresses(reason)) {
            fail(reason, why);
            return;
        }
        remembered = false;
        race = null;
        Throwable cause = why == null && failures.size() == 1 ? failures.get(0).failure() : why;
        firstRound = new FirstRound(addresses, reason, failures, cause);
        await(dialer.resolver().resolveAnew(request.target().host(), LookUpShare.of(request, outcome)));
    }

    private void fail(Reason reason, @Nullable Throwable why) {
        end();
        List<DialException.Attempt> failures = race == null ? List.of() : race.failures();
        if (firstRound != null) {
            failures = firstRound.attemptsAnd(failures);
        }
        Throwable cause = why == null && failures.size() == 1 ? failures.get(0).failure() : why;
        DialException failure = new DialException(
                reason, request.target(), Duration.ofNanos(dialer.ticker().nanos() - startNanos), failures, cause);
        trace.failed(failure);
        outcome.failed(failure);
    }

    private void end() {
        over = true;
        loop.timers().cancel(deadline);
        if (lookUp != null) {
            lookUp.cancel(false); // or has been answered
        }
    }

    @Override
    public void clientEnded() {
        if (lookUp != null) {
            dialer.resolver().giveWay(request.target().host(), lookUp);
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
