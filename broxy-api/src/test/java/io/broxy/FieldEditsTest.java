package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which changes of fields there are, and that none can frame a message or end a line. */
class FieldEditsTest {

    @Test
    void aFieldIsSetInPlaceOfAllOthersOfItsName() {
        FieldEdits edits = FieldEdits.none().add("x-a", "1").add("B", "2").set("X-A", "3");

        assertThat(edits.removed()).containsExactly("x-a");
        assertThat(edits.added())
                .containsExactly(new ConnectRequest.Field("B", "2"), new ConnectRequest.Field("X-A", "3"));
    }

    @Test
    void aRemovedFieldMayBeAddedAgain() {
        FieldEdits edits = FieldEdits.none().add("A", "1").remove("a").add("a", "2");

        assertThat(edits.removed()).containsExactly("a");
        assertThat(edits.added()).containsExactly(new ConnectRequest.Field("a", "2"));
    }

    @Test
    void changesAreNewObjects() {
        FieldEdits none = FieldEdits.none();

        assertThat(none.add("A", "1").isEmpty()).isFalse();
        assertThat(none.remove("A").isEmpty()).isFalse();
        assertThat(none.isEmpty()).isTrue();
    }

    @Test
    void valuesAreNotShown() {
        assertThat(FieldEdits.none().set("A", "secret").toString())
                .contains("A")
                .doesNotContain("secret");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host",
                "Content-Length",
                "transfer-encoding",
                "Trailer",
                "TE",
                "Connection",
                "Keep-Alive",
                "Upgrade",
                "HTTP2-Settings",
                "EXPECT",
                "Proxy-Connection",
                "Proxy-Authenticate",
                "Proxy-Authorization",
                "Proxy-Authentication-Info",
                "Proxy-Support",
                "",
                "a b",
                "a:",
                "a\r\nb",
                "a\n",
                "\u00e4"
            })
    void fieldsOfFramingAndOfOneHopAndWhatIsNoTokenStay(String name) {
        assertThatIllegalArgumentException().isThrownBy(() -> FieldEdits.none().set(name, "x"));
        assertThatIllegalArgumentException().isThrownBy(() -> FieldEdits.none().add(name, "x"));
        assertThatIllegalArgumentException().isThrownBy(() -> FieldEdits.none().remove(name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "secret\r\nHost: x",
                "secret\n",
                "secret\r",
                "secret\0",
                "secret\u007f",
                " secret",
                "secret\t",
                "secret\u0100",
                "secret\u010a"
            })
    void noValueEndsItsLine(String value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FieldEdits.none().set("X", value))
                .withMessageNotContaining("secret");
        assertThatIllegalArgumentException().isThrownBy(() -> FieldEdits.none().add("X", value));
    }

    @Test
    void addedFieldsAreLimitedTogether() {
        int each = FieldEdits.MAX_BYTES / 2 - "A: \r\n".length();
        FieldEdits most = FieldEdits.none().add("A", "x".repeat(each)).add("B", "x".repeat(each));

        assertThatIllegalArgumentException().isThrownBy(() -> most.add("C", ""));
        assertThat(most.remove("a").add("C", "").added()).hasSize(2);
        assertThat(most.set("a", "").added()).hasSize(2);
    }
}
