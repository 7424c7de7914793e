package io.broxy.core.internal.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.ExchangeResult;
import io.broxy.HostPort;
import io.broxy.OriginException;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.RequestId;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies the lines of the access log. */
class AccessLogTest {
    private static final HostPort TARGET = HostPort.of("example.org", 80);
    private static final RequestId ID = new RequestId(1, 1);

    private static String refusal(@Nullable String method, @Nullable HostPort target, @Nullable String identity) {
        ProxyListener.Request request = new ProxyListener.Request(
                ID, new ProxyListener.Client(1, null, Instant.EPOCH, null), Instant.EPOCH, method, target, identity);
        return AccessLog.refusal(
                request, "socks5", new RefusedException(RefusedException.Reason.LIMIT, 503, "full"), 7);
    }

    @Test
    void aLineHasEveryKeyInItsOrder() throws UnknownHostException {
        InetSocketAddress client = new InetSocketAddress(InetAddress.getByName("2001:db8::1"), 50312);
        InetSocketAddress peer = new InetSocketAddress(InetAddress.getByName("198.51.100.4"), 80);
        ProxyListener.Request request = new ProxyListener.Request(
                ID, new ProxyListener.Client(1, client, Instant.EPOCH, null), Instant.EPOCH, "GET", TARGET, "alice");
        ExchangeResult result = new ExchangeResult(
                504,
                517,
                0,
                Duration.ofMillis(1234),
                CloseReason.ORIGIN_RESET,
                new OriginException(OriginException.Reason.TIMEOUT, TARGET, null));

        assertThat(AccessLog.exchange(request, peer, result))
                .isEqualTo("kind=exchange client=[2001:db8:0:0:0:0:0:1]:50312 user=alice protocol=http method=GET"
                        + " target=example.org:80 status=504 peer=198.51.100.4:80 to_origin=517 to_client=0 ms=1234"
                        + " reason=ORIGIN_RESET error=ORIGIN_TIMEOUT");
    }

    @Test
    void whatIsNotKnownIsADash() {
        assertThat(refusal(null, null, null))
                .isEqualTo(
                        "kind=refused client=- user=- protocol=socks5 method=- target=- status=503 peer=- to_origin=0 to_client=0"
                                + " ms=7 reason=REFUSED error=LIMIT");
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\'',
            value = {
                "alice, alice",
                "alice@example.org, alice@example.org",
                "'', '\"\"'",
                "-, '\"-\"'",
                "'a b', '\"a b\"'",
                "'a\" reason=FINISHED', '\"a\\\" reason=FINISHED\"'",
                "'a\\', '\"a\\\\\"'",
                "a=b, '\"a=b\"'",
            })
    void aValueCannotBeTakenForAnotherKey(String identity, String written) {
        assertThat(refusal("GET", TARGET, identity)).contains(" user=" + written + " protocol=socks5 method=GET ");
    }

    @Test
    void noCharacterBeginsAnotherLineNorReachesATerminal() {
        StringBuilder all = new StringBuilder();
        for (int c = 0; c < 0x100; c++) {
            all.setLength(0);
            String line =
                    refusal("GET", TARGET, all.append('x').append((char) c).toString());
            assertThat(line.chars()).as("of %02x", c).allMatch(written -> written >= ' ' && written <= '~');
        }
        assertThat(refusal("GET", TARGET, "x\u2028\r\n\u001b"))
                .contains(" user=\"x\\u2028\\u000d\\u000a\\u001b\" protocol=socks5 method=GET ");
    }

    @Test
    void aLongValueIsCut() {
        assertThat(refusal("M".repeat(8_000), TARGET, "u".repeat(300)))
                .contains(" user=\"" + "u".repeat(128) + "\"... protocol=socks5 method=\"" + "M".repeat(128)
                        + "\"... target=");
    }

    @Test
    void theLongestNameIsNotCut() {
        String label = "a".repeat(63);
        String name = label + "." + label + "." + label + "." + "a".repeat(61);

        assertThat(refusal("GET", HostPort.of(name, 65_535), null)).contains(" target=" + name + ":65535 status=");
    }
}
