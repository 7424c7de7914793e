package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A user name and a password, for HTTP's Basic scheme (RFC 7617) and for SOCKS5 (RFC 1929).
 *
 * <p>Both are sent as UTF-8. SOCKS5 limits each to 255 bytes (RFC 1929 §2): a SOCKS5 dialer refuses longer ones, and an
 * empty user name, with an {@link IllegalArgumentException} when it is built. An empty password is sent as such. HTTP
 * sets no limit and accepts empty ones.
 *
 * <p>Threading: immutable.
 */
public final class Credentials {
    private final String user;
    private final String password;

    private Credentials(String user, String password) {
        this.user = user;
        this.password = password;
    }

    /**
     * Returns credentials with a user name and a password.
     *
     * @param user without a colon, which would end it (RFC 7617 §2), and without control characters; may be empty
     * @param password without control characters; may be empty
     * @throws IllegalArgumentException if one contains a forbidden character or a lone surrogate; the message shows
     *     neither
     */
    public static Credentials basic(String user, String password) {
        if (user.indexOf(':') >= 0) {
            throw new IllegalArgumentException("a user name must not have a colon (RFC 7617 section 2)");
        }
        check(user, "a user name");
        check(password, "a password");
        return new Credentials(user, password);
    }

    private static void check(String value, String what) {
        if (value.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(what + " must not have control characters (RFC 7617 section 2)");
        }
        if (!UTF_8.newEncoder().canEncode(value)) {
            throw new IllegalArgumentException(what + " must not have lone surrogates, which UTF-8 cannot hold");
        }
    }

    /** The user name. */
    public String user() {
        return user;
    }

    /** The password. */
    public String password() {
        return password;
    }

    /**
     * The value of an {@code Authorization} or {@code Proxy-Authorization} field: {@code Basic} and the pair in base64.
     */
    public String authorization() {
        byte[] pair = (user + ":" + password).getBytes(UTF_8);
        return "Basic " + Base64.getEncoder().encodeToString(pair);
    }

    /**
     * Whether the presented credentials equal these. The time depends on the presented credentials alone, so it reveals
     * nothing about these.
     */
    public boolean matches(String presentedUser, String presentedPassword) {
        // The time of isEqual depends on its first argument only. Both are compared even if the first differs.
        boolean sameUser = MessageDigest.isEqual(presentedUser.getBytes(UTF_8), user.getBytes(UTF_8));
        boolean samePassword = MessageDigest.isEqual(presentedPassword.getBytes(UTF_8), password.getBytes(UTF_8));
        return sameUser && samePassword;
    }

    /** Compares both values, as {@link #matches} does. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Credentials that && matches(that.user, that.password);
    }

    @Override
    public int hashCode() {
        return 31 * user.hashCode() + password.hashCode();
    }

    /** Shows the user, but not the password. */
    @Override
    public String toString() {
        return "Credentials[" + Printable.quote(user) + ", password not shown]";
    }
}
