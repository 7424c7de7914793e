package io.broxy.core.internal.dial;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.broxy.ConnectRequest;
import io.broxy.DialException.Reason;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the bytes of a CONNECT handshake with an HTTP proxy, and how its response is read. */
class ConnectHandshakeTest {
    private static final HostPort TARGET = HostPort.parse("example.org:443");

    private static ConnectHandshake handshake() {
        return new ConnectHandshake(TARGET, List.of(), null);
    }

    private static HandshakeScript.Outcome answer(String text) {
        return HandshakeScript.allWays(ConnectHandshakeTest::handshake, text.getBytes(ISO_8859_1));
    }

    private static HandshakeException refusal(String text) {
        return Objects.requireNonNull(answer(text).failure(), "the proxy was taken to agree");
    }

    @Test
    void theRequestHasTheTargetAsAuthorityAndHost() {
        assertThat(HandshakeScript.text(handshake().output()))
                .isEqualTo("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n");
        assertThat(HandshakeScript.text(
                        new ConnectHandshake(HostPort.parse("[2001:db8::1]:80"), List.of(), null).output()))
                .isEqualTo("CONNECT [2001:db8::1]:80 HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n");
    }

    @Test
    void credentialsAndFurtherFieldsGoWithTheRequest() {
        ConnectHandshake handshake =
                new ConnectHandshake(TARGET, List.of(new ConnectRequest.Field("X-Tenant", "a")), "Basic dXNlcjpwYXNz");

        assertThat(HandshakeScript.text(handshake.output()).split("\r\n", -1))
                .containsExactly(
                        "CONNECT example.org:443 HTTP/1.1",
                        "Host: example.org:443",
                        "Proxy-Authorization: Basic dXNlcjpwYXNz",
                        "X-Tenant: a",
                        "",
                        "");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "secret\r\nX: y",
                "secret\nX: y",
                "secret\0",
                "secret\u0001",
                "secret\u007f",
                " secret",
                "secret ",
                "secret\u0100"
            })
    void noValueCanSmuggleAnotherLine(String value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ConnectHandshake(TARGET, List.of(), value))
                .withMessageNotContaining("secret");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ConnectHandshake(TARGET, List.of(new ConnectRequest.Field("X", value)), null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 Connection established\r\n\r\n",
                "HTTP/1.0 200 OK\r\n\r\n",
                "HTTP/1.1 201 \r\n\r\n",
                "HTTP/1.1 204 No Content\r\n\r\n",
                "HTTP/1.1 299 Whatever\r\nVia: x\r\n\r\n",
            })
    void any2xxOpensTheTunnel(String head) {
        HandshakeScript.Outcome outcome = answer(head + "first bytes of the target");

        assertThat(outcome.failure()).isNull();
        assertThat(outcome.rest()).isEqualTo("first bytes of the target");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 5",
                "Transfer-Encoding: chunked",
                "Content-Length: 5\r\nTransfer-Encoding: chunked",
                "Content-Length: x"
            })
    void contentLengthOnA200IsIgnored(String fields) {
        HandshakeScript.Outcome outcome = answer("HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\nhello and more");

        assertThat(outcome.failure()).isNull();
        assertThat(outcome.rest()).isEqualTo("hello and more");
    }

    /** An answer is read here and goes no further. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\nHTTP/1.1 200 OK\r\n\r\n",
                "\nHTTP/1.1 200 OK\n\n",
                "HTTP/1.1 200\r\n\r\n",
                "HTTP/1.1  200 OK\r\n\r\n",
                "HTTP/1.0 200 OK\nVia: x\n\n",
                "HTTP/1.1 200 OK\nVia: x\r\n\n",
                "HTTP/1.1 200 OK\r\nVia : x\r\n\r\n",
                "HTTP/1.1 200 OK\r\nVia: x\r\n y\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
                "HTTP/1.1 200 OK\r\nConnection: a b\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\n\r\n",
                "HTTP/1.1 100 Continue\n\n\nHTTP/1.1 200 OK\r\n\r\n",
                "\r\nHTTP/1.1 100 Continue\r\n\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            })
    void anAnswerIsReadTolerantly(String head) {
        HandshakeScript.Outcome outcome = answer(head + "\r\nfirst");

        assertThat(outcome.failure()).isNull();
        assertThat(outcome.rest()).isEqualTo("\r\nfirst");
    }

    @Test
    void anAnswerMayHaveAsManyFieldsAsAResponse() {
        String head = "HTTP/1.1 200 OK\r\n" + "X: y\r\n".repeat(256) + "\r\n";

        assertThat(answer(head).failure()).isNull();
        assertThat(refusal("HTTP/1.1 200 OK\r\n" + "X: y\r\n".repeat(257) + "\r\n")
                        .reason())
                .isEqualTo(Reason.PROTOCOL);
    }

    @Test
    void aTolerantlyReadRefusalCarriesItsFields() {
        HandshakeException refusal = refusal("\nHTTP/1.1 403\nX : a\n b\nContent-Length: 02\nContent-Length: 2\n\nno");

        ProxyReply reply = Objects.requireNonNull(refusal.reply());
        assertThat(reply.status()).isEqualTo(403);
        assertThat(reply.fields())
                .containsExactly(
                        new ConnectRequest.Field("X", "a b"),
                        new ConnectRequest.Field("Content-Length", "02"),
                        new ConnectRequest.Field("Content-Length", "2"));
        assertThat(HandshakeScript.text(reply.body())).isEqualTo("no");
        assertThat(refusal.kept()).isNotNull();
    }

    @Test
    void interimAnswersAreSkipped() {
        HandshakeScript.Outcome outcome = answer(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhi");

        assertThat(outcome.failure()).isNull();
        assertThat(outcome.rest()).isEqualTo("hi");
    }

    @Test
    void sixteenInterimAnswersAreSkippedAnd64KibOfThem() {
        String small = "HTTP/1.1 100 Continue\r\n\r\n";
        String large = "HTTP/1.1 103 Early Hints\r\nLink: " + "x".repeat(16 * 1024 - 36) + "\r\n\r\n";
        assertThat(large).hasSize(16 * 1024);

        assertThat(answer(small.repeat(16) + "HTTP/1.1 200 OK\r\n\r\n").failure())
                .isNull();
        assertThat(answer(large.repeat(4) + "HTTP/1.1 200 OK\r\n\r\n").failure())
                .isNull();
        assertThat(refusal(large.repeat(4) + small).reason()).isEqualTo(Reason.PROTOCOL);
    }

    @Test
    void interimAnswersHaveAnEnd() {
        HandshakeException refusal = refusal("HTTP/1.1 100 Continue\r\n\r\n".repeat(17));

        assertThat(refusal.reason()).isEqualTo(Reason.PROTOCOL);
        assertThat(refusal.reply()).isNull();
    }

    @Test
    void aRefusalHasItsStatusFieldsAndBody() {
        HandshakeException refusal =
                refusal("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nX: 1\r\nX: 2\r\n\r\nsorry!");

        assertThat(refusal.reason()).isEqualTo(Reason.PROXY_REFUSED);
        ProxyReply reply = Objects.requireNonNull(refusal.reply());
        assertThat(reply.protocol()).isEqualTo(ProxyReply.Protocol.HTTP);
        assertThat(reply.status()).isEqualTo(403);
        assertThat(reply.fields())
                .containsExactly(
                        new ConnectRequest.Field("Content-Length", "6"),
                        new ConnectRequest.Field("X", "1"),
                        new ConnectRequest.Field("X", "2"));
        assertThat(HandshakeScript.text(reply.body())).isEqualTo("sorry!");
        assertThat(refusal.kept()).isNotNull();
    }

    @Test
    void a407IsAQuestionOfCredentials() {
        HandshakeException refusal = refusal(
                "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n");

        assertThat(refusal.reason()).isEqualTo(Reason.PROXY_AUTH);
        assertThat(Objects.requireNonNull(refusal.reply()).status()).isEqualTo(407);
        assertThat(refusal.kept()).isNotNull();
    }

    @Test
    void a401ComesFromTheProxyTooAndIsAQuestionOfCredentials() {
        HandshakeException refusal =
                refusal("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n");

        assertThat(refusal.reason()).isEqualTo(Reason.PROXY_AUTH);
        assertThat(Objects.requireNonNull(refusal.reply()).status()).isEqualTo(401);
    }

    @Test
    void aChunkedBodyOfARefusalIsRead() {
        HandshakeException refusal =
                refusal("HTTP/1.1 502 Bad\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");

        assertThat(HandshakeScript.text(Objects.requireNonNull(refusal.reply()).body()))
                .isEqualTo("abcde");
        assertThat(refusal.kept()).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
                "HTTP/1.1 403 No\r\nContent-Length: 2\r\nProxy-Connection: Close\r\n\r\nno",
                "HTTP/1.0 403 No\r\nContent-Length: 2\r\n\r\nno",
                "HTTP/1.1 403 No\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "HTTP/1.1 403 No\r\nContent-Length: 2, 3\r\n\r\n",
                "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            })
    void aConnectionIsNotReusedUnlessTheRefusalsEndIsCertain(String text) {
        HandshakeException refusal = refusal(text);

        assertThat(refusal.reason()).isEqualTo(Reason.PROXY_REFUSED);
        assertThat(refusal.kept()).isNull();
    }

    @Test
    void bytesAfterARefusalMakeItsConnectionUseless() throws Exception {
        ConnectHandshake handshake = handshake();
        ByteBuffer in = ByteBuffer.wrap("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\nstray".getBytes(ISO_8859_1));

        assertThat(HandshakeScript.failureOf(handshake, in).kept()).isNull();
    }

    @Test
    void only4KiBOfABodyAreKept() {
        String body = "x".repeat(ProxyReply.MAX_BODY);

        HandshakeException exact = refusal("HTTP/1.1 403 No\r\nContent-Length: 4096\r\n\r\n" + body);
        HandshakeException more = refusal("HTTP/1.1 403 No\r\nContent-Length: 5000\r\n\r\n" + body + "y");

        assertThat(HandshakeScript.text(Objects.requireNonNull(exact.reply()).body()))
                .isEqualTo(body);
        assertThat(exact.kept()).isNotNull();
        assertThat(HandshakeScript.text(Objects.requireNonNull(more.reply()).body()))
                .isEqualTo(body);
        assertThat(more.kept()).isNull();
    }

    @Test
    void aRefusalThatIsCutIsStillARefusal() throws Exception {
        ConnectHandshake handshake = handshake();
        ByteBuffer in = ByteBuffer.wrap("HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nso".getBytes(ISO_8859_1));

        assertThat(handshake.refusalSoFar()).isNull();
        assertThat(handshake.feed(in)).isEqualTo(Handshake.Step.READ);
        HandshakeException soFar = Objects.requireNonNull(handshake.refusalSoFar());
        assertThat(Objects.requireNonNull(soFar.reply()).status()).isEqualTo(403);
        assertThat(HandshakeScript.text(Objects.requireNonNull(soFar.reply()).body()))
                .isEqualTo("so");
        assertThat(soFar.kept()).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SSH-2.0-OpenSSH_9.2\r\n",
                "\u0005\u0000",
                "HTTP/2.0 200 OK\r\n\r\n",
                "HTTP/1.1 20 OK\r\n\r\n",
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
                "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
                " HTTP/1.1 200 OK\r\n\r\n",
                "ICY 200 OK\r\n\r\n",
                "http/1.1 200 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
            })
    void whatIsNoAnswerIsAnErrorOfTheProtocol(String text) {
        assertThat(refusal(text).reason()).isEqualTo(Reason.PROTOCOL);
    }

    @Test
    void anEndlessHeadIsAnErrorOfTheProtocol() {
        assertThat(refusal("HTTP/1.1 200 OK\r\n" + "X: y\r\n".repeat(300)).reason())
                .isEqualTo(Reason.PROTOCOL);
    }
}
