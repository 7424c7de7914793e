package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.CapturedLog;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Specifies what SIGHUP does before, while and after a server starts. The signal itself is sent in {@link ReloadIT}. */
class ReloadSignalTest {

    @Test
    void eachSignalReloadsOnce() {
        ReloadSignal signal = new ReloadSignal();
        AtomicInteger reloads = new AtomicInteger();
        signal.reloads(reloads::incrementAndGet);
        assertThat(reloads).hasValue(0);
        signal.received();
        signal.received();

        assertThat(reloads).hasValue(2);
    }

    @Test
    void signalsBeforeTheServerRunsReloadOnceWhenItDoes() {
        ReloadSignal signal = new ReloadSignal();
        AtomicInteger reloads = new AtomicInteger();
        signal.received();
        signal.received();
        signal.reloads(reloads::incrementAndGet);

        assertThat(reloads).hasValue(1);
    }

    @Test
    void aReloadThatFailsIsLogged() {
        ReloadSignal signal = new ReloadSignal();
        try (CapturedLog log = CapturedLog.start()) {
            signal.reloads(() -> {
                throw new IllegalStateException("on purpose");
            });
            signal.received();

            assertThat(log.lines("SIGHUP: reloading failed")).hasSize(1);
            assertThat(log.lines("on purpose")).isNotEmpty();
        }
    }
}
