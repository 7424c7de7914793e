package io.broxy.examples.admin;

import io.broxy.EngineStats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * How busy event loops have been between two looks, half a second apart at least.
 *
 * <p>Threading: thread-safe.
 */
final class LoopLoads {
    private static final Duration SHORTEST = Duration.ofMillis(500);

    // guarded by this
    private List<EngineStats.Loop> before = List.of();
    private List<Double> shares = List.of();

    /** The share of each loop, from 0 to 1; at the first look, since its start. */
    synchronized List<Double> of(List<EngineStats.Loop> now) {
        if (before.size() == now.size()
                && now.get(0).running().minus(before.get(0).running()).compareTo(SHORTEST) < 0) {
            return shares;
        }
        List<Double> next = new ArrayList<>();
        for (int i = 0; i < now.size(); i++) {
            EngineStats.Loop loop = now.get(i);
            EngineStats.Loop earlier = before.isEmpty()
                    ? new EngineStats.Loop(loop.name(), 0, 0, Duration.ZERO, Duration.ZERO)
                    : before.get(i);
            next.add(loop.busyShare(earlier));
        }
        before = now;
        shares = List.copyOf(next);
        return shares;
    }
}
