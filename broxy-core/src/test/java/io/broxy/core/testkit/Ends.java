package io.broxy.core.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.DialException;
import io.broxy.RefusedException;
import io.broxy.TunnelResult;

/** Assertions about tunnels that have ended. */
public final class Ends {
    private Ends() {}

    /** Asserts that the tunnel ended for this reason, without a failure as its cause. */
    public static void assertEnded(TunnelResult result, CloseReason reason) {
        assertThat(result.reason()).as("%s", result).isEqualTo(reason);
        assertThat(result.cause()).isNull();
        assertThat(result.duration()).isPositive();
    }

    /** Asserts that the request was refused so, before anything was dialed. */
    public static void assertRefused(TunnelResult result, RefusedException.Reason reason, int status) {
        assertThat(result.reason()).as("%s", result).isEqualTo(CloseReason.REFUSED);
        assertThat(result.cause()).isInstanceOfSatisfying(RefusedException.class, refusal -> {
            assertThat(refusal.reason()).isEqualTo(reason);
            assertThat(refusal.status()).isEqualTo(status);
        });
        assertThat(result.bytesToOrigin() + result.bytesToClient()).isZero();
    }

    /** Asserts that the target could not be dialed, for this reason. */
    public static void assertDialFailed(TunnelResult result, DialException.Reason reason) {
        assertThat(result.reason()).as("%s", result).isEqualTo(CloseReason.DIAL_FAILED);
        assertThat(result.cause()).isInstanceOfSatisfying(DialException.class, failure -> {
            assertThat(failure.reason()).isEqualTo(reason);
            assertThat(failure.target()).isEqualTo(result.target());
        });
        assertThat(result.bytesToOrigin() + result.bytesToClient()).isZero();
    }
}
