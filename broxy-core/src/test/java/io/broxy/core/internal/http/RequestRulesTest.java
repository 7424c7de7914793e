package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.requestHead;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.core.internal.http.BadHeadException.Problem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies what a request needs beyond the grammar of its head. */
class RequestRulesTest {

    private static Problem problemOf(String text) {
        RequestHead head = requestHead(text);
        BadHeadException refusal = catchThrowableOfType(BadHeadException.class, () -> RequestRules.check(head));
        assertThat(refusal).as("a refusal").isNotNull();
        return refusal.problem();
    }

    @Test
    void theFramingOfAValidRequestIsKnown() throws BadHeadException {
        assertThat(RequestRules.check(requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n")))
                .isEqualTo(BodyFraming.NONE);
        assertThat(RequestRules.check(requestHead("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")))
                .isEqualTo(BodyFraming.length(3));
    }

    @Test
    void http11NeedsOneHost() {
        assertThat(problemOf("GET / HTTP/1.1\r\n\r\n")).isEqualTo(Problem.HOST);
        assertThat(problemOf("GET / HTTP/1.9\r\nHosts: a\r\n\r\n")).isEqualTo(Problem.HOST);
        assertThat(problemOf("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")).isEqualTo(Problem.HOST);
        assertThat(problemOf("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nhOST: b\r\n\r\n"))
                .isEqualTo(Problem.HOST);
    }

    @Test
    void http10NeedsNoneAndMayHaveOne() throws BadHeadException {
        assertThat(RequestRules.check(requestHead("GET / HTTP/1.0\r\n\r\n"))).isEqualTo(BodyFraming.NONE);
        assertThat(RequestRules.check(requestHead("GET / HTTP/1.0\r\nHost: a\r\n\r\n")))
                .isEqualTo(BodyFraming.NONE);
        assertThat(problemOf("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n")).isEqualTo(Problem.HOST);
        assertThat(problemOf("GET / HTTP/1.0\r\nHost: a b\r\n\r\n")).isEqualTo(Problem.HOST);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "user@a", "a/b", "a:b", "[::1", "a:80:80", "\u00e4"})
    void anInvalidHostIsRefused(String host) {
        assertThat(problemOf("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")).isEqualTo(Problem.HOST);
    }

    @Test
    void theHostMayDifferFromTheTargetWhichDecides() throws BadHeadException {
        assertThat(RequestRules.check(requestHead("CONNECT a:443 HTTP/1.1\r\nHost: b:80\r\n\r\n")))
                .isEqualTo(BodyFraming.NONE);
        assertThat(RequestRules.check(requestHead("CONNECT a:443 HTTP/1.1\r\nHost:\r\n\r\n")))
                .isEqualTo(BodyFraming.NONE);
    }

    @Test
    void credentialsComeInOneLine() throws BadHeadException {
        String head = "GET / HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic YTpi\r\n";
        assertThat(RequestRules.check(requestHead(head + "\r\n"))).isEqualTo(BodyFraming.NONE);
        assertThat(RequestRules.check(requestHead(head + "Authorization: x\r\nAuthorization: y\r\n\r\n")))
                .as("those for the origin are its own")
                .isEqualTo(BodyFraming.NONE);
        assertThat(problemOf(head + "Proxy-Authorization: Basic Yjph\r\n\r\n")).isEqualTo(Problem.SYNTAX);
        assertThat(problemOf(head + "X: y\r\nproxy-authorization: Basic YTpi\r\n\r\n"))
                .as("alike")
                .isEqualTo(Problem.SYNTAX);
        assertThat(problemOf(head + "Proxy-Authorization:\r\n\r\n")).as("empty").isEqualTo(Problem.SYNTAX);
    }

    @Test
    void theFramingIsLookedAtToo() {
        assertThat(problemOf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"))
                .isEqualTo(Problem.FRAMING);
        assertThat(problemOf("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"))
                .isEqualTo(Problem.CODING);
    }
}
