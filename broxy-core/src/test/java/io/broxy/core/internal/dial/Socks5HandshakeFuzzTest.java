package io.broxy.core.internal.dial;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.core.testkit.Pieces;
import org.jspecify.annotations.Nullable;

/**
 * Specifies that a SOCKS5 proxy's replies, with credentials and without, are read as a second reading of the RFCs has
 * them.
 */
class Socks5HandshakeFuzzTest {
    private static final HostPort TARGET = HostPort.parse("example.org:443");

    @FuzzTest
    void theAnswersOfASocksProxyAreReadAsTheRfcsHaveThem(byte[] bytes) {
        check(bytes, null);
        check(bytes, Credentials.basic("user", "password"));
    }

    private static void check(byte[] bytes, @Nullable Credentials credentials) {
        Pieces.Outcome outcome =
                Pieces.outcome(bytes, () -> new HandshakeFeeding(new Socks5Handshake(TARGET, credentials)));
        int end = end(bytes, credentials != null);

        assertThat(outcome.complete()).isEqualTo(end > 0);
        assertThat(outcome.refusal() != null).isEqualTo(end < 0);
        assertThat(outcome.consumed()).isEqualTo(end == 0 ? bytes.length : Math.abs(end));
        if (outcome.complete()) {
            boolean password = bytes[1] == 2;
            assertThat(outcome.result()).asString().hasLineCount(password ? 3 : 2);
        }
    }

    /** Where the tunnel begins; or the negative number of bytes that show a refusal; or 0 if more has to come. */
    private static int end(byte[] in, boolean credentials) {
        if (in.length < 2) {
            return 0;
        }
        if (in[0] != 5 || !(in[1] == 0 || (in[1] == 2 && credentials))) {
            return -2;
        }
        int at = 2;
        if (in[1] == 2) {
            at = 4;
            if (in.length < at) {
                return 0;
            }
            if (!(in[2] == 1 || in[2] == 5) || in[3] != 0) {
                return -at;
            }
        }
        if (in.length < at + 5) {
            return 0;
        }
        int type = in[at + 3];
        if (in[at] != 5 || in[at + 1] != 0 || !(type == 1 || type == 3 || type == 4)) {
            return -(at + 5);
        }
        int address = type == 1 ? 4 : type == 4 ? 16 : 1 + (in[at + 4] & 0xff);
        int end = at + 4 + address + 2;
        return in.length < end ? 0 : end;
    }
}
