package io.broxy.core.internal.dial;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.HostPort;
import io.broxy.core.testkit.Pieces;

/** Specifies that a SOCKS 4 proxy's replies are read as a second reading of the protocol has them. */
class Socks4HandshakeFuzzTest {
    private static final HostPort TARGET = HostPort.parse("example.org:443");
    private static final int REPLY = 8;

    @FuzzTest
    void theReplyOfASocks4ProxyIsReadAsTheProtocolHasIt(byte[] bytes) {
        Pieces.Outcome outcome = Pieces.outcome(bytes, () -> new HandshakeFeeding(new Socks4Handshake(TARGET, "me")));
        boolean whole = bytes.length >= REPLY;
        boolean granted = whole && (bytes[0] == 0 || bytes[0] == 4) && bytes[1] == 90;

        assertThat(outcome.complete()).isEqualTo(granted);
        assertThat(outcome.refusal() != null).isEqualTo(whole && !granted);
        assertThat(outcome.consumed()).isEqualTo(Math.min(bytes.length, REPLY));
    }
}
