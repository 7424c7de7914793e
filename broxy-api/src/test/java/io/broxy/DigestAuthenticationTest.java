package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which Digest challenges are answered and how (RFC 7616), and when a nonce is used again. */
class DigestAuthenticationTest {
    private static final Credentials MUFASA = Credentials.basic("Mufasa", "Circle of Life");
    private static final HostPort PROXY = HostPort.parse("proxy.example:3128");

    /** RFC 7616 section 3.9.1. */
    private static final String RFC_CHALLENGE = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
            + "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
            + "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

    private static final String RFC_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    private static ProxyAuthentication.Request request(String method, String target) {
        return new ProxyAuthentication.Request(PROXY, HostPort.parse("www.example.org:80"), method, target, null);
    }

    private static ProxyAuthentication.Request connect() {
        return request("CONNECT", "www.example.org:443");
    }

    private static ProxyReply challenge(String... lines) {
        return reply(407, "Proxy-Authenticate", lines);
    }

    private static ProxyReply reply(int status, String name, String... lines) {
        List<ConnectRequest.Field> fields = new ArrayList<>();
        for (String line : lines) {
            fields.add(new ConnectRequest.Field(name, line));
        }
        return new ProxyReply(ProxyReply.Protocol.HTTP, status, fields, ByteBuffer.allocate(0));
    }

    private static ProxyReply accepted() {
        return reply(200, "Proxy-Authentication-Info");
    }

    private static String parameter(@Nullable String credentials, String name) {
        Matcher found = Pattern.compile("[ ,]" + name + "=(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^,]*))")
                .matcher(Objects.requireNonNull(credentials));
        assertThat(found.find()).as(name + " in " + credentials).isTrue();
        return found.group(1) == null ? found.group(2) : found.group(1);
    }

    private static @Nullable String answer(Credentials credentials, String cnonce, String... lines) throws IOException {
        return new DigestAuthentication(credentials, () -> cnonce)
                .begin(request("GET", "/dir/index.html"))
                .answer(challenge(lines));
    }

    // ------------------------------------------------------------------ the computation

    @Test
    void theCredentialsAreThoseOfTheRfcsExample() throws IOException {
        assertThat(answer(MUFASA, RFC_CNONCE, RFC_CHALLENGE + ", algorithm=SHA-256"))
                .isEqualTo("Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
                        + "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", "
                        + "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", "
                        + "algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"" + RFC_CNONCE + "\", "
                        + "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"");
    }

    /** The first two are in RFC 7616 section 3.9.1, the others were computed apart from this code. */
    @ParameterizedTest
    @CsvSource({
        "MD5, 8ca523f5e9506fed4657c9700eebdbec",
        "SHA-256, 753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        "md5-SESS, e783283f46242139c486a698fec7211d",
        "SHA-256-sess, 2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"
    })
    void eachAlgorithmHasItsResponse(String algorithm, String response) throws IOException {
        String credentials = answer(MUFASA, RFC_CNONCE, RFC_CHALLENGE + ", algorithm=" + algorithm);

        assertThat(parameter(credentials, "response")).isEqualTo(response);
        assertThat(parameter(credentials, "algorithm")).isEqualTo(algorithm);
    }

    @ParameterizedTest
    @CsvSource({
        "MD5, 7b2cc3b30e75b4777ea31027084363fd",
        "MD5-sess, 37a7f42db2090a3fcac4e26e747d4fc8",
        "SHA-256, a1306b0595a6c7fe96c448631fb5cfbd5107bd1fe1da729d978dd7446b812363",
        "SHA-256-sess, 30bc0742357e535c85094121d22cf826b794be0667e19537beb7b28f2251c274"
    })
    void withoutQopThereIsNoCount(String algorithm, String response) throws IOException {
        String credentials = answer(
                MUFASA, RFC_CNONCE, RFC_CHALLENGE.replace("qop=\"auth, auth-int\", ", "") + ", algorithm=" + algorithm);

        assertThat(parameter(credentials, "response")).isEqualTo(response);
        assertThat(credentials).doesNotContain("qop=").doesNotContain("nc=");
        assertThat(Objects.requireNonNull(credentials).contains("cnonce=")).isEqualTo(algorithm.endsWith("sess"));
    }

    /** RFC 2617 section 3.5, and the same without qop as RFC 2069 has it. */
    @Test
    void theResponsesOfTheOlderRfcs() throws IOException {
        Credentials older = Credentials.basic("Mufasa", "Circle Of Life");
        String challenge = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
                + "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";

        String credentials = answer(older, "0a4f113b", challenge + ", qop=\"auth,auth-int\"");
        assertThat(parameter(credentials, "response")).isEqualTo("6629fae49393a05397450978507c4ef1");
        assertThat(credentials).doesNotContain("algorithm=");
        assertThat(parameter(answer(older, "0a4f113b", challenge), "response"))
                .isEqualTo("670fd8c2df070c60b045671b8b24ff02");
    }

    /** RFC 7616 section 3.9.2, with hashes that were computed apart from this code: the RFC's are of SHA-512, cut short. */
    @Test
    void theUserNameMayBeHashedAndIsOfUtf8() throws IOException {
        ProxyAuthentication digest = new DigestAuthentication(
                Credentials.basic("J\u00e4s\u00f8n Doe", "Secret, or not?"), () -> "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm");
        String credentials = digest.begin(request("GET", "/doe.json"))
                .answer(challenge("Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, "
                        + "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
                        + "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDssOS\", charset=UTF-8, userhash=true"));

        assertThat(parameter(credentials, "username"))
                .isEqualTo("793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
        assertThat(parameter(credentials, "response"))
                .isEqualTo("7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c");
        assertThat(parameter(credentials, "userhash")).isEqualTo("true");
    }

    @Test
    void aUserNameThatQuotesCannotHoldIsSentEncoded() throws IOException {
        assertThat(answer(Credentials.basic("J\u00e4s\u00f8n Doe", "x"), "c", "Digest realm=r, nonce=n, charset=UTF-8"))
                .startsWith("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm=");
    }

    @Test
    void quotesAndBackslashesAreEscapedAgain() throws IOException {
        String credentials = answer(
                Credentials.basic("a\"b\\c", "x"), "c", "Digest realm=\"r\\\"s\\\\t\", nonce=\"n\\\"\", opaque=\"\"");

        assertThat(credentials)
                .contains("username=\"a\\\"b\\\\c\"", "realm=\"r\\\"s\\\\t\"", "nonce=\"n\\\"\"", "opaque=\"\"");
    }

    // ------------------------------------------------------------------ which challenge

    @Test
    void theStrongestAlgorithmIsAnsweredAndOfEqualOnesTheFirst() throws IOException {
        String md5 = "Digest realm=r, nonce=m, algorithm=MD5";
        String sha = "Digest realm=r, nonce=s, algorithm=SHA-256, qop=\"auth\"";
        String sess = "Digest realm=r, nonce=t, algorithm=SHA-256-sess, qop=\"auth\"";

        assertThat(parameter(answer(MUFASA, "c", md5, sha, sess), "nonce")).isEqualTo("s");
        assertThat(parameter(answer(MUFASA, "c", "Negotiate, " + md5 + ", " + sess + ", " + sha), "nonce"))
                .isEqualTo("t");
        assertThat(parameter(
                        answer(MUFASA, "c", "Basic realm=r, " + md5 + ", Digest realm=r, nonce=x, algorithm=HAVAL"),
                        "nonce"))
                .isEqualTo("m");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Basic realm=r",
                "Digest realm=r",
                "Digest nonce=n",
                "Digest realm=r, nonce=n, algorithm=SHA-1",
                "Digest realm=r, nonce=n, algorithm=-sess",
                "Digest realm=r, nonce=n, qop=\"auth-int\"",
                "Digest realm=r, nonce=n, qop=\"\"",
                "Digest"
            })
    void aChallengeThatCannotBeAnsweredIsNot(String line) throws IOException {
        assertThat(answer(MUFASA, "c", line)).isNull();
    }

    // ------------------------------------------------------------------ legs

    @Test
    void nothingIsSentBeforeTheFirstChallenge() throws IOException {
        assertThat(ProxyAuthentication.digest(MUFASA).begin(connect()).first()).isNull();
    }

    @Test
    void wrongCredentialsFailAfterOneTry() throws IOException {
        ProxyAuthentication.Session session = ProxyAuthentication.digest(MUFASA).begin(connect());
        session.first();

        assertThat(session.answer(challenge("Digest realm=r, nonce=a"))).isNotNull();
        assertThat(session.answer(challenge("Digest realm=r, nonce=b"))).isNull();
        assertThat(session.answer(challenge("Digest realm=r, nonce=c, stale=false")))
                .isNull();
    }

    @Test
    void aStaleNonceIsReplacedThoughNotForEver() throws IOException {
        ProxyAuthentication.Session session = ProxyAuthentication.digest(MUFASA).begin(connect());
        session.first();

        assertThat(session.answer(challenge("Digest realm=r, nonce=a"))).contains("nonce=\"a\"");
        assertThat(session.answer(challenge("Digest realm=r, nonce=b, stale=TRUE")))
                .contains("nonce=\"b\"");
        assertThat(session.answer(challenge("Digest realm=r, nonce=c, stale=true")))
                .contains("nonce=\"c\"");
        assertThat(session.answer(challenge("Digest realm=r, nonce=d, stale=true")))
                .isNull();
    }

    @Test
    void anAcceptedNonceIsCountedOverLaterRequestsToTheSameProxy() throws IOException {
        ProxyAuthentication digest = ProxyAuthentication.digest(MUFASA);
        ProxyAuthentication.Session session = digest.begin(connect());
        session.first();
        String first = session.answer(challenge("Digest realm=r, nonce=a, qop=auth"));
        assertThat(digest.begin(connect()).first()).as("not yet accepted").isNull();
        session.accepted(accepted());

        String second = digest.begin(connect()).first();
        String third = digest.begin(connect()).first();

        assertThat(parameter(first, "nc")).isEqualTo("00000001");
        assertThat(parameter(second, "nc")).isEqualTo("00000002");
        assertThat(parameter(third, "nc")).isEqualTo("00000003");
        assertThat(parameter(second, "cnonce")).isEqualTo(parameter(first, "cnonce"));
        assertThat(parameter(second, "response")).isNotEqualTo(parameter(third, "response"));
        ProxyAuthentication.Request other = new ProxyAuthentication.Request(
                HostPort.parse("other.example:3128"), HostPort.parse("www.example.org:443"), "CONNECT", "x:1", null);
        assertThat(digest.begin(other).first()).isNull();
    }

    @Test
    void anAcceptedNonceThatIsRefusedLaterIsForgottenAndTheNewOneTriedOnce() throws IOException {
        ProxyAuthentication digest = ProxyAuthentication.digest(MUFASA);
        ProxyAuthentication.Session session = digest.begin(connect());
        session.first();
        session.answer(challenge("Digest realm=r, nonce=a, qop=auth"));
        session.accepted(accepted());

        ProxyAuthentication.Session later = digest.begin(connect());
        assertThat(later.first()).contains("nonce=\"a\"");
        assertThat(later.answer(challenge("Digest realm=r, nonce=b, qop=auth"))).contains("nonce=\"b\"");
        assertThat(digest.begin(connect()).first()).isNull();
        assertThat(later.answer(challenge("Digest realm=r, nonce=c, qop=auth"))).isNull();
    }

    @Test
    void theProxyMaySayWhichNonceIsNext() throws IOException {
        ProxyAuthentication digest = ProxyAuthentication.digest(MUFASA);
        ProxyAuthentication.Session session = digest.begin(connect());
        session.first();
        session.answer(challenge("Digest realm=r, nonce=a, qop=auth"));
        session.accepted(reply(200, "proxy-authentication-info", "rspauth=\"00\", nextnonce=\"b\", nc=00000001"));

        String second = digest.begin(connect()).first();

        assertThat(parameter(second, "nonce")).isEqualTo("b");
        assertThat(parameter(second, "nc")).isEqualTo("00000001");
    }

    @Test
    void noCountIsUsedTwice() throws IOException {
        ProxyAuthentication digest = ProxyAuthentication.digest(MUFASA);
        ProxyAuthentication.Session session = digest.begin(connect());
        session.first();
        session.answer(challenge("Digest realm=r, nonce=a, qop=auth"));
        session.accepted(accepted());
        Set<String> counts = ConcurrentHashMap.newKeySet();

        IntStream.range(0, 200).parallel().forEach(i -> {
            try {
                counts.add(parameter(digest.begin(connect()).first(), "nc"));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });

        assertThat(counts).hasSize(200);
    }

    @Test
    void eachNonceHasItsOwnCnonce() throws IOException {
        Set<String> cnonces = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            String credentials = ProxyAuthentication.digest(MUFASA)
                    .begin(connect())
                    .answer(challenge("Digest realm=r, nonce=a, qop=auth"));
            cnonces.add(parameter(credentials, "cnonce"));
        }
        assertThat(cnonces).hasSize(20);
    }

    // ------------------------------------------------------------------ secrets

    @Test
    void nothingShowsThePassword() throws IOException {
        ProxyAuthentication digest = ProxyAuthentication.digest(MUFASA);
        ProxyAuthentication.Session session = digest.begin(request("GET", "http://www.example.org/?token=secret"));
        session.answer(challenge("Digest realm=r, nonce=a"));

        assertThat(digest + " " + ProxyAuthentication.basic(MUFASA) + " " + session)
                .contains("Mufasa")
                .doesNotContain("Circle");
        assertThat(request("GET", "http://www.example.org/?token=secret").toString())
                .doesNotContain("secret");
    }

    @Test
    void basicIsSentAtOnceAndNeverTwice() throws IOException {
        ProxyAuthentication.Session session = ProxyAuthentication.basic(MUFASA).begin(connect());

        assertThat(session.first()).isEqualTo(MUFASA.authorization());
        assertThat(session.answer(challenge("Basic realm=r"))).isNull();
    }
}
