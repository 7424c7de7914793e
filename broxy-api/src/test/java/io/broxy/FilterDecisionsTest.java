package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies what request and response filters may decide. */
class FilterDecisionsTest {

    @Test
    void aPassKeepsWhatWasDecidedBefore() {
        Dialer dialer = request -> {
            throw new AssertionError();
        };
        RequestDecision.Pass pass =
                RequestDecision.pass().set("A", "1").by(dialer).add("B", "2").remove("C");

        assertThat(pass.dialer()).isSameAs(dialer);
        assertThat(pass.edits().added()).hasSize(2);
        assertThat(pass.edits().removed()).containsExactlyInAnyOrder("a", "c");
        assertThat(RequestDecision.pass().edits().isEmpty()).isTrue();
        assertThat(RequestDecision.pass().dialer()).isNull();
    }

    @Test
    void aResponseIsChangedLikewise() {
        ResponseDecision.Pass pass =
                ResponseDecision.pass().set("A", "1").add("B", "2").remove("C");

        assertThat(pass.edits().added()).hasSize(2);
        assertThat(ResponseDecision.pass().edits().isEmpty()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 200, 399, 407, 600})
    void aRefusalIsAnErrorAndNoChallenge(int status) {
        assertThatIllegalArgumentException().isThrownBy(() -> RequestDecision.refuse(status, "no"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\nb", "a\r", "\u00e4", "a\tb"})
    void theTextOfARefusalIsOneLine(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> RequestDecision.refuse(403, text));
        assertThatIllegalArgumentException().isThrownBy(() -> ResponseDecision.refuse(text));
    }
}
