package io.broxy.core.internal.dial;

import io.broxy.SystemProxies;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs what was not understood in the settings of proxies, a line for each problem, and no problem twice.
 *
 * <p>Threading: thread-safe; the lock guards {@code logged}.
 */
public final class SettingProblems {
    private static final Logger log = LoggerFactory.getLogger(SettingProblems.class);

    /** Lines for one set of settings; a list that was written for something else may have thousands of entries. */
    private static final int MOST_LINES = 20;

    /** What is remembered; beyond that problems are logged again. */
    private static final int MOST_KEPT = 1_000;

    private final Object lock = new Object();
    private final Set<SystemProxies.Problem> logged = new HashSet<>();

    /** Logs the problems that are new. */
    public void log(List<SystemProxies.Problem> problems) {
        List<SystemProxies.Problem> fresh =
                problems.stream().filter(this::isFresh).toList();
        fresh.stream().limit(MOST_LINES).forEach(problem -> log.warn("proxy settings: {}", problem));
        if (fresh.size() > MOST_LINES) {
            log.warn("proxy settings: {} further entries are not understood", fresh.size() - MOST_LINES);
        }
    }

    private boolean isFresh(SystemProxies.Problem problem) {
        synchronized (lock) {
            return !logged.contains(problem) && (logged.size() >= MOST_KEPT || logged.add(problem));
        }
    }
}
