package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the defaults of a dial request, its copies, and the values that are refused. */
class DialRequestTest {
    private static final HostPort TARGET = HostPort.parse("example.org:443");

    @Test
    void aPlainRequestHasDefaults() {
        DialRequest request = DialRequest.to(TARGET);

        assertThat(request.target()).isEqualTo(TARGET);
        assertThat(request.timeout()).isNull();
        assertThat(request.addressPolicy()).isSameAs(AddressPolicy.any());
        assertThat(request.attributes()).isEmpty();
    }

    @Test
    void aRequestHoldsWhatItsBuilderWasGiven() {
        DialRequest request = DialRequest.builder(TARGET)
                .timeout(Duration.ofSeconds(3))
                .addressPolicy(AddressPolicy.publicOnly())
                .attribute("tenant", "blue")
                .attribute("tenant", "green")
                .attribute("trace", 7L)
                .build();

        assertThat(request.timeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(request.addressPolicy()).isSameAs(AddressPolicy.publicOnly());
        assertThat(request.attributes())
                .hasSize(2)
                .containsEntry("tenant", "green")
                .containsEntry("trace", 7L);
    }

    @Test
    void aCopyDiffersOnlyInWhatIsChanged() {
        DialRequest request = DialRequest.builder(TARGET)
                .timeout(Duration.ofSeconds(3))
                .addressPolicy(AddressPolicy.publicOnly())
                .attribute("tenant", "green")
                .build();
        HostPort other = HostPort.parse("example.com:80");

        DialRequest copy = request.toBuilder().target(other).build();

        assertThat(copy.target()).isEqualTo(other);
        assertThat(copy.timeout()).isEqualTo(request.timeout());
        assertThat(copy.addressPolicy()).isSameAs(request.addressPolicy());
        assertThat(copy.attributes()).isEqualTo(request.attributes());
        assertThat(request.target()).isEqualTo(TARGET);
    }

    @Test
    void aBuiltRequestDoesNotSeeItsBuilderAgain() {
        DialRequest.Builder builder = DialRequest.builder(TARGET).attribute("a", 1);
        DialRequest request = builder.build();

        builder.attribute("b", 2).timeout(Duration.ofSeconds(1));

        assertThat(request.attributes()).containsOnlyKeys("a");
        assertThat(request.timeout()).isNull();
        assertThatThrownBy(() -> request.attributes().put("c", 3)).isInstanceOf(UnsupportedOperationException.class);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void theTimeOutIsPositive(long nanos) {
        DialRequest.Builder builder = DialRequest.builder(TARGET);

        assertThatIllegalArgumentException().isThrownBy(() -> builder.timeout(Duration.ofNanos(nanos)));
    }

    @Test
    void theTextNamesTheTargetAndNoValueOfAnAttribute() {
        assertThat(DialRequest.to(TARGET)).hasToString("DialRequest[example.org:443]");
        assertThat(DialRequest.builder(TARGET)
                        .timeout(Duration.ofSeconds(3))
                        .attribute("token", "secret")
                        .build())
                .hasToString("DialRequest[example.org:443, timeout PT3S, attributes [token]]");
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsRefused() {
        DialRequest.Builder builder = DialRequest.builder(TARGET);

        assertThatNullPointerException().isThrownBy(() -> DialRequest.to(null));
        assertThatNullPointerException().isThrownBy(() -> builder.target(null));
        assertThatNullPointerException().isThrownBy(() -> builder.timeout(null));
        assertThatNullPointerException().isThrownBy(() -> builder.addressPolicy(null));
        assertThatNullPointerException().isThrownBy(() -> builder.attribute("a", null));
        assertThatNullPointerException().isThrownBy(() -> builder.attribute(null, "a"));
    }
}
