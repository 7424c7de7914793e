package io.broxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Collectors;

/** Specifies that challenges mean the same when they are written in the plainest form, and that Digest's answers can be read. */
class ProxyChallengeFuzzTest {
    private static ProxyAuthentication.Request request() {
        HostPort proxy = HostPort.parse("proxy.example:3128");
        HostPort target = HostPort.parse("www.example:443");
        return new ProxyAuthentication.Request(proxy, target, "CONNECT", target.toString(), null);
    }

    private static ProxyReply reply(String line) {
        List<ConnectRequest.Field> fields = List.of(new ConnectRequest.Field("Proxy-Authenticate", line));
        return new ProxyReply(ProxyReply.Protocol.HTTP, 407, fields, ByteBuffer.allocate(0));
    }

    private static String written(ProxyChallenge challenge) {
        String token = challenge.token68();
        if (token != null) {
            return challenge.scheme() + " " + token;
        }
        return challenge.scheme() + " "
                + challenge.parameters().entrySet().stream()
                        .map(each -> each.getKey() + "=\""
                                + each.getValue().replace("\\", "\\\\").replace("\"", "\\\"") + "\"")
                        .collect(Collectors.joining(","));
    }

    @DictionaryEntries({
        "Basic realm=\"a\"",
        "Negotiate",
        "NTLM abc==",
        "Digest ",
        "realm=",
        "nonce=\"n\"",
        "qop=\"auth\"",
        ", ",
        "\\\"",
        "stale=true",
        "algorithm=SHA-256-sess",
        "userhash=true",
        "opaque=x"
    })
    @FuzzTest
    void challengesMeanTheSameInTheirPlainestForm(byte[] bytes) throws IOException {
        ProxyReply received = reply(new String(bytes, ISO_8859_1));
        List<ProxyChallenge> challenges = ProxyChallenge.of(received);

        String plain = challenges.stream().map(ProxyChallengeFuzzTest::written).collect(Collectors.joining(" , "));
        assertThat(ProxyChallenge.of(reply(plain))).isEqualTo(challenges);

        String credentials = ProxyAuthentication.digest(Credentials.basic("user", "secret"))
                .begin(request())
                .answer(received);
        if (credentials != null) {
            List<ProxyChallenge> read = ProxyChallenge.of(reply(credentials));
            assertThat(read).hasSize(1);
            assertThat(challenges)
                    .anyMatch(challenge -> challenge
                                    .parameters()
                                    .getOrDefault("nonce", "?")
                                    .equals(read.get(0).parameter("nonce"))
                            && challenge
                                    .parameters()
                                    .getOrDefault("realm", "?")
                                    .equals(read.get(0).parameter("realm")));
            assertThat(credentials).doesNotContain("secret");
        }
    }
}
