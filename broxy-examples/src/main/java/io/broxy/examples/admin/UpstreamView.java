package io.broxy.examples.admin;

import io.broxy.Dialer;
import io.broxy.HopStats;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A proxy that targets are reached through, as operators see it.
 *
 * <p>Threading: immutable.
 *
 * @param name its name in the rules, or its address
 * @param dialer goes through it
 * @param stats how it does; null if it is the only one, so that it has no state among others
 */
public record UpstreamView(
        String name, Dialer dialer, @Nullable HopStats stats) {

    /** Checks for null. */
    public UpstreamView {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(dialer, "dialer");
    }

    /** One of a dialer with rules. */
    public static UpstreamView of(HopStats stats) {
        return new UpstreamView(stats.name(), stats.dialer(), stats);
    }
}
