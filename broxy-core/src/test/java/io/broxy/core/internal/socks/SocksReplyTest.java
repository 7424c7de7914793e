package io.broxy.core.internal.socks;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import io.broxy.RefusedException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Specifies the reply codes of refusals and of failed dials. */
class SocksReplyTest {
    private static final HostPort TARGET = HostPort.parse("example.org:443");

    private record Row(Enum<?> reason, int code, int code4) {}

    private static void assertCodes(SocksReply reply, int code, int code4) {
        assertThat(reply.code(SocksVersion.SOCKS5)).isEqualTo(code);
        assertThat(reply.code(SocksVersion.SOCKS4)).isEqualTo(code4);
    }

    static List<Row> refusals() {
        return List.of(
                new Row(RefusedException.Reason.BAD_REQUEST, 1, 0x5b),
                new Row(RefusedException.Reason.PROXY_PROTOCOL, 1, 0x5b),
                new Row(RefusedException.Reason.TLS, 1, 0x5b),
                new Row(RefusedException.Reason.BAD_TARGET, 1, 0x5b),
                new Row(RefusedException.Reason.HEAD_TOO_LARGE, 1, 0x5b),
                new Row(RefusedException.Reason.HEAD_TIMEOUT, 1, 0x5b),
                new Row(RefusedException.Reason.BODY_TIMEOUT, 1, 0x5b),
                new Row(RefusedException.Reason.BODY_TOO_LARGE, 1, 0x5b),
                new Row(RefusedException.Reason.LOOP, 2, 0x5b),
                new Row(RefusedException.Reason.NOT_IMPLEMENTED, 7, 0x5b),
                new Row(RefusedException.Reason.ACCESS_DENIED, 2, 0x5b),
                new Row(RefusedException.Reason.FILTERED, 2, 0x5b),
                new Row(RefusedException.Reason.AUTHENTICATION_REQUIRED, 2, 0x5d),
                new Row(RefusedException.Reason.TOO_MANY_FAILURES, 2, 0x5b),
                new Row(RefusedException.Reason.AUTHENTICATION_FAILED, 1, 0x5c),
                new Row(RefusedException.Reason.LIMIT, 1, 0x5b),
                new Row(RefusedException.Reason.DRAINING, 1, 0x5b));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void aRefusalHasItsCode(Row row) {
        assertCodes(SocksReply.of((RefusedException.Reason) row.reason()), row.code(), row.code4());
    }

    static List<Row> dials() {
        return List.of(
                new Row(DialException.Reason.RESOLVE, 4, 0x5b),
                new Row(DialException.Reason.REFUSED, 5, 0x5b),
                new Row(DialException.Reason.UNREACHABLE, 3, 0x5b),
                new Row(DialException.Reason.TIMEOUT, 6, 0x5b),
                new Row(DialException.Reason.DENIED, 2, 0x5b),
                new Row(DialException.Reason.PROXY_REFUSED, 1, 0x5b),
                new Row(DialException.Reason.PROXY_AUTH, 1, 0x5b),
                new Row(DialException.Reason.PROTOCOL, 1, 0x5b),
                new Row(DialException.Reason.POOL_EXHAUSTED, 1, 0x5b),
                new Row(DialException.Reason.CANCELLED, 1, 0x5b),
                new Row(DialException.Reason.LOCAL, 1, 0x5b));
    }

    @ParameterizedTest
    @MethodSource("dials")
    void aFailedDialHasItsCode(Row row) {
        DialException failure = DialException.builder((DialException.Reason) row.reason(), TARGET)
                .build();

        assertCodes(SocksReply.of(failure), row.code(), row.code4());
    }

    @Test
    void theTablesHaveEveryReason() {
        Set<Enum<?>> all = new HashSet<>(EnumSet.allOf(RefusedException.Reason.class));
        all.addAll(EnumSet.allOf(DialException.Reason.class));

        assertThat(Stream.of(refusals(), dials()).flatMap(List::stream).map(Row::reason))
                .containsExactlyInAnyOrderElementsOf(all);
    }

    @Test
    void aHostIsUnreachableIfOneOfItsAddressesIsAndElseItsNetwork() {
        assertThat(SocksReply.of(unreachable(new SocketException("Network is unreachable"))))
                .isEqualTo(SocksReply.NETWORK_UNREACHABLE);
        assertThat(SocksReply.of(unreachable(
                        new SocketException("Network is unreachable"), new NoRouteToHostException("No route to host"))))
                .isEqualTo(SocksReply.HOST_UNREACHABLE);
    }

    private static DialException unreachable(IOException... failures) {
        InetSocketAddress address = InetSocketAddress.createUnresolved("example.org", 443);
        List<DialException.Attempt> attempts = Stream.of(failures)
                .map(each -> new DialException.Attempt(address, each, Duration.ZERO))
                .toList();
        return new DialException(DialException.Reason.UNREACHABLE, TARGET, Duration.ZERO, attempts, null);
    }

    @ParameterizedTest
    @CsvSource({"SOCKS5, 3, 3", "SOCKS5, 4, 4", "SOCKS5, 6, 6", "HTTP, 502, 3"})
    void theCodeOfASocksProxyOnThePathTellsWhyATargetIsUnreachable(ProxyReply.Protocol protocol, int status, int code) {
        DialException failure = DialException.builder(DialException.Reason.UNREACHABLE, TARGET)
                .proxyReply(new ProxyReply(protocol, status, List.of(), ByteBuffer.allocate(0)))
                .build();

        assertThat(SocksReply.of(failure).code(SocksVersion.SOCKS5)).isEqualTo(code);
    }

    @Test
    void successHasItsCodes() {
        assertCodes(SocksReply.SUCCEEDED, 0, 0x5a);
    }

    @Test
    void anUnknownTypeOfAddressHasItsCode() {
        assertCodes(SocksReply.ADDRESS_TYPE_NOT_SUPPORTED, 8, 0x5b);
    }
}
