package io.broxy;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of a hop of a {@link RoutingDialer}. Each figure is exact by itself; figures of one snapshot may be a few dials apart.
 *
 * <p>Threading: immutable.
 *
 * @param name the hop's name; {@link Route#DIRECT} for direct connections
 * @param dialer the dialer of the hop, by which its own figures can be reached
 * @param uses dials, and forwarded requests, that the hop has carried or should have carried
 * @param failures those of them for which the hop itself failed, so that another hop could have a try
 * @param lastFailure the latest of these failures, or null
 * @param lastFailureAt when that was, by the system clock at that time; null if there was none
 * @param penaltyLeft for how long the hop is tried after others; zero if it has no penalty
 */
public record HopStats(
        String name,
        Dialer dialer,
        long uses,
        long failures,
        @Nullable DialException lastFailure,
        @Nullable Instant lastFailureAt,
        Duration penaltyLeft) {

    /** Checks for null. */
    public HopStats {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(dialer, "dialer");
        Objects.requireNonNull(penaltyLeft, "penaltyLeft");
    }

    /** Whether the hop is tried after others now. */
    public boolean hasPenalty() {
        return !penaltyLeft.isZero();
    }
}
