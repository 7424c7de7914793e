package io.broxy.examples;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGHUP: the files of rules, users and certificates are read again. One that comes before the server runs takes effect when it does.
 *
 * <p>Threading: thread-safe; each signal comes on a thread of its own. The lock guards {@code reload} and {@code pending}.
 */
final class ReloadSignal {
    private static final Logger log = LoggerFactory.getLogger(ReloadSignal.class);

    private final Object lock = new Object();
    private @Nullable Runnable reload;
    private boolean pending;

    ReloadSignal() {}

    /** Listens to the signal from now on. */
    static ReloadSignal install() {
        ReloadSignal signal = new ReloadSignal();
        Signals.handle("HUP", "reload", signal::received);
        return signal;
    }

    /** Sets what a signal does, and does it if one has come before. */
    void reloads(Runnable action) {
        boolean now;
        synchronized (lock) {
            reload = action;
            now = pending;
            pending = false;
        }
        if (now) {
            run(action);
        }
    }

    /** Is called at each signal. */
    void received() {
        Runnable action;
        synchronized (lock) {
            action = reload;
            pending = action == null;
        }
        if (action != null) {
            run(action);
        }
    }

    private static void run(Runnable action) {
        try {
            action.run();
        } catch (RuntimeException e) { // a signal's thread has no caller to report to
            log.error("SIGHUP: reloading failed", e);
        }
    }
}
