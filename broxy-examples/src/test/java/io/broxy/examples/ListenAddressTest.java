package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how the address to listen at is parsed. */
class ListenAddressTest {

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:3128, 127.0.0.1, 3128, 127.0.0.1:3128",
        "0.0.0.0:0, 0.0.0.0, 0, 0.0.0.0:0",
        "localhost:0, localhost, 0, localhost:0",
        "LOCALHOST:80, localhost, 80, localhost:80",
        "[::1]:0, ::1, 0, [::1]:0",
        "[0:0:0:0:0:0:0:1]:65535, ::1, 65535, [::1]:65535",
    })
    void aHostAndAPortAreRead(String text, String host, int port, String canonical) {
        ListenAddress address = ListenAddress.parse(text);

        assertThat(address).isEqualTo(new ListenAddress(host, port)).hasToString(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":0",
                "127.0.0.1",
                "127.0.0.1:",
                "127.0.0.1:00",
                "::1:0",
                "[::1]",
                "[::1:0",
                "a b:0",
                "127.1:0"
            })
    void everythingElseIsRefused(String text) {
        assertThatThrownBy(() -> ListenAddress.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aLiteralIsResolvedWithoutALookUp() {
        assertThat(ListenAddress.parse("[::1]:0").resolve().isUnresolved()).isFalse();
    }
}
