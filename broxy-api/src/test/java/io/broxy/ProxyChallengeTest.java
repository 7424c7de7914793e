package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how the challenges of a proxy are read from its Proxy-Authenticate lines (RFC 9110 section 11.6.1). */
class ProxyChallengeTest {

    private static List<ProxyChallenge> read(String... lines) {
        List<ConnectRequest.Field> fields = Stream.of(lines)
                .map(line -> new ConnectRequest.Field("proxy-authenticate", line))
                .toList();
        return ProxyChallenge.of(new ProxyReply(ProxyReply.Protocol.HTTP, 407, fields, ByteBuffer.allocate(0)));
    }

    private static ProxyChallenge bare(String scheme) {
        return new ProxyChallenge(scheme, null, Map.of());
    }

    @Test
    void aSchemeMayBeAloneOrHaveATokenOrParameters() {
        assertThat(read("Negotiate")).containsExactly(bare("Negotiate"));
        assertThat(read("NTLM TlRMTVNTUAACAAAA+/=="))
                .containsExactly(new ProxyChallenge("NTLM", "TlRMTVNTUAACAAAA+/==", Map.of()));
        assertThat(read("Basic realm=\"a b\""))
                .containsExactly(new ProxyChallenge("Basic", null, Map.of("realm", "a b")));
    }

    @Test
    void oneLineMayHaveSeveralChallengesAndSeveralLinesToo() {
        assertThat(read(
                        "Negotiate, NTLM abc, Digest realm=\"a, b\", nonce=\"n\" , qop=\"auth,auth-int\",Basic realm=x",
                        "Bearer"))
                .containsExactly(
                        bare("Negotiate"),
                        new ProxyChallenge("NTLM", "abc", Map.of()),
                        new ProxyChallenge(
                                "Digest", null, Map.of("realm", "a, b", "nonce", "n", "qop", "auth,auth-int")),
                        new ProxyChallenge("Basic", null, Map.of("realm", "x")),
                        bare("Bearer"));
    }

    @Test
    void quotesAndEscapesAreTakenOff() {
        assertThat(read("Digest realm=\"a \\\"b\\\\c\\d\"").get(0).parameter("realm"))
                .isEqualTo("a \"b\\cd");
    }

    @Test
    void namesHaveNoCaseAndMayHaveBlanksAround() {
        ProxyChallenge digest = read("dIgEsT ReAlM = \"x\" ,\tNonce=n").get(0);

        assertThat(digest.is("Digest")).isTrue();
        assertThat(digest.parameter("realm")).isEqualTo("x");
        assertThat(digest.parameter("NONCE")).isEqualTo("n");
        assertThat(digest.parameter("opaque")).isNull();
    }

    @Test
    void emptyMembersAreSkippedAndQuotesMayBeMissing() {
        assertThat(read(", ,Digest ,realm=x,, nonce=a/b=c,"))
                .containsExactly(new ProxyChallenge("Digest", null, Map.of("realm", "x", "nonce", "a/b=c")));
        assertThat(read("", ",")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "=x",
                "@",
                "Digest realm=\"x",
                "Digest realm=\"x\\",
                "Digest realm=\"x\"y",
                "Digest realm=x, realm=y",
                "Digest realm x",
                "Digest \"x\"",
                "NTLM abc def",
                "NTLM abc, realm=x",
                "Digest realm=x, =y",
                "Digest realm=x nonce=y"
            })
    void aMalformedChallengeIsLeftOutWithTheRestOfItsLine(String malformed) {
        assertThat(read(malformed)).isEmpty();
        assertThat(read("Negotiate, " + malformed + ", Bearer", "Basic realm=z").stream()
                        .map(ProxyChallenge::scheme))
                .last()
                .isEqualTo("Basic");
        assertThat(read("Negotiate, " + malformed + ", Bearer").stream().map(ProxyChallenge::scheme))
                .isSubsetOf("Negotiate");
    }

    @Test
    void otherFieldsHaveNoChallenges() {
        List<ConnectRequest.Field> fields = List.of(new ConnectRequest.Field("WWW-Authenticate", "Basic realm=x"));

        assertThat(ProxyChallenge.of(new ProxyReply(ProxyReply.Protocol.HTTP, 407, fields, ByteBuffer.allocate(0))))
                .isEmpty();
    }

    @Test
    void itsTextHasTheSchemeOnly() {
        assertThat(read("NTLM c2VjcmV0").get(0)).hasToString("ProxyChallenge[\"NTLM\"]");
    }
}
