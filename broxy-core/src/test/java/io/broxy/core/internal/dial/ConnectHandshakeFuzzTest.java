package io.broxy.core.internal.dial;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import io.broxy.core.internal.http.HeadGrammar;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.testkit.Pieces;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Specifies that the first head that is not interim decides a CONNECT handshake, as the grammar has it. */
class ConnectHandshakeFuzzTest {
    private static final HostPort TARGET = HostPort.parse("example.org:443");
    private static final int MAX_INTERIM = 16;
    private static final int MAX_INTERIM_BYTES = 64 * 1024;

    @DictionaryEntries({
        "HTTP/1.1 200 OK\\x0d\\x0a\\x0d\\x0a", "HTTP/1.1 100 Continue\\x0d\\x0a\\x0d\\x0a", "HTTP/1.1 407 No\\x0d\\x0a",
                "HTTP/1.1 503 No\\x0d\\x0a", "101",
        "Content-Length: 3\\x0d\\x0a\\x0d\\x0a", "Transfer-Encoding: chunked\\x0d\\x0a\\x0d\\x0a",
                "3\\x0d\\x0aabc\\x0d\\x0a", "0\\x0d\\x0a\\x0d\\x0a", "\\x0d\\x0a\\x0d\\x0a",
        "Connection: close\\x0d\\x0a", "Proxy-Connection: close\\x0d\\x0a", "HTTP/1.0"
    })
    @FuzzTest
    void theHeadThatDecidesIsTheFirstThatIsNotInterim(byte[] bytes) {
        Pieces.Outcome outcome =
                Pieces.outcome(bytes, () -> new HandshakeFeeding(new ConnectHandshake(TARGET, List.of(), null)));
        Decision expected = decision(bytes);

        assertThat(outcome.complete()).isEqualTo(expected != null && expected.status() / 100 == 2);
        if (outcome.complete()) {
            assertThat(outcome.consumed()).isEqualTo(expected == null ? -1 : expected.end());
        }
        if (outcome.refusal() instanceof HandshakeException refusal) {
            checkRefusal(refusal, expected);
        } else if (expected != null && !outcome.complete()) {
            assertThat(outcome.result()).asString().contains("HTTP " + expected.status()); // and the body continues
        }
    }

    private static void checkRefusal(HandshakeException refusal, @Nullable Decision expected) {
        ProxyReply reply = refusal.reply();
        assertThat(reply == null ? null : reply.status()).isEqualTo(expected == null ? null : expected.status());
        if (reply != null) {
            assertThat(reply.body().remaining()).isLessThanOrEqualTo(ProxyReply.MAX_BODY);
        }
        assertThat(refusal.kept() != null && reply == null).isFalse();
    }

    /**
     * The head that is no interim answer.
     *
     * @param end where it ends
     */
    private record Decision(int status, int end) {}

    private static @Nullable Decision decision(byte[] bytes) {
        int at = 0;
        int interimBytes = 0;
        for (int interim = 0; interim <= MAX_INTERIM; interim++) {
            at += emptyLine(bytes, at);
            HeadGrammar.@Nullable Head head =
                    HeadGrammar.response(Arrays.copyOfRange(bytes, at, bytes.length), HeadLimits.RESPONSE);
            if (head == null || head.one().equals("101")) {
                return null;
            }
            at += head.end();
            if (!head.one().startsWith("1")) {
                return new Decision(Integer.parseInt(head.one()), at);
            }
            interimBytes += head.text().length();
            if (interimBytes > MAX_INTERIM_BYTES) {
                return null;
            }
        }
        return null;
    }

    /** The length of the one empty line that may come before a head. */
    private static int emptyLine(byte[] bytes, int at) {
        if (at < bytes.length && bytes[at] == '\n') {
            return 1;
        }
        return at + 1 < bytes.length && bytes[at] == '\r' && bytes[at + 1] == '\n' ? 2 : 0;
    }
}
