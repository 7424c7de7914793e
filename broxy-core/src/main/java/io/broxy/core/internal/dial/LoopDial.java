package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.core.internal.journal.DialTrace;
import io.broxy.core.internal.journal.Flight;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopDialer;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A direct dial on a loop: look the name up, race its addresses, all under one deadline.
 *
 * <pre>
 *   RESOLVING ──> RACING ──> over        (a literal address begins with RACING)
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class LoopDial implements LoopDialer.Dialing, AddressRace.Finish<LoopConnection> {
    private final EventLoop loop;
    private final DialRequest request;
    private final DirectDialing dialer;
    private final LoopDialer.Outcome outcome;
    private final long startNanos;
    private final TimerQueue.Timer deadline;
    private final DialTrace trace;
    private @Nullable CompletableFuture<List<InetAddress>> lookUp;
    private @Nullable AddressRace<LoopConnection> race;
    private boolean over;

    private LoopDial(
            EventLoop loop, DialRequest request, long startNanos, DirectDialing dialer, LoopDialer.Outcome outcome) {
        this.loop = loop;
        this.request = request;
        this.dialer = dialer;
        this.outcome = outcome;
        this.startNanos = startNanos;
        this.trace = Flight.dial(request.target(), null);
        this.deadline = loop.timers().schedule(startNanos + dialer.timeoutNanos(request), this::timedOut);
    }

    /** Begins a dial whose time runs from {@code startNanos}. */
    static LoopDial start(
            EventLoop loop, DialRequest request, long startNanos, DirectDialing dialer, LoopDialer.Outcome outcome) {
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
            DirectDialing dialer,
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
        CompletableFuture<List<InetAddress>> own =
                dialer.resolver().resolve(request.target().host());
        lookUp = own;
        own.whenComplete((addresses, failure) -> {
            if (loop.inLoop()) { // the answer was in the cache
                resolved(addresses, failure);
                return;
            }
            try {
                loop.execute(() -> resolved(addresses, failure));
            } catch (RejectedExecutionException e) {
                // The loop has stopped; its end has fired the deadline.
            }
        });
    }

    private void resolved(@Nullable List<InetAddress> addresses, @Nullable Throwable failure) {
        if (over) {
            return;
        }
        if (addresses == null) {
            fail(Reason.RESOLVE, failure);
        } else {
            race(addresses);
        }
    }

    private void race(List<InetAddress> addresses) {
        List<InetSocketAddress> inOrder = new ArrayList<>(addresses.size());
        for (InetAddress address : AddressRace.interleave(addresses)) {
            if (dialer.sockets().fits(address)) {
                inOrder.add(new InetSocketAddress(address, request.target().port()));
            }
        }
        if (inOrder.isEmpty()) {
            fail(Reason.UNREACHABLE, dialer.sockets().misfit());
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
        } else if (race == null) {
            giveUp(Reason.TIMEOUT, new SocketTimeoutException("looking the name up took too long"));
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
        fail(reason, null);
    }

    private void fail(Reason reason, @Nullable Throwable why) {
        end();
        List<DialException.Attempt> failures = race == null ? List.of() : race.failures();
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
