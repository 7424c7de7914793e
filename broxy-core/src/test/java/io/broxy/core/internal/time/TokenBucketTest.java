package io.broxy.core.internal.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how many bytes a rate grants at which time. */
class TokenBucketTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private long now = Long.MAX_VALUE - SECOND; // it wraps around on the way

    private long takeAll(TokenBucket bucket) {
        long all = 0;
        for (int taken; (taken = bucket.take(1 << 20, now)) > 0; ) {
            all += taken;
        }
        return all;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 7, 999, 100_000, 123_456_789, 5_000_000_000L})
    void overManySecondsTheRateIsKeptAndUsedUp(long rate) {
        TokenBucket bucket = new TokenBucket(rate, now);
        long quantum = bucket.quantum();
        long taken = takeAll(bucket);
        assertThat(taken).isBetween(quantum, quantum + 1);

        for (int i = 0; i < 200; i++) {
            now += SECOND / 10;
            taken += takeAll(bucket);
        }

        assertThat(taken).isLessThanOrEqualTo(20 * rate + quantum + 1);
        assertThat(taken).isGreaterThan((long) (20 * rate * 0.999) - quantum);
    }

    @Test
    void whatWasNotUsedWithinTheLastSecondMayBeCaughtUpOnAndNoMore() {
        TokenBucket bucket = new TokenBucket(1_000, now);
        takeAll(bucket);

        now += 3_600 * SECOND;

        assertThat(takeAll(bucket)).isBetween(999L, 1_000L);
        assertThat(bucket.take(1, now)).isZero();
    }

    @Test
    void aReadIsNotWorthLessThanATwentiethOfASecondUnlessNoMoreIsWanted() {
        TokenBucket bucket = new TokenBucket(20_000, now);
        takeAll(bucket);

        now += SECOND / 40;
        assertThat(bucket.take(5_000, now)).isZero();
        assertThat(bucket.take(300, now)).isEqualTo(300);
        now += SECOND / 20;
        assertThat(bucket.take(5_000, now)).isBetween(1_199, 1_200);
    }

    @Test
    void aReservationComesAfterThoseBeforeIt() {
        TokenBucket bucket = new TokenBucket(1_000, now);
        takeAll(bucket);
        long start = now;

        List<Long> turns = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            turns.add(bucket.reserve(50, now) - start);
        }

        assertThat(turns).isSorted().doesNotHaveDuplicates();
        assertThat(turns.get(3)).isBetween(SECOND / 5 - SECOND / 1_000, SECOND / 5 + SECOND / 1_000);
        now = start + turns.get(3);
        assertThat(bucket.take(50, now)).as("all of that was promised").isZero();
    }

    @Test
    void whatIsGivenBackIsThereForOthers() {
        TokenBucket bucket = new TokenBucket(1_000, now);
        takeAll(bucket);
        bucket.reserve(50, now);

        bucket.giveBack(50);

        now += SECOND / 20;
        assertThat(bucket.take(50, now)).isEqualTo(50);
    }

    @Test
    void severalThreadsTakeNoMoreThanThereIs() {
        TokenBucket bucket = new TokenBucket(1_000_000, now);
        takeAll(bucket);
        long later = now + SECOND;
        AtomicLong taken = new AtomicLong();

        List<CompletableFuture<Void>> takers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            takers.add(CompletableFuture.runAsync(() -> {
                for (int count; (count = bucket.take(7, later)) > 0; ) {
                    taken.addAndGet(count);
                }
            }));
        }
        takers.forEach(CompletableFuture::join);

        assertThat(taken.get()).isBetween(999_990L, 1_000_000L);
    }
}
