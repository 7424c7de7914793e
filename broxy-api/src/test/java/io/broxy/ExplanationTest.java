package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.broxy.Explanation.Part;
import io.broxy.Explanation.Step;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies an explanation: its steps, and which of them decides. */
class ExplanationTest {
    private final Explanation access = Explanation.admitted(Part.ACCESS_POLICY, "port 443 is one of 443");

    @Test
    void theLastStepDecides() {
        Explanation refused = access.then(Explanation.refused(Part.ADDRESS_POLICY, "10.1.2.3 is private"));
        assertThat(access.isAdmitted()).isTrue();
        assertThat(access.decidedBy()).isEqualTo(Part.ACCESS_POLICY);
        assertThat(refused.isAdmitted()).isFalse();
        assertThat(refused.decidedBy()).isEqualTo(Part.ADDRESS_POLICY);
        assertThat(refused).hasToString("port 443 is one of 443\nrefused: 10.1.2.3 is private");
    }

    @Test
    void nothingComesAfterARefusal() {
        Explanation refused = Explanation.refused(Part.ROUTE, "no");
        assertThatIllegalArgumentException().isThrownBy(() -> refused.then(access));
        assertThatIllegalArgumentException().isThrownBy(() -> new Explanation(List.of()));
    }

    @Test
    void theStepsCannotBeChanged() {
        List<Step> steps = new ArrayList<>(access.steps());
        Explanation copy = new Explanation(steps);
        steps.clear();
        assertThat(copy).isEqualTo(access);
    }

    @Test
    void aDialerOfTheApplicationIsNamedByItsClass() {
        Dialer own = request -> {
            throw new AssertionError("nothing is dialed");
        };
        Explanation explanation = own.explain(DialRequest.to(HostPort.of("example.org", 443)));
        assertThat(explanation.isAdmitted()).isTrue();
        assertThat(explanation.toString()).contains("ExplanationTest");
    }
}
