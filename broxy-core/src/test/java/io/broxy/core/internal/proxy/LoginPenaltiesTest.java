package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LoginPenaltiesTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final InetAddress CLIENT = address("192.0.2.1");

    private final LoginPenalties penalties = new LoginPenalties();
    private long now = Long.MAX_VALUE - SECOND; // soon wraps around

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private void fail(InetAddress client, int times) {
        for (int i = 0; i < times; i++) {
            penalties.failed(client, now);
        }
    }

    private long waitMillis(@Nullable InetAddress client) {
        long nanos = penalties.waitNanos(client, now);
        return nanos < 0 ? nanos : TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    /** As a client that waits for its turn and is wrong again. */
    private long waitAndFail() {
        long nanos = penalties.waitNanos(CLIENT, now);
        now += nanos;
        penalties.failed(CLIENT, now);
        return TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    @Test
    void aFewMistakesCostNothing() {
        fail(CLIENT, LoginPenalties.FREE_FAILURES - 1);

        assertThat(waitMillis(CLIENT)).isZero();
        assertThat(waitMillis(CLIENT)).isZero();
    }

    @Test
    void furtherOnesWaitLongerEachTimeUpToALimit() {
        fail(CLIENT, LoginPenalties.FREE_FAILURES);

        assertThat(waitAndFail()).isEqualTo(250);
        assertThat(waitAndFail()).isEqualTo(250);
        assertThat(waitAndFail()).isEqualTo(500);
        assertThat(waitAndFail()).isEqualTo(1_000);
        assertThat(waitAndFail()).isEqualTo(2_000);
        assertThat(waitAndFail()).isEqualTo(4_000);
        for (int i = 0; i < 100; i++) {
            assertThat(waitAndFail()).isEqualTo(8_000);
        }
    }

    @Test
    void manyConnectionsAtOnceGetTheirTurnsOneAfterAnother() {
        fail(CLIENT, LoginPenalties.FREE_FAILURES);

        for (int i = 1; i <= 40; i++) {
            assertThat(waitMillis(CLIENT)).isEqualTo(250L * i);
        }
        assertThat(waitMillis(CLIENT)).as("it is not worth waiting").isEqualTo(-1);
        assertThat(waitMillis(CLIENT)).isEqualTo(-1);
        now += 5 * SECOND;
        assertThat(waitMillis(CLIENT)).isEqualTo(5_250);
    }

    @Test
    void rightCredentialsEndThat() {
        fail(CLIENT, 20);
        penalties.succeeded(CLIENT);

        assertThat(waitMillis(CLIENT)).isZero();
        fail(CLIENT, LoginPenalties.FREE_FAILURES - 1);
        assertThat(waitMillis(CLIENT)).isZero();
    }

    @Test
    void theyAreForgottenAfterTenMinutes() {
        fail(CLIENT, 20);
        now += TimeUnit.MINUTES.toNanos(10) + 1;

        assertThat(waitMillis(CLIENT)).isZero();
        fail(CLIENT, 1);
        assertThat(waitMillis(CLIENT)).isZero();
    }

    @Test
    void othersDoNotWait() {
        fail(CLIENT, 20);

        assertThat(waitMillis(address("192.0.2.2"))).isZero();
        assertThat(waitMillis(null)).isZero();
        penalties.failed(null, now);
        penalties.succeeded(null);
    }

    @Test
    void ofIpv6TheNetworkCounts() {
        fail(address("2001:db8:1:2::1"), LoginPenalties.FREE_FAILURES);

        assertThat(waitMillis(address("2001:db8:1:2:ffff::2"))).isEqualTo(250);
        assertThat(waitMillis(address("2001:db8:1:3::1"))).isZero();
    }

    @Test
    void theOldestAreForgottenWhenThereAreVeryMany() {
        fail(CLIENT, LoginPenalties.FREE_FAILURES);
        for (int i = 0; i < 10_000; i++) {
            penalties.failed(address("10.0." + i / 256 + "." + i % 256), now);
        }

        assertThat(waitMillis(CLIENT)).isZero();
    }
}
