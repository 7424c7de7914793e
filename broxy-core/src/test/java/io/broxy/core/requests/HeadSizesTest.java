package io.broxy.core.requests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.broxy.ConnectRequest;
import io.broxy.ProxyHandler;
import io.broxy.Tunnel;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies the limits of request and response heads: their defaults, their settings, their exact edges, and the
 * response past each.
 */
@ExtendWith(LeakCheck.class)
@SuppressWarnings("StringConcatToTextBlock") // whose lines would not end with CRLF
class HeadSizesTest {
    private static final int KIB = 1024;

    private static Proxy proxy(Consumer<ProxyHandler.Builder> settings) throws IOException {
        return Proxy.start(builder -> settings.accept(builder.viaPseudonym(null)));
    }

    private static int status(Proxy proxy, String request) throws IOException {
        try (Peer client = proxy.client()) {
            client.send(request);
            return Http.read(client).status();
        }
    }

    /** A request with a head of exactly so many bytes. */
    private static String sized(Origin origin, int bytes) {
        String head = Http.get(origin.target(), "/", "X: ");
        return head.replace("X: ", "X: " + "x".repeat(bytes - head.length()));
    }

    /** A request with a first line of exactly so many bytes. */
    private static String lined(Origin origin, int bytes) {
        String head = Http.get(origin.target(), "/");
        return head.replaceFirst("/ HTTP", "/" + "u".repeat(bytes - head.indexOf("\r\n")) + " HTTP");
    }

    private static String fields(Origin origin, int count) {
        String[] fields = new String[count - 1]; // beside Host
        java.util.Arrays.fill(fields, "X: y");
        return Http.get(origin.target(), "/", fields);
    }

    // ------------------------------------------------------------------ requests

    @ParameterizedTest
    @CsvSource({"16384, 8192", "1024, 512", "32768, 24576"})
    void aLongFirstLineIs414AndALongHead431(int headBytes, int lineBytes) throws IOException {
        try (Origin origin = Http.echo();
                Proxy proxy = proxy(settings -> settings.maxHeadBytes(headBytes))) {
            assertThat(status(proxy, sized(origin, headBytes))).isEqualTo(200);
            assertThat(status(proxy, sized(origin, headBytes + 1))).isEqualTo(431);
            assertThat(status(proxy, lined(origin, lineBytes))).isEqualTo(200);
            assertThat(status(proxy, lined(origin, lineBytes + 1))).isEqualTo(414);
        }
    }

    @Test
    void theDefaultsAre16KibAnd128Fields() throws IOException {
        try (Origin origin = Http.echo();
                Proxy proxy = proxy(settings -> {})) {
            assertThat(status(proxy, sized(origin, 16 * KIB))).isEqualTo(200);
            assertThat(status(proxy, sized(origin, 16 * KIB + 1))).isEqualTo(431);
            assertThat(status(proxy, lined(origin, 8 * KIB))).isEqualTo(200);
            assertThat(status(proxy, lined(origin, 8 * KIB + 1))).isEqualTo(414);
            assertThat(status(proxy, lined(origin, 40 * KIB))).isEqualTo(414);
            assertThat(status(proxy, "CONNECT " + "a".repeat(9_000) + ":443 HTTP/1.1\r\nHost: x\r\n\r\n"))
                    .isEqualTo(414);
            assertThat(status(proxy, "G".repeat(9_000))).isEqualTo(414);
            assertThat(status(proxy, fields(origin, 128))).isEqualTo(200);
            assertThat(status(proxy, fields(origin, 129))).isEqualTo(431);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 127, 500})
    void thereMayBeAsManyFieldsAsAskedFor(int count) throws IOException {
        try (Origin origin = Http.echo();
                Proxy proxy = proxy(settings -> settings.maxFields(count))) {
            assertThat(status(proxy, fields(origin, count))).isEqualTo(200);
            assertThat(status(proxy, fields(origin, count + 1))).isEqualTo(431);
        }
    }

    /** A head of nearly 1 MiB, followed by a body, reaches the origin whole. */
    @Test
    void aHeadOfTheLargestSizeIsForwardedWithItsBody() throws Exception {
        String body = "b".repeat(300_000);
        CompletableFuture<Integer> length = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    String request = peer.readText(length.get()); // a head of this size is not to be read byte by byte
                    peer.send(Http.ok(request.lastIndexOf("x\r\n") + " " + request.substring(request.length() - 10)));
                    peer.expectEnd();
                });
                Proxy proxy = proxy(settings -> settings.maxHeadBytes(1024 * KIB));
                Peer client = proxy.client()) {
            String request = Http.request(
                    "POST", origin.target(), "/", "X: " + "x".repeat(1_000_000), "Content-Length: " + body.length());
            int shorter = ("http://" + origin.target()).length();
            length.complete(request.length() - shorter + body.length());
            client.send(request + body);

            assertThat(Http.read(client).body())
                    .isEqualTo(request.lastIndexOf("x\r\n") - shorter + " " + "b".repeat(10));
        }
    }

    @Test
    void whatTheHostServerHasReadIsNotMeasured() throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("hello"));
                Proxy proxy = proxy(settings -> settings.maxHeadBytes(256).maxFields(1));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            ConnectRequest.Builder request = ConnectRequest.builder(origin.target());
            for (int i = 0; i < 50; i++) {
                request.field("X", "y".repeat(100));
            }
            Tunnel tunnel = proxy.handler().handleConnect(accepted.end(), request.build());
            assertThat(accepted.client().readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(accepted.client().readAll()).isEqualTo("hello");
            accepted.client().close();
            tunnel.join();
        }
    }

    // ------------------------------------------------------------------ responses

    private static Origin responding(Object... parts) throws IOException {
        return Origin.start(peer -> {
            while (true) {
                peer.readHead();
                for (Object part : parts) {
                    peer.send(part.toString());
                }
            }
        });
    }

    /** A response with a head of exactly so many bytes. */
    private static String response(int bytes) {
        String head = Http.ok("", "Set-Cookie: ");
        return head.replace("Cookie: ", "Cookie: " + "x".repeat(bytes - head.length()));
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 64 * KIB, 1024 * KIB})
    void aResponsesHeadMayHaveAsManyBytesAsAskedFor(int bytes) throws IOException {
        try (Origin fits = responding(response(bytes));
                Origin tooLong = responding(response(bytes + 1));
                Proxy proxy = proxy(settings -> settings.maxResponseHeadBytes(bytes));
                Peer client = proxy.client()) {
            client.send(Http.get(fits.target(), "/"));
            assertThat(client.readText(bytes)).isEqualTo(response(bytes));
            client.send(Http.get(tooLong.target(), "/"));
            assertThat(Http.read(client).status()).isEqualTo(502);
        }
    }

    @Test
    void theDefaultsOfResponsesAre64KibAnd256Fields() throws IOException {
        try (Origin fits = responding(response(64 * KIB));
                Origin tooLong = responding(response(64 * KIB + 1));
                Origin many = responding("HTTP/1.1 204 x\r\n" + "Set-Cookie: a=b\r\n".repeat(256) + "\r\n");
                Origin tooMany = responding("HTTP/1.1 204 x\r\n" + "Set-Cookie: a=b\r\n".repeat(257) + "\r\n");
                Origin reason = responding("HTTP/1.1 204 " + "r".repeat(50_000) + "\r\n\r\n");
                Proxy proxy = proxy(settings -> {})) {
            assertThat(status(proxy, Http.get(fits.target(), "/"))).isEqualTo(200);
            assertThat(status(proxy, Http.get(tooLong.target(), "/"))).isEqualTo(502);
            assertThat(status(proxy, Http.get(many.target(), "/"))).isEqualTo(204);
            assertThat(status(proxy, Http.get(tooMany.target(), "/"))).isEqualTo(502);
            assertThat(status(proxy, Http.get(reason.target(), "/"))).isEqualTo(204);
        }
    }

    @Test
    void aResponseMayHaveAsManyFieldsAsAskedFor() throws IOException {
        try (Origin three = responding("HTTP/1.1 204 x\r\nA: b\r\nA: b\r\nA: b\r\n\r\n");
                Origin four = responding("HTTP/1.1 204 x\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n");
                Proxy proxy = proxy(settings -> settings.maxResponseFields(3).maxFields(10))) {
            assertThat(status(proxy, Http.get(three.target(), "/"))).isEqualTo(204);
            assertThat(status(proxy, Http.get(four.target(), "/"))).isEqualTo(502);
        }
    }

    /** The longest head, with lines that grow when written, immediately followed by as much of a body as one read takes. */
    @Test
    void aLargeHeadAndTheBodyAfterItComeWhole() throws IOException {
        String fields = "a:\n".repeat(255) + "b: " + "x".repeat(63 * KIB) + "\n";
        String body = ("2000 \r\n" + "y".repeat(0x2000) + "\r\n").repeat(20) + "0\r\n\r\n";
        String hints = "HTTP/1.1 103\nLink:x\n\n".repeat(16);
        try (Origin origin = responding(hints + "HTTP/1.1 200\n"
                        + fields.replaceFirst("a:\n", "Transfer-Encoding: chunked\n") + "\n" + body);
                Proxy proxy = proxy(settings -> {});
                Peer client = proxy.client()) {
            for (int i = 0; i < 2; i++) {
                client.send(Http.get(origin.target(), "/"));
                for (int hint = 0; hint < 16; hint++) {
                    assertThat(client.readHead()).isEqualTo("HTTP/1.1 103 \r\nLink: x\r\n\r\n");
                }
                Http.Message answer = Http.read(client);
                assertThat(answer.head())
                        .isEqualTo("HTTP/1.1 200 \r\n" + "a: \r\n".repeat(254) + "b: " + "x".repeat(63 * KIB)
                                + "\r\nTransfer-Encoding: chunked\r\n\r\n");
                assertThat(answer.body()).isEqualTo("y".repeat(20 * 0x2000));
            }
        }
    }

    // ------------------------------------------------------------------ the settings

    @Test
    void sizesHaveARange() throws IOException {
        try (Broxy broxy = Broxy.create()) {
            ProxyHandler.Builder builder = broxy.proxyHandler();
            for (int wrong : new int[] {Integer.MIN_VALUE, -1, 0, 255, 1024 * KIB + 1, Integer.MAX_VALUE}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> builder.maxHeadBytes(wrong))
                        .withMessage(
                                "the cap on the size of a request's head must be from 256 to 1048576, not " + wrong);
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> builder.maxResponseHeadBytes(wrong))
                        .withMessageContaining("a response's head must be from 256 to 1048576, not " + wrong);
            }
            for (int wrong : new int[] {-1, 0, 10_001}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> builder.maxFields(wrong))
                        .withMessage(
                                "the cap on the number of a request's fields must be from 1 to 10000, not " + wrong);
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> builder.maxResponseFields(wrong))
                        .withMessageContaining("a response's fields must be from 1 to 10000, not " + wrong);
            }
            builder.maxHeadBytes(256)
                    .maxHeadBytes(1024 * KIB)
                    .maxResponseHeadBytes(256)
                    .maxResponseHeadBytes(1024 * KIB)
                    .maxFields(1)
                    .maxFields(10_000)
                    .maxResponseFields(1)
                    .maxResponseFields(10_000)
                    .build()
                    .close();
        }
    }
}
