package io.broxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The Basic scheme (RFC 7617).
 *
 * <p>Threading: immutable, if the check is.
 */
final class BasicAuthenticator implements Authenticator {
    private static final String SCHEME = "Basic";

    private final List<String> challenges;
    private final PasswordCheck check;

    BasicAuthenticator(String realm, PasswordCheck check) {
        if (!realm.chars().allMatch(c -> c >= ' ' && c <= '~')) {
            throw new IllegalArgumentException("a realm has visible US-ASCII characters and spaces only");
        }
        String quoted = realm.replace("\\", "\\\\").replace("\"", "\\\"");
        this.challenges = List.of("Basic realm=\"" + quoted + "\", charset=\"UTF-8\"");
        this.check = Objects.requireNonNull(check, "check");
    }

    /** Asks all, so that the time does not tell which users there are. Threading: immutable. */
    record Known(List<Credentials> users) implements PasswordCheck {
        @Override
        public boolean matches(String user, String password) {
            boolean found = false;
            for (Credentials known : users) {
                found |= known.matches(user, password);
            }
            return found;
        }
    }

    @Override
    public List<String> challenges() {
        return challenges;
    }

    @Override
    public @Nullable String authenticate(AccessRequest request, @Nullable String authorization) throws Exception {
        byte[] pair = authorization == null ? null : decode(authorization);
        if (pair == null) {
            return null;
        }
        try {
            int colon = indexOfColon(pair);
            String user = colon < 0 ? null : text(pair, 0, colon);
            String password = colon < 0 ? null : text(pair, colon + 1, pair.length);
            return user != null && password != null && check.matches(user, password) ? user : null;
        } finally {
            Arrays.fill(pair, (byte) 0);
        }
    }

    /** The pair that was sent, or null if it is another scheme's or malformed. */
    private static byte @Nullable [] decode(String authorization) {
        int space = authorization.indexOf(' ');
        if (space < 0 || !authorization.substring(0, space).equalsIgnoreCase(SCHEME)) {
            return null;
        }
        try {
            return Base64.getDecoder()
                    .decode(authorization.substring(space + 1).trim().getBytes(ISO_8859_1));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static int indexOfColon(byte[] pair) {
        for (int i = 0; i < pair.length; i++) {
            if (pair[i] == ':') {
                return i;
            }
        }
        return -1;
    }

    private static @Nullable String text(byte[] bytes, int from, int to) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, from, to - from))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /** Names the challenge. */
    @Override
    public String toString() {
        return "Authenticator[" + challenges.get(0) + "]";
    }
}
