package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.proxy.Admission.Verdict;
import org.junit.jupiter.api.Test;

class AdmissionTest {

    @Test
    void asManyAsTheCapAreAdmitted() {
        Admission admission = new Admission(2);

        assertThat(admission.enter()).isEqualTo(Verdict.ADMITTED);
        assertThat(admission.enter()).isEqualTo(Verdict.ADMITTED);
        assertThat(admission.enter()).isEqualTo(Verdict.FULL);
    }

    @Test
    void whoeverLeavesMakesRoom() {
        Admission admission = new Admission(1);

        admission.leave(admission.enter());

        assertThat(admission.enter()).isEqualTo(Verdict.ADMITTED);
    }

    @Test
    void thoseThatAreOnlyToldKeepNoPlaceOfThoseThatAreServed() {
        Admission admission = new Admission(1);
        Verdict served = admission.enter();
        for (int i = 0; i < Admission.OVERFLOW; i++) {
            assertThat(admission.enter()).isEqualTo(Verdict.FULL);
        }

        admission.leave(served);

        assertThat(admission.enter()).isEqualTo(Verdict.ADMITTED);
    }

    @Test
    void beyondTheRoomForTellingNobodyIsTold() {
        Admission admission = new Admission(1);
        for (int i = 0; i < 1 + Admission.OVERFLOW; i++) {
            admission.enter();
        }

        Verdict last = admission.enter();
        admission.leave(last);

        assertThat(last).isEqualTo(Verdict.OVERFULL);
        assertThat(admission.enter()).isEqualTo(Verdict.OVERFULL);
    }

    @Test
    void theCapMayBeTheLargestInteger() {
        assertThat(new Admission(Integer.MAX_VALUE).enter()).isEqualTo(Verdict.ADMITTED);
    }
}
