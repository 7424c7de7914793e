package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LoginPenaltiesTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final InetAddress CLIENT = address("192.0.2.1");

    private final LoginPenalties penalties = new LoginPenalties();
    private final List<String> woken = new ArrayList<>();
    private long now = Long.MAX_VALUE - SECOND; // soon wraps around
    private int shown;

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    /** One with credentials of its own. */
    private LoginPenalties.Attempt attempt(@Nullable InetAddress client) {
        return attempt(client, "credentials " + ++shown);
    }

    private LoginPenalties.Attempt attempt(@Nullable InetAddress client, String credentials) {
        return penalties.attempt(client, credentials, () -> woken.add(credentials));
    }

    private void fail(@Nullable InetAddress client, int times) {
        for (int i = 0; i < times; i++) {
            LoginPenalties.Attempt attempt = attempt(client);
            attempt.waitNanos(now);
            attempt.failed(now);
        }
    }

    /** As a client that waits for its turn. */
    private long waitMillis(@Nullable InetAddress client) {
        return millis(attempt(client).waitNanos(now));
    }

    private static long millis(long nanos) {
        return nanos < 0 ? nanos : TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    /** As one that waits for it and is wrong again. */
    private long waitAndFail() {
        LoginPenalties.Attempt attempt = attempt(CLIENT);
        long nanos = attempt.waitNanos(now);
        now += nanos;
        attempt.failed(now);
        return millis(nanos);
    }

    @Test
    void aFewMistakesCostNothing() {
        fail(CLIENT, LoginPenalties.FREE_FAILURES - 1);

        for (int i = 0; i < 2; i++) {
            LoginPenalties.Attempt attempt = attempt(CLIENT);
            assertThat(attempt.waitNanos(now)).isZero();
            attempt.cancel();
        }
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
        attempt(CLIENT).succeeded();

        fail(CLIENT, LoginPenalties.FREE_FAILURES - 1);
        assertThat(waitMillis(CLIENT)).isZero();
    }

    @Test
    void theyAreForgottenAfterTenMinutes() {
        fail(CLIENT, 20);
        now += TimeUnit.MINUTES.toNanos(10) + 1;

        fail(CLIENT, 1);
        assertThat(waitMillis(CLIENT)).isZero();
    }

    @Test
    void othersDoNotWait() {
        fail(CLIENT, 20);

        assertThat(waitMillis(address("192.0.2.2"))).isZero();
        assertThat(waitMillis(null)).isZero();
        fail(null, 20);
        attempt(null).succeeded();
        assertThat(waitMillis(null)).isZero();
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
            fail(address("10.0." + i / 256 + "." + i % 256), 1);
        }

        assertThat(waitMillis(CLIENT)).isZero();
    }

    // ------------------------------------------------------------------ at once

    private List<LoginPenalties.Attempt> attempts(int count) {
        return IntStream.range(0, count).mapToObj(i -> attempt(CLIENT)).toList();
    }

    private List<Long> waits(List<LoginPenalties.Attempt> attempts) {
        return attempts.stream().map(attempt -> attempt.waitNanos(now)).toList();
    }

    @Test
    void noMoreGuessesAreLookedAtTogetherThanMayBeWrong() {
        List<LoginPenalties.Attempt> free = attempts(LoginPenalties.FREE_FAILURES);
        List<LoginPenalties.Attempt> more = attempts(60);
        assertThat(waits(free)).containsOnly(0L);
        assertThat(waits(more)).containsOnly(LoginPenalties.PARKED);

        free.forEach(attempt -> attempt.failed(now));

        assertThat(woken).hasSize(60).doesNotHaveDuplicates();
        for (int i = 1; i <= 40; i++) {
            assertThat(millis(more.get(i - 1).waitNanos(now))).isEqualTo(250L * i);
        }
        assertThat(waits(more.subList(40, 60))).containsOnly(LoginPenalties.REFUSED);
    }

    @Test
    void whatWasWrongBeforeLeavesFewerOfThem() {
        fail(CLIENT, LoginPenalties.FREE_FAILURES - 2);

        assertThat(waits(attempts(4))).containsExactly(0L, 0L, LoginPenalties.PARKED, LoginPenalties.PARKED);
    }

    @Test
    void theSameCredentialsManyTimesAreOneGuess() {
        for (int i = 0; i < 1_000; i++) {
            assertThat(attempt(CLIENT, "right").waitNanos(now)).isZero();
        }
        assertThat(waits(attempts(LoginPenalties.FREE_FAILURES - 1))).containsOnly(0L);
        assertThat(attempt(CLIENT, "right").waitNanos(now)).isZero();
        assertThat(attempt(CLIENT).waitNanos(now)).isEqualTo(LoginPenalties.PARKED);
    }

    @Test
    void eachDecisionLetsTheNextOneInWithAllItsConnections() {
        List<LoginPenalties.Attempt> asked = attempts(LoginPenalties.FREE_FAILURES);
        waits(asked);
        List<LoginPenalties.Attempt> bobs =
                IntStream.range(0, 3).mapToObj(i -> attempt(CLIENT, "bob")).toList();
        LoginPenalties.Attempt carol = attempt(CLIENT, "carol");
        assertThat(waits(bobs)).containsOnly(LoginPenalties.PARKED);
        assertThat(carol.waitNanos(now)).isEqualTo(LoginPenalties.PARKED);

        asked.get(0).succeeded();
        assertThat(woken).containsExactly("bob", "bob", "bob");
        assertThat(waits(bobs)).containsOnly(0L);
        asked.get(1).failed(now);
        bobs.get(0).cancel();
        bobs.get(1).cancel();
        assertThat(woken).hasSize(3);
        bobs.get(2).cancel();
        assertThat(woken).containsExactly("bob", "bob", "bob", "carol");
        assertThat(carol.waitNanos(now)).isZero();
    }

    @Test
    void whoGoesAwayLeavesNothingBehind() {
        List<LoginPenalties.Attempt> asked = attempts(LoginPenalties.FREE_FAILURES);
        List<LoginPenalties.Attempt> parked = attempts(10);
        waits(asked);
        waits(parked);

        parked.forEach(LoginPenalties.Attempt::cancel);
        asked.forEach(LoginPenalties.Attempt::cancel);
        asked.forEach(attempt -> attempt.failed(now)); // too late

        assertThat(woken).isEmpty();
        assertThat(waits(attempts(LoginPenalties.FREE_FAILURES))).containsOnly(0L);
    }
}
