package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies which irregular responses are normalized and passed on, and which are refused with 502 because their end
 * or their meaning is in doubt. In the tables {@code ~} is CR LF and {@code ^} a LF alone.
 */
@ExtendWith(LeakCheck.class)
@SuppressWarnings("StringConcatToTextBlock") // whose lines would not end with CRLF
class ToleratedResponsesTest {

    private static String wire(String text) {
        return text.replace("~", "\r\n").replace("^", "\n").replace("\\t", "\t").replace("\\0", "\0");
    }

    /** Answers every request in the same way, but for one to /again. */
    private static Origin origin(String response, boolean inBytes) throws IOException {
        return Origin.start(peer -> {
            while (true) { // until the proxy's end, which is an IOException
                if (peer.readHead().contains("/again HTTP/1.1\r\n")) {
                    peer.send(Http.ok("again"));
                } else if (inBytes) {
                    for (int i = 0; i < response.length(); i++) {
                        peer.send(response.substring(i, i + 1));
                    }
                } else {
                    peer.send(response);
                }
            }
        });
    }

    private static Proxy proxy() throws IOException {
        return Proxy.start(settings -> settings.viaPseudonym(null));
    }

    private static void assertNextIsAnswered(Peer client, HostPort origin) throws IOException {
        client.send(Http.get(origin, "/again"));
        assertThat(Http.read(client).body()).isEqualTo("again");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // white space before the colon (RFC 9112 section 5.1)
                "HTTP/1.1 200 OK~X-XSS-Protection : 1~Content-Length: 2~~ok"
                        + " | HTTP/1.1 200 OK~X-XSS-Protection: 1~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~A\\t:b~Content-Length : 2~~ok | HTTP/1.1 200 OK~A: b~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~Transfer-Encoding : chunked~~2~ok~0~~"
                        + " | HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2~ok~0~~",
                // lengths (RFC 9110 section 8.6)
                "HTTP/1.1 200 OK~Content-Length: 0000002~~ok | HTTP/1.1 200 OK~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~Content-Length: 00~A: b~~ | HTTP/1.1 200 OK~Content-Length: 0~A: b~~",
                "HTTP/1.1 200 OK~Content-Length: 2~A: b~content-length: 2~~ok"
                        + " | HTTP/1.1 200 OK~Content-Length: 2~A: b~~ok",
                "HTTP/1.1 200 OK~Content-Length: 2, 2~~ok | HTTP/1.1 200 OK~Content-Length: 2~~ok",
                // chunks (RFC 9112 section 7.1)
                "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2 ;a=b~ok~0 ; c~~"
                        + " | HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2~ok~0~~",
                "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~0002   ~ok~0\\t~X : y~~"
                        + " | HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2~ok~0~X: y~~",
                "HTTP/1.1 200 OK~Transfer-Encoding: chunked,~~2~ok~0~~"
                        + " | HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2~ok~0~~",
                // the status line (section 4)
                "HTTP/1.1 404~Content-Length: 2~~ok | HTTP/1.1 404 ~Content-Length: 2~~ok",
                "HTTP/1.1  200 OK~Content-Length: 2~~ok | HTTP/1.1 200 OK~Content-Length: 2~~ok",
                "HTTP/1.1 200 gr\u00fcn~Content-Length: 2~~ok | HTTP/1.1 200 gr\u00fcn~Content-Length: 2~~ok",
                // line ends (section 2.2)
                "HTTP/1.1 200 OK^Content-Length: 2^^ok | HTTP/1.1 200 OK~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~A: b^Content-Length: 2~^ok | HTTP/1.1 200 OK~A: b~Content-Length: 2~~ok",
                "HTTP/1.1 200^A: b~Content-Length:2^~ok | HTTP/1.1 200 ~A: b~Content-Length: 2~~ok",
                // obs-fold (section 5.2)
                "HTTP/1.1 200 OK~A: b~ c~\\td~Content-Length: 2~~ok"
                        + " | HTTP/1.1 200 OK~A: b c d~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK^A:^ b^Content-Length: 2^^ok | HTTP/1.1 200 OK~A: b~Content-Length: 2~~ok",
                // an option that is none
                "HTTP/1.1 200 OK~Content-Length: 2~A:~B:\\t~~ok | HTTP/1.1 200 OK~Content-Length: 2~A:~B:\\t~~ok",
            })
    void whatCannotBeMisreadIsWrittenAnew(String sent, String received) throws IOException {
        String expected = wire(received);
        for (boolean inBytes : new boolean[] {false, true}) {
            try (Origin origin = origin(wire(sent), inBytes);
                    Proxy proxy = proxy();
                    Peer client = proxy.client()) {
                client.send(Http.get(origin.target(), "/"));

                // bytes that arrive apart may become chunks of their own: only a response in one piece keeps its chunks
                String answer = inBytes ? inOneChunk(Http.read(client)) : client.readText(expected.length());
                assertThat(answer).isEqualTo(expected);
                assertNextIsAnswered(client, origin.target());
                assertThat(origin.accepted()).as("connections").isEqualTo(1);
            }
        }
    }

    private static String inOneChunk(Http.Message message) {
        if (!message.head().contains("\r\nTransfer-Encoding: chunked\r\n")) {
            return message.head() + message.body();
        }
        String size = Integer.toHexString(message.body().length());
        return message.head() + size + "\r\n" + message.body() + "\r\n0\r\n" + message.trailers() + "\r\n";
    }

    /** RFC 9112 section 6.3: an attack or a mistake, after which the start of the next response is unknown. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HTTP/1.1 200 OK~Transfer-Encoding: chunked~Content-Length: 2~~2~ok~0~~"
                        + " | HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2~ok~0~~",
                "HTTP/1.1 200 OK~Content-Length: 99~A: b~Transfer-Encoding: chunked~~2~ok~0~~"
                        + " | HTTP/1.1 200 OK~A: b~Transfer-Encoding: chunked~~2~ok~0~~",
                "HTTP/1.1 200 OK~Content-Length: 2~Connection: keep alive~~ok | HTTP/1.1 200 OK~Content-Length: 2~~ok",
                "HTTP/1.1 204 x~Content-Length: 2~~ | HTTP/1.1 204 x~~",
                "HTTP/1.1 304 x~Content-Length: two~~ | HTTP/1.1 304 x~~",
                "HTTP/1.1 304 x~Content-Length: 2~Content-Length: 3~~ | HTTP/1.1 304 x~~",
            })
    void aConnectionThatSaysTwoThingsIsNotUsedAgain(String sent, String received) throws IOException {
        String expected = wire(received);
        try (Origin origin = origin(wire(sent), false);
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(client.readText(expected.length())).isEqualTo(expected);
            assertNextIsAnswered(client, origin.target());
            assertThat(origin.accepted()).as("connections").isEqualTo(2);
        }
    }

    @Test
    void anAnswerToHeadHasNoLengthButAPlainOne() throws IOException {
        try (Origin origin = origin("HTTP/1.1 200 OK\r\nContent-Length: 007, 7\r\n\r\n", false);
                Origin wrong = origin("HTTP/1.1 200 OK\r\nContent-Length: seven\r\n\r\n", false);
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.request("HEAD", origin.target(), "/"));
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
            client.send(Http.request("HEAD", wrong.target(), "/"));
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertNextIsAnswered(client, origin.target());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK~Content-Length: 2~Content-Length: 3~~ok",
                "HTTP/1.1 200 OK~Content-Length: 2, 3~~ok",
                "HTTP/1.1 200 OK~Content-Length: -2~~ok",
                "HTTP/1.1 200 OK~Content-Length: +2~~ok",
                "HTTP/1.1 200 OK~Content-Length: 2x~~ok",
                "HTTP/1.1 200 OK~Content-Length:~~ok",
                "HTTP/1.1 200 OK~Content-Length: 9223372036854775808~~ok",
                "HTTP/1.1 200 OK~Content-Length:~ 2~~ok",
                "HTTP/1.1 200 OK~Transfer-Encoding: chunked, gzip~~2~ok~0~~",
                "HTTP/1.1 200 OK~Transfer-Encoding: chunked, chunked~~2~ok~0~~",
                "HTTP/1.1 200 OK~Transfer-Encoding: chunked~Transfer-Encoding: chunked~~2~ok~0~~",
                "HTTP/1.1 200 OK~Transfer-Encoding: gzip, chunked~~2~ok~0~~",
                "HTTP/1.1 200 OK~Transfer-Encoding: gzip~~ok",
                "HTTP/1.1 200 OK~Transfer-Encoding: identity~~ok",
                "HTTP/1.1 200 OK~Transfer-Encoding: ,~~ok",
                "HTTP/1.1 200 OK~Transfer-Encoding:~ chunked~~2~ok~0~~",
                "HTTP/1.0 200 OK~Transfer-Encoding: chunked~~2~ok~0~~",
                "HTTP/1.1 200 OK~A b: c~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~A b : c~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~: c~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~A~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~ A: b~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~A: b\\0~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~A: b\u0001~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~A: b\rc~Content-Length: 2~~ok",
                "HTTP/1.1 200 OK~A: b\r\r^Content-Length: 2~~ok",
                "HTTP/1.1 200 O\u0001K~Content-Length: 2~~ok",
                "~HTTP/1.1 200 OK~Content-Length: 2~~ok",
                "HTTP/2.0 200 OK~Content-Length: 2~~ok",
                "HTTP/0.9 200 OK~Content-Length: 2~~ok",
                "http/1.1 200 OK~Content-Length: 2~~ok",
                "ICY 200 OK~Content-Length: 2~~ok",
                "HTTP/1.1 20 OK~Content-Length: 2~~ok",
                "HTTP/1.1 200OK~Content-Length: 2~~ok",
                "HTTP/1.1\\t200 OK~Content-Length: 2~~ok",
                "<html>an answer of HTTP/0.9</html>",
                "HTTP/1.1 200 OK~Content-Length: 2~Connection: Content-Length~~ok",
            })
    void whatCouldBeMisreadIsABadGateway(String sent) throws IOException {
        try (Origin origin = origin(wire(sent), false);
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            Http.Message answer = Http.read(client);
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=http_protocol_error\r\n");
            assertNextIsAnswered(client, origin.target());
            assertThat(origin.accepted()).as("connections").isEqualTo(2);
        }
    }

    /** The same parser reads behind an HTTP proxy, where the CONNECT tolerates more. */
    @Test
    void anUpstreamsAnswersAreReadTolerantlyToo() throws IOException {
        HostPort target = HostPort.parse("site.example:80");
        try (Origin upstream = Origin.start(peer -> {
                    while (true) {
                        if (peer.readHead().startsWith("CONNECT ")) {
                            peer.send("\nHTTP/1.0 200\nVia : x\n y\n" + "X: y\r\n".repeat(200) + "\nfirst bytes");
                            peer.readAll();
                        } else {
                            peer.send("HTTP/1.1 200\nA : b\n c\nContent-Length: 02\n\nok");
                        }
                    }
                });
                Proxy proxy = Proxy.start((broxy, settings) -> settings.viaPseudonym(null)
                        .dialer(broxy.httpProxyDialer(upstream.target()).build()));
                Peer client = proxy.client();
                Peer tunnel = proxy.client()) {
            client.send(Http.get(target, "/"));
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 \r\nA: b c\r\nContent-Length: 2\r\n\r\n");
            assertThat(client.readText(2)).isEqualTo("ok");

            tunnel.send("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n");
            assertThat(tunnel.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(tunnel.readText(11)).isEqualTo("first bytes");
        }
    }
}
