package io.broxy.core.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which challenges and credentials log a connection in, and which belong to one request. */
@SuppressWarnings("StringConcatToTextBlock") // whose lines would not end with CRLF
class AuthSchemesTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NTLM",
                "ntlm",
                "NTLM TlRMTVNTUAABAAAAl4II4g==",
                "Negotiate",
                "nEGOTIATE YIIJvwYGKwYBBQUC+/=",
                "Negotiate, NTLM",
                "Basic realm=\"x\", NTLM",
                "Basic realm=\"x\",NTLM",
                "NTLM, Basic realm=\"x\"",
                "Digest realm=\"a, b\", nonce=\"c\\\"d\", qop=auth , Negotiate abc==",
                ", , Basic , ,\tNTLM",
                "Kerberos",
                "Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
                "Nonsense abc",
                "Basic2 realm=\"x\"",
                "Bas",
                "Bearer abc, Custom abc"
            })
    void theseLogTheConnectionIn(String value) {
        assertThat(AuthSchemes.bindConnection(value)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "  ",
                ",",
                "Basic",
                "Basic dXNlcjpzZWNyZXQ=",
                "bASIC  dXNlcjpzZWNyZXQ=",
                "Basic realm=\"NTLM\"",
                "Basic realm=\"x, NTLM\"",
                "Basic realm=\"x\\\", NTLM\"",
                "Basic realm=NTLM",
                "Basic realm = \"x\" , charset = \"UTF-8\"",
                "Digest realm=\"x\", qop=\"auth, auth-int\", algorithm=MD5, Basic realm=\"y\"",
                "Digest username=\"u\", uri=\"/a,NTLM\", response=\"00\", nc=00000001",
                "Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc-_~+/==",
                "DPoP token",
                "HOBA result=\"kid.challenge.nonce.signature\"",
                "Mutual realm=\"x\"",
                "SCRAM-SHA-1 sid=AAAABBBB, data=cj1",
                "SCRAM-SHA-256 realm=\"x\"",
                "vapid t=a.b.c, k=d",
                "GNAP abc",
                "PrivateToken token=\"abc\"",
                "OAuth oauth_token=\"a\", oauth_nonce=\"b\"",
                "Concealed k=basement, a=VGhpcyBpcw, s=2055, v=dmVy, p=QzpcV",
                "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range, Signature=fe5f",
                "Token token=\"abc\", nonce=\"def\"",
                "SharedKey account:c2lnbmF0dXJl"
            })
    void theseSpeakForOneRequest(String value) {
        assertThat(AuthSchemes.bindConnection(value)).isFalse();
    }

    /** What one reader takes for a parameter may be a scheme for another. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Basic realm=\"x",
                "Basic realm=\"x\\\"",
                "Basic realm=\"x\" NTLM",
                "Basic:NTLM",
                "realm=\"x\"",
                "\"Basic\"",
                "@",
                "Basic realm=\"x\", \"y\""
            })
    void whatCannotBeReadIsTakenForALogin(String value) {
        assertThat(AuthSchemes.bindConnection(value)).isTrue();
    }

    @Test
    void everyLineOfAFieldCounts() throws BadHeadException {
        Fields fields = Feeding.responseHead("HTTP/1.1 401 Who\r\nwww-authenticate: Basic realm=\"x\"\r\nX: NTLM\r\n"
                        + "WWW-AUTHENTICATE: Digest realm=\"y\"\r\nWWW-Authenticate: ntlm\r\n\r\n")
                .fields();

        assertThat(AuthSchemes.bindConnection(fields, "WWW-Authenticate")).isTrue();
        assertThat(AuthSchemes.bindConnection(fields, "Proxy-Authenticate")).isFalse();
        assertThat(AuthSchemes.bindConnection(fields, "X")).isTrue();
    }
}
