package io.broxy.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import at.favre.lib.crypto.bcrypt.BCrypt;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the lines of a user file, and the password hashes that are accepted. */
class UserFileTest {
    private static final Path FILE = Path.of("users");

    private static final String ALICE = "alice:" + hash("2y", "sesame");

    static String hash(String version, String password) {
        BCrypt.Version own = switch (version) {
            case "2a" -> BCrypt.Version.VERSION_2A;
            case "2b" -> BCrypt.Version.VERSION_2B;
            default -> BCrypt.Version.VERSION_2Y;
        };
        return BCrypt.with(own).hashToString(4, password.toCharArray());
    }

    private static UserFile parse(String content) throws ConfigFileException {
        return UserFile.parse(FILE, content.getBytes(UTF_8));
    }

    @ParameterizedTest
    @ValueSource(strings = {"2a", "2b", "2y"})
    void aPasswordIsChecked(String version) throws ConfigFileException {
        UserFile users = parse("alice:" + hash(version, "sesame"));

        assertThat(users.matches("alice", "sesame")).isTrue();
        assertThat(users.matches("alice", "Sesame")).isFalse();
        assertThat(users.matches("alice", "")).isFalse();
        assertThat(users.matches("Alice", "sesame")).isFalse();
        assertThat(users.matches("bob", "sesame")).isFalse();
        assertThat(users.matches("", "")).isFalse();
    }

    /** The vectors of the original implementation (Openwall's crypt_blowfish). */
    @ParameterizedTest
    @CsvSource({
        "U*U, $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "U*U*, $2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
        "U*U*U, $2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
    })
    void hashesOfOthersAreUnderstood(String password, String hash) throws ConfigFileException {
        assertThat(parse("u:" + hash).matches("u", password)).isTrue();
        assertThat(parse("u:" + hash).matches("u", password + "x")).isFalse();
    }

    @Test
    void emptyLinesAndCommentsAreLeftOut() throws ConfigFileException {
        UserFile users = parse("# users\r\n\r\n" + ALICE + "\r\n  \n" + "bob:" + hash("2b", "x") + "\n");

        assertThat(users.size()).isEqualTo(2);
        assertThat(users.matches("alice", "sesame")).isTrue();
        assertThat(users.matches("bob", "x")).isTrue();
    }

    @Test
    void passwordsBeyondAscii() throws ConfigFileException {
        UserFile users = parse("jürgen:" + hash("2b", "pässwörd €"));

        assertThat(users.matches("jürgen", "pässwörd €")).isTrue();
        assertThat(users.matches("jürgen", "passw?rd €")).isFalse();
    }

    /** bcrypt goes on with a password from its beginning, behind a zero byte: "a" and "a\0a" are one to it. */
    @Test
    void aZeroByteIsNoPassword() throws ConfigFileException {
        UserFile users = parse("alice:" + hash("2b", "a"));

        assertThat(users.matches("alice", "a")).isTrue();
        assertThat(users.matches("alice", "a\0a")).isFalse();
    }

    @Test
    void ofALongPasswordTheFirst72BytesCount() throws ConfigFileException {
        UserFile users = parse("alice:" + hash("2b", "x".repeat(70)));

        assertThat(users.matches("alice", "x".repeat(70))).isTrue();
        assertThat(users.matches("alice", "x".repeat(5_000))).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "alice, users:3: it is not USER:HASH: there is no colon",
        ":x, users:3: it is not USER:HASH: there is nothing before the colon",
        "alice:, 'users:3: the hash is not a bcrypt hash, as htpasswd -B writes it; found nothing after the colon'",
        "alice:sesame, 'users:3: the hash is not a bcrypt hash, as htpasswd -B writes it; found something else (not shown)'",
        "alice:$apr1$abcdefgh$abcdefghijklmnopqrstuv, 'users:3: the hash is not a bcrypt hash, as htpasswd -B writes it; found Apache''s MD5 ($apr1$)'",
        "alice:$6$abcdefgh$abcdefghijklmnopqrstuv, 'users:3: the hash is not a bcrypt hash, as htpasswd -B writes it; found SHA-512 ($6$)'",
        "alice:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=, 'users:3: the hash is not a bcrypt hash, as htpasswd -B writes it; found SHA-1 ({SHA})'",
        "alice:$2y$05$CCCCCCCCCCCCC, 'users:3: the hash is not a bcrypt hash, as htpasswd -B writes it; found one of 20 characters, and not of 60'",
        "alice:$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW, 'users:3: the hash has cost 31, not one of 4 to 16'",
        "alice:$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW, 'users:3: the hash has cost 3, not one of 4 to 16'",
        "bob:$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW, 'users:3: duplicate user ''bob'', first in line 2'",
    })
    void aBadLineIsNamedAndNotShown(String line, String message) {
        assertThatThrownBy(() -> parse("# users\nbob:" + hash("2b", "x") + "\n" + line + "\n"))
                .isInstanceOf(ConfigFileException.class)
                .hasMessage(message);
    }

    @Test
    void aFileWithoutUsersIsAMistake() {
        assertThatThrownBy(() -> parse("# nobody yet\n")).hasMessage("users: it has no users");
        assertThatThrownBy(() -> UserFile.parse(FILE, "ü:x".getBytes(ISO_8859_1)))
                .hasMessage("users:1: the file is not UTF-8");
        assertThatThrownBy(() -> UserFile.parse(FILE, ("# one\n" + ALICE + "\nü:x").getBytes(ISO_8859_1)))
                .hasMessage("users:3: the file is not UTF-8");
    }

    @Test
    void aFileOfAnotherSystemIsRead() throws ConfigFileException {
        String bob = "bob:" + hash("2b", "x");
        for (String content : List.of(
                "\uFEFF" + ALICE + "\n" + bob,
                "\uFEFF" + ALICE + "\r\n" + bob + "\r\n\r\n\r\n",
                "\uFEFF# users\r\n" + ALICE + "\r\n\uFEFF" + bob + "\r\n",
                ALICE + "\r" + bob + "\r",
                ALICE + "  \n\t" + bob + "\n \n")) {
            UserFile users = parse(content);

            assertThat(users.size()).isEqualTo(2);
            assertThat(users.matches("alice", "sesame")).isTrue();
            assertThat(users.matches("bob", "x")).isTrue();
        }
    }

    @Test
    void anotherEncodingIsNamed() {
        for (Charset charset : List.of(UTF_16LE, UTF_16BE)) {
            assertThatThrownBy(() -> UserFile.parse(FILE, ("\uFEFF" + ALICE).getBytes(charset)))
                    .isInstanceOf(ConfigFileException.class)
                    .hasMessage("users:1: its byte order mark says UTF-16; it must be UTF-8");
        }
        assertThatThrownBy(() -> parse("\uFEFF\r\n")).hasMessage("users: it has no users");
    }
}
