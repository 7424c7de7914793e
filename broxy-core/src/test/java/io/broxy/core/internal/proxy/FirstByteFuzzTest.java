package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.ProxyHandler;
import io.broxy.core.testkit.Accepted;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/**
 * Specifies that the first byte of a client chooses the protocol of its answer, whatever follows, and that a SOCKS client gets the
 * same answer however its bytes arrive. Every request is refused, so that nothing is dialed.
 */
class FirstByteFuzzTest {
    private static ProxyRig rig;
    private static ProxyHandler handler;

    @BeforeAll
    static void start() throws IOException {
        rig = new ProxyRig();
        handler = rig.handler(settings -> settings.socks(true).accessPolicy(request -> false));
    }

    @AfterAll
    static void stop() throws InterruptedException {
        rig.close();
    }

    @DictionaryEntries({
        "\\x05\\x01\\x00",
        "\\x05\\x02\\x00\\x02",
        "\\x05\\x01\\x00\\x01\\x7f\\x00\\x00\\x01\\x00\\x50",
        "\\x05\\x01\\x00\\x03\\x09localhost\\x01\\xbb",
        "\\x04\\x01\\x00\\x50\\x7f\\x00\\x00\\x01\\x00",
        "\\x04\\x01\\x00\\x50\\x00\\x00\\x00\\x01\\x00localhost\\x00",
        "CONNECT a:1 HTTP/1.1\\x0d\\x0aHost: a:1\\x0d\\x0a\\x0d\\x0a"
    })
    @FuzzTest
    void theFirstByteChoosesTheProtocolOfTheAnswer(byte[] bytes) throws Exception {
        if (bytes.length == 0) {
            return;
        }
        byte[] answer = answer(bytes, bytes.length);

        assertThat(answer).as("each client is answered").isNotEmpty();
        switch (bytes[0]) {
            case 5 -> {
                assertThat(answer[0]).as("the version of SOCKS5").isEqualTo((byte) 5);
                assertThat(answer(bytes, 1)).isEqualTo(answer);
            }
            case 4 -> {
                assertThat(answer).as("the form of SOCKS4").startsWith(0).hasSize(8);
                assertThat(answer(bytes, 1)).isEqualTo(answer);
            }
            default -> assertThat(new String(answer, ISO_8859_1)).startsWith("HTTP/1.1 4");
        }
    }

    /** What a client is answered that sends so many bytes at a time, and then waits. */
    private static byte[] answer(byte[] bytes, int piece) throws Exception {
        try (Accepted<SocketChannel> accepted = Accepted.channel()) {
            handler.handle(accepted.end());
            for (int at = 0; at < bytes.length; at += piece) {
                accepted.client().send(Arrays.copyOfRange(bytes, at, Math.min(at + piece, bytes.length)));
                rig.turns(2);
            }
            rig.pass(Duration.ofMinutes(1)); // what is not complete by then is late
            return accepted.client().socket().getInputStream().readAllBytes();
        }
    }
}
