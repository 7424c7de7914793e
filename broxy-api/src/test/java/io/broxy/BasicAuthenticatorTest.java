package io.broxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which Basic credentials (RFC 7617) name a user, what is challenged, and that no secret is shown. */
class BasicAuthenticatorTest {
    private static final AccessRequest REQUEST =
            new AccessRequest(InetAddress.getLoopbackAddress(), "GET", HostPort.parse("a.example:80"), null);

    private final List<String> checked = new ArrayList<>();
    private final Authenticator noting = Authenticator.basic("here", (user, password) -> {
        checked.add(user + "|" + password);
        return password.equals("right");
    });

    private static String basic(String pair) {
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(UTF_8));
    }

    /** The example of RFC 7617 section 2. */
    @Test
    void theUserIsTheIdentity() throws Exception {
        Authenticator authenticator = Authenticator.basic("WallyWorld", Credentials.basic("Aladdin", "open sesame"));

        assertThat(authenticator.authenticate(REQUEST, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="))
                .isEqualTo("Aladdin");
    }

    /** The example of RFC 7617 section 2.1. */
    @Test
    void charactersAreUtf8() throws Exception {
        assertThat(noting.authenticate(REQUEST, "Basic dGVzdDoxMjPCow==")).isNull();
        assertThat(checked).containsExactly("test|123\u00a3");
    }

    @Test
    void thePasswordMayHaveColonsAndBeEmpty() throws Exception {
        noting.authenticate(REQUEST, basic("user:a:b:"));
        noting.authenticate(REQUEST, basic("user:"));
        noting.authenticate(REQUEST, basic(":right"));

        assertThat(checked).containsExactly("user|a:b:", "user|", "|right");
    }

    @Test
    void theSchemesCaseMakesNoDifference() throws Exception {
        assertThat(noting.authenticate(REQUEST, basic("user:right").replace("Basic ", "bAsIc   ")))
                .isEqualTo("user");
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                "Basic",
                "Basic ",
                "Basic !!!!",
                "Basic dXNlcg==", // no colon
                "Bearer dXNlcjpyaWdodA==",
                "BasicdXNlcjpyaWdodA==",
                "Basic dXNlcjpyaWdodA== dXNlcjpyaWdodA==",
            })
    void credentialsWithoutAPairAreNoUser(@Nullable String authorization) throws Exception {
        assertThat(noting.authenticate(REQUEST, authorization)).isNull();
        assertThat(checked).isEmpty();
    }

    @Test
    void bytesOtherThanUtf8AreNoUser() throws Exception {
        String latin1 = "Basic " + Base64.getEncoder().encodeToString("us\u00e9r:right".getBytes(ISO_8859_1));

        assertThat(noting.authenticate(REQUEST, latin1)).isNull();
        assertThat(checked).isEmpty();
    }

    @Test
    void onlyTheWholePairOfOneUserCounts() throws Exception {
        Authenticator authenticator =
                Authenticator.basic("here", Credentials.basic("one", "1"), Credentials.basic("two", "2"));

        assertThat(authenticator.authenticate(REQUEST, basic("two:2"))).isEqualTo("two");
        for (String pair : List.of("one:2", "two:1", "one:", "three:3", "One:1", "one:11", ":")) {
            assertThat(authenticator.authenticate(REQUEST, basic(pair)))
                    .as(pair)
                    .isNull();
        }
    }

    @Test
    void withoutUsersNoUserIsKnown() throws Exception {
        assertThat(Authenticator.basic("here").authenticate(REQUEST, basic(":")))
                .isNull();
    }

    @Test
    void aCheckThatFailsIsNoAnswer() {
        Authenticator failing = Authenticator.basic("here", (user, password) -> {
            throw new IOException("the directory is away");
        });

        assertThatThrownBy(() -> failing.authenticate(REQUEST, basic("user:right")))
                .hasMessage("the directory is away");
    }

    @Test
    void theRealmIsQuoted() {
        assertThat(Authenticator.basic("a \"b\" \\ c").challenges())
                .containsExactly("Basic realm=\"a \\\"b\\\" \\\\ c\", charset=\"UTF-8\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nX: y", "\u00e9", "a\tb", "\u007f", "\0"})
    void aRealmWithOtherCharactersIsRefused(String realm) {
        assertThatThrownBy(() -> Authenticator.basic(realm)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void itShowsNoSecret() {
        assertThat(Authenticator.basic("here", Credentials.basic("user", "secret"))
                        .toString())
                .isEqualTo("Authenticator[Basic realm=\"here\", charset=\"UTF-8\"]");
    }
}
