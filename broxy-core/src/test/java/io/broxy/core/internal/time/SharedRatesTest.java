package io.broxy.core.internal.time;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.ManualTicker;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * Specifies how long a rate that connections share is kept: while one of them is open, and until what they used has
 * flowed.
 */
class SharedRatesTest {
    private static final int RATE = 20_000;
    private static final int QUANTUM = RATE / 20;

    private final ManualTicker ticker = new ManualTicker();
    private final SharedRates<String> rates = new SharedRates<>(RATE, ticker);

    @Test
    void connectionsOfOneKindShareARateInEachDirection() {
        SharedRates<String>.Share one = rates.enter("alice");
        SharedRates<String>.Share other = rates.enter("alice");

        assertThat(other.toClient()).isSameAs(one.toClient()).isNotSameAs(one.toOrigin());
        assertThat(rates.enter("bob").toClient()).isNotSameAs(one.toClient());
        assertThat(rates.size()).isEqualTo(2);
    }

    @Test
    void aKindIsForgottenWithItsLastConnection() {
        SharedRates<String>.Share one = rates.enter("alice");
        SharedRates<String>.Share other = rates.enter("alice");

        one.leave();
        assertThat(rates.size()).isEqualTo(1);
        other.leave();
        assertThat(rates.size()).isZero();
    }

    @Test
    void manyShortConnectionsGetNoMoreThanOneLongOne() {
        int taken = 0;
        for (int i = 0; i < 100; i++) {
            SharedRates<String>.Share share = rates.enter("alice");
            taken += share.toClient().take(QUANTUM, ticker.nanos());
            share.leave();
            ticker.advance(Duration.ofMillis(10));
        }

        assertThat(taken).isLessThanOrEqualTo(RATE + QUANTUM);
    }

    @Test
    void whatWasUsedKeepsAKindForAsLongAsItTakesToFlow() {
        SharedRates<String>.Share share = rates.enter("alice");
        share.toOrigin().reserve(QUANTUM + RATE, ticker.nanos());
        share.leave();

        ticker.advance(Duration.ofMillis(1_040));
        assertThat(rates.size()).isEqualTo(1);
        assertThat(rates.enter("alice").toOrigin()).isSameAs(share.toOrigin());
        share.leave();
        ticker.advance(Duration.ofMillis(11));
        assertThat(rates.size()).isZero();
    }

    @Test
    void aKindThatComesBackMeanwhileStays() {
        SharedRates<String>.Share share = rates.enter("alice");
        share.toOrigin().take(QUANTUM, ticker.nanos());
        share.leave();
        rates.enter("alice");
        ticker.advance(Duration.ofSeconds(1));

        assertThat(rates.size()).isEqualTo(1);
        share.leave();
        assertThat(rates.size()).isZero();
    }

    @Test
    void kindsWithoutAConnectionAreBounded() {
        for (int i = 0; i < 20_000; i++) {
            SharedRates<String>.Share share = rates.enter("user" + i);
            share.toClient().reserve(RATE, ticker.nanos());
            share.leave();
        }

        assertThat(rates.size()).isLessThanOrEqualTo(4_096);
    }
}
