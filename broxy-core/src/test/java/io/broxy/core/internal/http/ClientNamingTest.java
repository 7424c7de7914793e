package io.broxy.core.internal.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.ForwardedMode;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Specifies how clients' addresses are written in {@code Forwarded} and {@code X-Forwarded-For}. */
class ClientNamingTest {

    private static String named(@Nullable String client) throws BadHeadException {
        RequestHead head = HeadParser.request(HeadLimits.REQUEST)
                .feed(ByteBuffer.wrap("GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(ISO_8859_1)));
        ForwardedRequest request = new ClientNaming(ForwardedMode.ADD, ForwardedMode.ADD)
                .apply(ForwardedRequest.of(Objects.requireNonNull(head)), client);
        ByteBuffer out = ByteBuffer.allocate(request.maxBytes(List.of(), null));
        request.write(out, false, List.of(), null);
        String written = new String(out.array(), 0, out.position(), ISO_8859_1);
        return written.substring(written.indexOf("Forwarded"));
    }

    @Test
    void anIpv4AddressIsAToken() throws Exception {
        assertThat(named("192.0.2.43")).isEqualTo("Forwarded: for=192.0.2.43\r\nX-Forwarded-For: 192.0.2.43\r\n\r\n");
    }

    @Test
    void anIpv6AddressIsBracketedQuotedAndWithoutItsScope() throws Exception {
        assertThat(named("fe80:0:0:0:0:0:0:1%eth0"))
                .isEqualTo("Forwarded: for=\"[fe80::1]\"\r\nX-Forwarded-For: fe80::1\r\n\r\n");
    }

    @Test
    void aClientWithoutAnAddressIsUnknown() throws Exception {
        assertThat(named(null)).isEqualTo("Forwarded: for=unknown\r\nX-Forwarded-For: unknown\r\n\r\n");
    }
}
