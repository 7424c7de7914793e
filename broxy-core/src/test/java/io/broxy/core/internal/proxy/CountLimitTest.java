package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.proxy.CountLimit.Verdict;
import org.junit.jupiter.api.Test;

/** Specifies how many are admitted at once, and how many more get a response that says so. */
class CountLimitTest {

    @Test
    void asManyAsTheCapAreAdmitted() {
        CountLimit admission = new CountLimit(2);

        assertThat(admission.enter()).isEqualTo(Verdict.ADMITTED);
        assertThat(admission.enter()).isEqualTo(Verdict.ADMITTED);
        assertThat(admission.enter()).isEqualTo(Verdict.FULL);
    }

    @Test
    void aConnectionThatLeavesMakesRoom() {
        CountLimit admission = new CountLimit(1);

        admission.leave(admission.enter());

        assertThat(admission.enter()).isEqualTo(Verdict.ADMITTED);
    }

    @Test
    void refusedConnectionsTakeNoPlaceOfServedOnes() {
        CountLimit admission = new CountLimit(1);
        Verdict served = admission.enter();
        for (int i = 0; i < CountLimit.OVERFLOW; i++) {
            assertThat(admission.enter()).isEqualTo(Verdict.FULL);
        }

        admission.leave(served);

        assertThat(admission.enter()).isEqualTo(Verdict.ADMITTED);
    }

    @Test
    void beyondTheRoomForRefusalsConnectionsAreClosedSilently() {
        CountLimit admission = new CountLimit(1);
        for (int i = 0; i < 1 + CountLimit.OVERFLOW; i++) {
            admission.enter();
        }

        Verdict last = admission.enter();
        admission.leave(last);

        assertThat(last).isEqualTo(Verdict.OVERFULL);
        assertThat(admission.enter()).isEqualTo(Verdict.OVERFULL);
    }

    @Test
    void theCapMayBeTheLargestInteger() {
        assertThat(new CountLimit(Integer.MAX_VALUE).enter()).isEqualTo(Verdict.ADMITTED);
    }
}
