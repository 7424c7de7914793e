package io.broxy.core.tunnel;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.HostPort;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Client.Form;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Specifies the start of a tunnel, from the head of its CONNECT request to its first bytes, for every kind of client.
 */
@ExtendWith(LeakCheck.class)
class ConnectHeadTest {
    private static final String ESTABLISHED = "HTTP/1.1 200 OK\r\n\r\n";

    @ParameterizedTest
    @EnumSource
    void theAnswerHasNoFieldsAndNoBody(Form form) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Client client = form.ask(proxy.handler(), origin.target())) {
            assertThat(client.peer().readText(ESTABLISHED.length())).isEqualTo(ESTABLISHED);
            assertThat(client.peer().send("x").readText(1)).isEqualTo("x");
        }
    }

    @ParameterizedTest
    @EnumSource
    void bytesInOneSegmentWithTheHeadReachTheOrigin(Form form) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Client client = form.come(proxy.handler())) {
            client.peer().send(Proxy.connectHead(origin.target()) + "early");

            assertThat(client.peer().readText(ESTABLISHED.length() + 5)).isEqualTo(ESTABLISHED + "early");
            assertThat(client.peer().send(" and late").readText(9)).isEqualTo(" and late");
            client.close();

            assertThat(client.tunnel().join().bytesToOrigin()).isEqualTo(14);
            assertThat(client.tunnel().join().bytesToClient()).isEqualTo(14);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aHeadMayComeByteByByte(Form form) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Client client = form.come(proxy.handler())) {
            for (byte b : (Proxy.connectHead(origin.target()) + "tail").getBytes(ISO_8859_1)) {
                client.peer().send(new byte[] {b});
            }
            assertThat(client.peer().readText(ESTABLISHED.length() + 4)).isEqualTo(ESTABLISHED + "tail");
        }
    }

    @ParameterizedTest
    @EnumSource
    void anOriginMaySpeakFirst(Form form) throws Exception {
        try (Origin origin = Origin.greeting("220 welcome");
                Proxy proxy = Proxy.start();
                Client client = form.ask(proxy.handler(), origin.target())) {
            assertThat(client.peer().readText(ESTABLISHED.length() + 11)).isEqualTo(ESTABLISHED + "220 welcome");
        }
    }

    @ParameterizedTest
    @EnumSource
    void anOriginMaySpeakAndEndAtOnce(Form form) throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("that is all").shutdownOutput());
                Proxy proxy = Proxy.start();
                Client client = form.ask(proxy.handler(), origin.target())) {
            assertThat(client.peer().readAll()).isEqualTo(ESTABLISHED + "that is all");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aParsedRequestBringsItsEarlyBytesAndIdentity(Form form) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Client client = form.serve(
                        proxy.handler(),
                        ConnectRequest.builder(origin.target())
                                .field("Host", "elsewhere")
                                .earlyBytes(ByteBuffer.wrap("early".getBytes(ISO_8859_1)))
                                .authenticated("alice")
                                .build())) {
            assertThat(client.peer().readText(ESTABLISHED.length() + 5)).isEqualTo(ESTABLISHED + "early");
            client.peer().shutdownOutput().expectEnd();

            TunnelResult result = client.tunnel().join();
            Ends.assertEnded(result, CloseReason.FINISHED);
            assertThat(result.identity()).isEqualTo("alice");
            assertThat(result.target()).isEqualTo(origin.target());
            assertThat(result.bytesToOrigin()).isEqualTo(5);
            assertThat(result.bytesToClient()).isEqualTo(5);
            assertThat(client.tunnel().bytesToOrigin()).isEqualTo(5);
            assertThat(client.tunnel().bytesToClient()).isEqualTo(5);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aParsedRequestMayBringMoreThanABufferHolds(Form form) throws Exception {
        byte[] early = Payload.bytes(3 << 20, 1);
        CountDownLatch answered = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    answered.await(); // a slow reader, at first
                    peer.send(peer.read(early.length));
                });
                Proxy proxy = Proxy.start();
                Client client = form.serve(
                        proxy.handler(),
                        ConnectRequest.builder(origin.target())
                                .earlyBytes(ByteBuffer.wrap(early))
                                .build())) {
            client.peer().readHead();
            answered.countDown();

            assertThat(client.peer().read(early.length)).isEqualTo(early);
        }
    }

    @Test
    void aHeadMayComeWithAllThatFitsAfterIt() throws Exception {
        byte[] early = Payload.bytes(100_000, 2);
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            byte[] head = Proxy.connectHead(origin.target()).getBytes(ISO_8859_1);
            client.send(ByteBuffer.allocate(head.length + early.length)
                    .put(head)
                    .put(early)
                    .array());

            client.readHead();
            assertThat(client.read(early.length)).isEqualTo(early);
        }
    }

    @Test
    void http10NeedsNoHost() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send("CONNECT " + origin.target() + " HTTP/1.0\r\n\r\n");

            assertThat(client.readHead()).isEqualTo(ESTABLISHED);
        }
    }

    @Test
    void theRequestTargetDecidesAndNotTheHost() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send("CONNECT " + origin.target() + " HTTP/1.1\r\nHost: elsewhere.example:1\r\n\r\n");

            assertThat(client.readHead()).isEqualTo(ESTABLISHED);
        }
    }

    @Test
    void aNameIsLookedUp() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.connect(HostPort.of("localhost", origin.port()))) {
            assertThat(client.send("x").readText(1)).isEqualTo("x");
        }
    }

    @Test
    void contentLengthOfZeroIsNoBody() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send("CONNECT " + origin.target() + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nx");

            assertThat(client.readText(ESTABLISHED.length() + 1)).isEqualTo(ESTABLISHED + "x");
        }
    }
}
