package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies that a response that its origin cuts short never looks complete to the client (RFC 9112, section 8). */
@ExtendWith(LeakCheck.class)
class CutResponsesTest {

    private enum Framing {
        LENGTH("1.1", "Content-Length: 100\r\n\r\nonly a part", "Content-Length: 100\r\n"),
        CHUNKED("1.1", "Transfer-Encoding: chunked\r\n\r\nb\r\nonly a part\r\n", "Transfer-Encoding: chunked\r\n"),
        WITHIN_A_CHUNK("1.1", "Transfer-Encoding: chunked\r\n\r\n64\r\nonly a part", "Transfer-Encoding: chunked\r\n"),
        UNTIL_CLOSE("1.1", "\r\nonly a part", "Connection: close\r\n"),
        WITHOUT_CHUNKS("1.0", "Transfer-Encoding: chunked\r\n\r\nb\r\nonly a part\r\n", "Connection: close\r\n");

        final String version;
        final String sent;
        final String fields;

        Framing(String version, String sent, String fields) {
            this.version = version;
            this.sent = sent;
            this.fields = fields;
        }

        String body() {
            return this == CHUNKED || this == WITHIN_A_CHUNK ? "b\r\nonly a part\r\n" : "only a part";
        }
    }

    @ParameterizedTest
    @CsvSource({
        "LENGTH, false, END",
        "LENGTH, true, END",
        "CHUNKED, false, END",
        "CHUNKED, true, END",
        "WITHIN_A_CHUNK, false, END",
        "WITHIN_A_CHUNK, true, END",
        "UNTIL_CLOSE, true, RESET",
        "WITHOUT_CHUNKS, false, RESET",
        "WITHOUT_CHUNKS, true, RESET",
    })
    void theClientSeesTheCut(Framing framing, boolean reset, String seen) throws Exception {
        CountDownLatch partRead = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n" + framing.sent);
                    assertThat(partRead.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                            .isTrue();
                    if (reset) {
                        peer.reset();
                    }
                });
                Proxy proxy = Proxy.start(settings -> settings.viaPseudonym(null));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            Peer client = accepted.client();
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            client.send("GET http://" + origin.target() + "/ HTTP/" + framing.version + "\r\nHost: x\r\n\r\n");

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n" + framing.fields + "\r\n");
            assertThat(client.readText(framing.body().length())).isEqualTo(framing.body());
            partRead.countDown();
            if (seen.equals("END")) {
                client.expectEnd();
                client.close();
            } else {
                client.expectReset();
            }
            ConnectionResult end = result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(end.reason()).isEqualTo(CloseReason.ORIGIN_RESET);
            assertThat(end.cause()).isNotNull();
            assertThat(end.exchanges()).isEqualTo(1);
        }
    }
}
