package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Computes marks that identify credentials without storing them: hashes with a random key that never leaves this object.
 * Credentials that are equal under the Basic scheme (RFC 7617) have equal marks, regardless of their encoding.
 *
 * <p>Threading: thread-safe.
 */
final class CredentialMarks {
    private static final String ALGORITHM = "HmacSHA256";
    private static final int KEY_BYTES = 32;
    private static final String BASIC = "Basic ";

    private static final byte BASIC_CREDENTIALS = 1;
    private static final byte OTHER_CREDENTIALS = 2;
    private static final byte USER = 3;
    private static final byte SPELLING = 4;

    private final SecretKeySpec key;

    /**
     * The marks of credentials.
     *
     * @param credentials of the complete credentials
     * @param user of the user name, ignoring case; malformed credentials and those of other schemes, whose format is not known,
     *     each count as a separate user
     * @param spelling of the user name with its case, since that may distinguish accounts
     * <p>Threading: immutable.
     */
    record Mark(long credentials, long user, long spelling) {}

    CredentialMarks() {
        byte[] random = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(random);
        key = new SecretKeySpec(random, ALGORITHM);
    }

    /** The marks of a {@code Proxy-Authorization}. */
    Mark of(String authorization) {
        byte[] pair = basicPair(authorization);
        int colon = pair == null ? -1 : indexOfColon(pair);
        if (pair == null || colon < 0) {
            long mark = hash(OTHER_CREDENTIALS, authorization.strip().getBytes(UTF_8));
            return new Mark(mark, mark, mark);
        }
        byte[] user = Arrays.copyOf(pair, colon);
        Mark mark = new Mark(hash(BASIC_CREDENTIALS, pair), hash(USER, folded(user)), hash(SPELLING, user));
        Arrays.fill(pair, (byte) 0);
        return mark;
    }

    private static byte @Nullable [] basicPair(String authorization) {
        if (!authorization.regionMatches(true, 0, BASIC, 0, BASIC.length())) {
            return null;
        }
        try {
            return Base64.getDecoder()
                    .decode(authorization.substring(BASIC.length()).trim().getBytes(ISO_8859_1));
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

    /** Folds case as {@link String#equalsIgnoreCase} does, which converts to upper case first. */
    private static byte[] folded(byte[] user) {
        try {
            return UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(user))
                    .toString()
                    .toUpperCase(Locale.ROOT)
                    .toLowerCase(Locale.ROOT)
                    .getBytes(UTF_8);
        } catch (CharacterCodingException e) {
            return user;
        }
    }

    private long hash(byte kind, byte[] bytes) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            mac.update(kind);
            return ByteBuffer.wrap(mac.doFinal(bytes)).getLong();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM must have " + ALGORITHM, e);
        }
    }
}
