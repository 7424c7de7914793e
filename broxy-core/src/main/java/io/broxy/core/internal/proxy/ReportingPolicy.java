package io.broxy.core.internal.proxy;

import io.broxy.AddressPolicy;
import io.broxy.core.internal.time.Ticker;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Admits what another policy refuses, and logs that: each address once a period, and only so many addresses, so that a client
 * cannot fill the log.
 *
 * <p>Threading: thread-safe; the lock guards {@code logged}, {@code periodStartNanos} and {@code full}.
 */
final class ReportingPolicy implements AddressPolicy {
    private static final Logger log = LoggerFactory.getLogger(ReportingPolicy.class);

    static final long PERIOD_NANOS = TimeUnit.HOURS.toNanos(1);
    static final int MOST_ADDRESSES = 1_000;

    private final AddressPolicy policy;
    private final Ticker ticker;
    private final Object lock = new Object();
    private final Set<InetAddress> logged = new HashSet<>();
    private long periodStartNanos;
    private boolean full;

    ReportingPolicy(AddressPolicy policy, Ticker ticker) {
        this.policy = policy;
        this.ticker = ticker;
        this.periodStartNanos = ticker.nanos();
    }

    @Override
    public boolean admits(InetAddress address) {
        if (!policy.admits(address)) {
            report(address, policy.explain(address));
        }
        return true;
    }

    @Override
    public boolean admits(InetAddress address, int port) {
        if (!policy.admits(address, port)) {
            report(address, policy.explain(address, port));
        }
        return true;
    }

    private void report(InetAddress address, String why) {
        boolean last;
        synchronized (lock) {
            if (ticker.nanos() - periodStartNanos >= PERIOD_NANOS) {
                periodStartNanos = ticker.nanos();
                logged.clear();
                full = false;
            }
            if (full || !logged.add(address)) {
                return;
            }
            full = logged.size() > MOST_ADDRESSES;
            last = full;
        }
        if (last) {
            log.warn(
                    "report only: {} addresses that would be refused were logged; others are not for the rest of the hour",
                    MOST_ADDRESSES);
        } else {
            log.warn("report only: {}; it is admitted all the same", why);
        }
    }

    @Override
    public String explain(InetAddress address) {
        return policy.explain(address) + (policy.admits(address) ? "" : ", which is only reported");
    }

    @Override
    public String explain(InetAddress address, int port) {
        return policy.explain(address, port) + (policy.admits(address, port) ? "" : ", which is only reported");
    }

    /** Names what it reports. */
    @Override
    public String toString() {
        return "report only: " + policy;
    }
}
