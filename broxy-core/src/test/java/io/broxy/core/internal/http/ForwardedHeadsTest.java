package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.ConnectRequest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Specifies, with random heads, that what is written is a head with all end-to-end fields and no others. */
@Tag("sweep")
class ForwardedHeadsTest {
    private static final int ROUNDS = 30_000;

    private static final String[] NAMES = {
        "A",
        "b",
        "X-One",
        "x-one",
        "X-Two",
        "Cookie",
        "Set-Cookie",
        "Accept",
        "Via",
        "Connection",
        "connection",
        "TE",
        "Keep-Alive",
        "Upgrade",
        "Proxy-Connection",
        "Proxy-Authorization",
        "Proxy-Authenticate",
        "HTTP2-Settings",
        "Proxy-Authentication-Info",
        "Content-Length",
        "Transfer-Encoding",
        "Trailer",
        "Max-Forwards",
        "Expect",
        "Host",
    };
    private static final String[] VALUES = {
        "",
        "x",
        " y ",
        "\tz",
        "X-One",
        "x-two, A",
        "close",
        "upgrade",
        "TE",
        "websocket",
        "h2c, websocket",
        "trailers",
        "0",
        "7",
        "chunked",
        "100-continue",
        "1.1 b (c, d)",
        "a\u00e4b",
        "A, close, upgrade",
        "keep-alive",
    };
    private static final String[] TARGETS = {
        "http://a/",
        "http://a",
        "http://A.b:81?x",
        "http://[::1]:8080/y?z",
        "http://a:/%",
        "/",
        "*",
        "https://a/",
        "http://u@a/",
    };
    private static final String[] METHODS = {"GET", "HEAD", "OPTIONS", "TRACE", "POST", "FOO"};

    /** As RFC 9110, section 7.6.1, has it, written down a second time. */
    private static final Set<String> FOR_ONE_HOP = Set.of(
            "connection",
            "keep-alive",
            "proxy-connection",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-authentication-info",
            "te",
            "transfer-encoding",
            "upgrade",
            "http2-settings");

    private final Random random = new Random(9110);

    @Test
    void aForwardedRequestIsARequestWithTheSameEndToEndFields() throws BadHeadException {
        int forwarded = 0;
        for (int i = 0; i < ROUNDS; i++) {
            RequestHead head = parse(HeadParser.request(HeadLimits.REQUEST), randomRequest());
            ForwardedRequest request = orNull(() -> ForwardedRequest.of(head));
            if (request == null
                    || request.target().form() != RequestTarget.Form.ABSOLUTE
                    || request.maxForwards() == 0) {
                continue;
            }
            check(request, random.nextBoolean());
            forwarded++;
        }
        assertThat(forwarded).isGreaterThan(ROUNDS / 20);
    }

    private static void check(ForwardedRequest request, boolean absoluteForm) throws BadHeadException {
        List<ConnectRequest.Field> further = List.of(new ConnectRequest.Field("Proxy-Authorization", "Basic x"));
        ByteBuffer out = ByteBuffer.allocate(request.maxBytes(further, "me"));
        request.write(out, absoluteForm, further, "me");
        RequestHead written = parse(HeadParser.request(HeadLimits.REQUEST), out.flip());

        assertThat(written.method()).isEqualTo(request.method());
        assertThat(RequestRules.check(written)).isEqualTo(request.body());
        assertThat(written.fields().isNamed(0, "Host")).isTrue();
        assertThat(written.fields().first("Proxy-Authorization")).isEqualTo("Basic x");
        assertThat(Via.names(written.fields(), "me")).isTrue();
        RequestTarget.Form form = RequestTarget.of(written).form();
        assertThat(form == RequestTarget.Form.ABSOLUTE).isEqualTo(absoluteForm);
        if (absoluteForm) {
            ForwardedRequest again = ForwardedRequest.of(written);
            assertThat(again.target().hostPort()).isEqualTo(request.target().hostPort());
            assertThat(again.upgrade()).isEqualTo(request.upgrade());
            assertThat(again.maxForwards()).isEqualTo(Math.max(request.maxForwards(), 0) - 1);
            assertThat(again.expectsContinue()).isEqualTo(request.expectsContinue());
        }
        Set<String> changed = Set.of("host", "via", "max-forwards", "expect");
        assertThat(endToEnd(written.fields(), changed))
                .isEqualTo(endToEnd(request.head().fields(), changed));
    }

    @Test
    void aForwardedResponseIsAResponseWithTheSameEndToEndFields() throws BadHeadException {
        String[] requests = {
            "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a/ HTTP/1.0\r\n\r\n",
            "HEAD http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        };
        int[] statuses = {100, 101, 103, 200, 204, 304, 404, 426, 500, 999};
        int forwarded = 0;
        for (int i = 0; i < ROUNDS; i++) {
            ForwardedRequest request = ForwardedRequest.of(Feeding.requestHead(pick(requests)));
            String line =
                    "HTTP/1." + random.nextInt(2) + " " + statuses[random.nextInt(statuses.length)] + " r\u00e4son ";
            ResponseHead head =
                    parse(HeadParser.response(HeadLimits.RESPONSE), ByteBuffer.wrap(bytes(line + randomFields())));
            ForwardedResponse response = orNull(() -> ForwardedResponse.of(head, request));
            if (response != null) {
                check(head, response, request);
                forwarded++;
            }
        }
        assertThat(forwarded).isGreaterThan(ROUNDS / 4);
    }

    private void check(ResponseHead head, ForwardedResponse response, ForwardedRequest request)
            throws BadHeadException {
        boolean keepAlive = response.delimited() && random.nextBoolean();
        ByteBuffer out = ByteBuffer.allocate(head.length() + "me".length() + 256);
        response.write(out, keepAlive, "me");
        ResponseHead written = parse(HeadParser.response(HeadLimits.RESPONSE), out.flip());

        assertThat(written.status()).isEqualTo(head.status());
        assertThat(written.reason()).isEqualTo(head.reason());
        assertThat(Via.names(written.fields(), "me")).isTrue();
        BodyFraming seen = BodyFraming.ofResponse(written, request.method());
        assertThat(seen).isEqualTo(response.dechunked() ? BodyFraming.UNTIL_CLOSE : response.body());
        ForwardedResponse again = ForwardedResponse.of(written, request);
        assertThat(again.isUpgrade()).isEqualTo(response.isUpgrade());
        if (!head.isInterim()) {
            assertThat(again.originPersists()).isEqualTo(keepAlive);
        }
        Set<String> changed = Set.of("via", "content-length", "trailer");
        assertThat(endToEnd(written.fields(), changed)).isEqualTo(endToEnd(head.fields(), changed));
    }

    /** The end-to-end lines of a head, found by Strings; without those that are checked apart. */
    private static List<String> endToEnd(Fields fields, Set<String> apart) {
        List<String> named = new ArrayList<>();
        for (String list : fields.values("Connection")) {
            for (String option : list.split(",", -1)) {
                named.add(option.strip().toLowerCase(Locale.ROOT));
            }
        }
        Predicate<String> removed = name -> FOR_ONE_HOP.contains(name) || named.contains(name) || apart.contains(name);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < fields.size(); i++) {
            if (!removed.test(fields.name(i).toLowerCase(Locale.ROOT))) {
                lines.add(java.nio.charset.StandardCharsets.ISO_8859_1
                        .decode(fields.line(i))
                        .toString());
            }
        }
        return lines;
    }

    private ByteBuffer randomRequest() {
        String line = pick(METHODS) + " " + pick(TARGETS) + " HTTP/1." + random.nextInt(2);
        String host = random.nextInt(10) == 0 ? "" : "\r\nHost: a";
        return ByteBuffer.wrap(bytes(line + host + randomFields()));
    }

    private String randomFields() {
        StringBuilder fields = new StringBuilder("\r\n");
        for (int left = random.nextInt(7); left > 0; left--) {
            fields.append(pick(NAMES)).append(": ").append(pick(VALUES)).append("\r\n");
        }
        return fields.append("\r\n").toString();
    }

    private String pick(String[] from) {
        return from[random.nextInt(from.length)];
    }

    private static <T> T parse(HeadParser<T> parser, ByteBuffer bytes) throws BadHeadException {
        T head = parser.feed(bytes);
        assertThat(head).isNotNull();
        assertThat(bytes.hasRemaining()).isFalse();
        return head;
    }

    private interface Attempt<T> {
        T make() throws BadHeadException;
    }

    /** Null if it is refused, as many random heads are. */
    private static <T> @Nullable T orNull(Attempt<T> attempt) {
        try {
            return attempt.make();
        } catch (BadHeadException e) {
            assertThat(e).hasMessageMatching("[\\x20-\\x7e]+");
            return null;
        }
    }
}
