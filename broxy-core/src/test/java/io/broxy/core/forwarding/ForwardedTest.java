package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Cidr;
import io.broxy.ForwardedMode;
import io.broxy.RequestDecision;
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

/** Specifies how forwarded requests name their clients: {@code Forwarded} (RFC 7239) and {@code X-Forwarded-For}. */
@ExtendWith(LeakCheck.class)
class ForwardedTest {

    private static Origin headEcho() throws IOException {
        return Origin.start(peer -> {
            while (true) {
                peer.send(Http.ok(Http.read(peer).head()));
            }
        });
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            PASS    | for=192.0.2.1                | 192.0.2.1            | Forwarded: for=192.0.2.1; X-Forwarded-For: 192.0.2.1
            ADD     | for=192.0.2.1                | 192.0.2.1, 192.0.2.2 | Forwarded: for=192.0.2.1, for=127.0.0.1; X-Forwarded-For: 192.0.2.1, 192.0.2.2, 127.0.0.1
            REPLACE | for=192.0.2.1                | 192.0.2.1            | Forwarded: for=127.0.0.1; X-Forwarded-For: 127.0.0.1
            REMOVE  | for=192.0.2.1                | 192.0.2.1            | none
            """)
    void whatTheRequestHasIsPassedAddedToReplacedOrRemoved(
            ForwardedMode mode, String forwarded, String xForwardedFor, String expected) throws Exception {
        assertThat(namedBy(mode, "Forwarded: " + forwarded, "X-Forwarded-For: " + xForwardedFor))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            PASS    | none
            ADD     | Forwarded: for=127.0.0.1; X-Forwarded-For: 127.0.0.1
            REPLACE | Forwarded: for=127.0.0.1; X-Forwarded-For: 127.0.0.1
            REMOVE  | none
            """)
    void aRequestWithoutTheFieldsGetsBothOrNone(ForwardedMode mode, String expected) throws Exception {
        assertThat(namedBy(mode)).isEqualTo(expected);
    }

    @Test
    void severalLinesBecomeOne() throws Exception {
        assertThat(namedBy(
                        ForwardedMode.ADD,
                        "X-Forwarded-For: 192.0.2.1",
                        "X-FORWARDED-FOR:",
                        "x-forwarded-for: 192.0.2.2",
                        "Forwarded: for=\"[2001:db8::1]\";proto=http"))
                .isEqualTo("Forwarded: for=\"[2001:db8::1]\";proto=http, for=127.0.0.1; "
                        + "X-Forwarded-For: 192.0.2.1, 192.0.2.2, 127.0.0.1");
    }

    @Test
    void aFieldThatConnectionNamesIsForThisHop() throws Exception {
        assertThat(namedBy(ForwardedMode.ADD, "Connection: X-Forwarded-For", "X-Forwarded-For: 192.0.2.1"))
                .isEqualTo("Forwarded: for=127.0.0.1; X-Forwarded-For: 127.0.0.1");
    }

    private static String namedBy(ForwardedMode mode, String... fields) throws IOException {
        try (Origin origin = headEcho();
                Proxy proxy = Proxy.start(settings -> settings.forwarded(mode).xForwardedFor(mode));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/", fields));
            return named(Http.read(client).body());
        }
    }

    /** The lines that name clients, sorted by name. */
    private static String named(String head) {
        String lines = String.join(
                "; ",
                head.lines()
                        .filter(line -> line.toLowerCase(java.util.Locale.ROOT).contains("forwarded"))
                        .sorted()
                        .toList());
        return lines.isEmpty() ? "none" : lines;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            PROXY TCP4 192.0.2.7 192.0.2.1 1 2     | Forwarded: for=192.0.2.7; X-Forwarded-For: 192.0.2.7
            PROXY TCP6 2001:db8:0::17 2001:db8::1 1 2 | Forwarded: for="[2001:db8::17]"; X-Forwarded-For: 2001:db8::17
            PROXY UNKNOWN                          | Forwarded: for=127.0.0.1; X-Forwarded-For: 127.0.0.1
            """)
    void aProxyHeaderNamesTheClient(String header, String expected) throws Exception {
        try (Origin origin = headEcho();
                Proxy proxy = Proxy.start(settings -> settings.forwarded(ForwardedMode.ADD)
                        .xForwardedFor(ForwardedMode.REPLACE)
                        .proxyProtocol(Cidr.parse("127.0.0.0/8")));
                Peer client = proxy.client()) {
            client.send(header + "\r\n" + Http.get(origin.target(), "/"));

            assertThat(named(Http.read(client).body())).isEqualTo(expected);
        }
    }

    @Test
    void theRequestFilterHasTheLastWord() throws Exception {
        try (Origin origin = headEcho();
                Proxy proxy = Proxy.start(settings -> settings.forwarded(ForwardedMode.ADD)
                        .xForwardedFor(ForwardedMode.ADD)
                        .requestFilter(request -> RequestDecision.pass()
                                .set("Forwarded", "for=_hidden")
                                .remove("x-forwarded-for")));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/", "X-Forwarded-For: 192.0.2.1"));

            assertThat(named(Http.read(client).body())).isEqualTo("Forwarded: for=_hidden");
        }
    }
}
