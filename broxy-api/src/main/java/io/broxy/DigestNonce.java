package io.broxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A nonce of a proxy with all that its Digest challenge says, and the hash of the password: computes the credentials of any number
 * of requests (RFC 7616 section 3.4).
 *
 * <p>Texts of the proxy are sent back, and hashed, with the bytes that they came in, whatever their charset.
 *
 * <p>Threading: thread-safe.
 */
final class DigestNonce {
    private static final String SESSION = "-SESS";

    /** The names that RFC 7616 section 6.1 registers, and those of Java. */
    private static final Map<String, String> HASHES =
            Map.of("MD5", "MD5", "SHA-256", "SHA-256", "SHA-512-256", "SHA-512/256");

    private final ProxyChallenge challenge;
    private final MessageDigest hash;
    private final boolean withQop;
    private final String nonce;
    /** One for all requests: with a {@code -sess} algorithm the first one is a part of the key. */
    private final String cnonce;

    private final String user;
    private final String key;
    private final AtomicInteger count = new AtomicInteger();

    private DigestNonce(ProxyChallenge challenge, Credentials credentials, String nonce, String cnonce) {
        this.challenge = challenge;
        this.hash = Objects.requireNonNull(hash(challenge), "a hash that is known");
        this.withQop = challenge.parameter("qop") != null;
        this.nonce = nonce;
        this.cnonce = cnonce;
        byte[] realm = (":" + challenge.parameters().getOrDefault("realm", "")).getBytes(ISO_8859_1);
        byte[] name = credentials.user().getBytes(UTF_8);
        String secret = hash(name, realm, (":" + credentials.password()).getBytes(UTF_8));
        key = isSession() ? hash(bytes(secret + ":" + nonce + ":" + cnonce)) : secret;
        user = isTrue("userhash") ? hash(name, realm) : credentials.user();
    }

    /**
     * The nonce of a challenge.
     *
     * @param challenge one that has a {@link #strength}
     */
    static DigestNonce of(ProxyChallenge challenge, Credentials credentials, String cnonce) {
        return new DigestNonce(challenge, credentials, challenge.parameters().getOrDefault("nonce", ""), cnonce);
    }

    /** The nonce that the proxy wants to have next; the rest of its challenge is as before. */
    DigestNonce followedBy(String nextNonce, Credentials credentials, String nextCnonce) {
        return new DigestNonce(challenge, credentials, nextNonce, nextCnonce);
    }

    /** How strong the algorithm of a challenge is; 0 if the challenge is none of Digest, or one that cannot be answered. */
    static int strength(ProxyChallenge challenge) {
        boolean sound = challenge.is("Digest")
                && challenge.parameter("realm") != null
                && challenge.parameter("nonce") != null
                && isQopKnown(challenge.parameter("qop"));
        MessageDigest hash = sound ? hash(challenge) : null;
        return hash == null ? 0 : hash.getDigestLength();
    }

    private static boolean isQopKnown(@Nullable String offered) {
        if (offered == null) {
            return true; // RFC 2069
        }
        for (String qop : offered.split(",", -1)) {
            if (qop.strip().equalsIgnoreCase("auth")) {
                return true;
            }
        }
        return false;
    }

    /** Null for an algorithm that is not known, or that this JVM must not use. */
    private static @Nullable MessageDigest hash(ProxyChallenge challenge) {
        String name = algorithm(challenge);
        String plain = name.endsWith(SESSION) ? name.substring(0, name.length() - SESSION.length()) : name;
        String known = HASHES.get(plain);
        try {
            return known == null ? null : MessageDigest.getInstance(known);
        } catch (NoSuchAlgorithmException e) {
            return null;
        }
    }

    private static String algorithm(ProxyChallenge challenge) {
        return challenge.parameters().getOrDefault("algorithm", "MD5").toUpperCase(Locale.ROOT);
    }

    private boolean isSession() {
        return algorithm(challenge).endsWith(SESSION);
    }

    private boolean isTrue(String parameter) {
        return "true".equalsIgnoreCase(challenge.parameter(parameter));
    }

    // ------------------------------------------------------------------ credentials

    /** The value of {@code Proxy-Authorization} for the next request. */
    String authorize(ProxyAuthentication.Request request) {
        String nc = String.format("%08x", count.incrementAndGet());
        String message = hash(bytes(request.method() + ":" + request.requestTarget()));
        String middle = withQop ? nonce + ":" + nc + ":" + cnonce + ":auth" : nonce;
        String response = hash(bytes(key + ":" + middle + ":" + message));

        StringBuilder value = new StringBuilder("Digest ").append(userParameter());
        quoted(value, "realm", challenge.parameters().getOrDefault("realm", ""));
        quoted(value, "nonce", nonce);
        quoted(value, "uri", request.requestTarget());
        quoted(value, "response", response);
        String algorithm = challenge.parameter("algorithm");
        if (algorithm != null) {
            value.append(", algorithm=").append(algorithm);
        }
        if (withQop) {
            value.append(", qop=auth, nc=").append(nc);
        }
        if (withQop || isSession()) {
            quoted(value, "cnonce", cnonce);
        }
        String opaque = challenge.parameter("opaque");
        if (opaque != null) {
            quoted(value, "opaque", opaque);
        }
        if (isTrue("userhash")) {
            value.append(", userhash=true");
        }
        return value.toString();
    }

    /** A name that quotes cannot hold goes in the form of RFC 8187 (RFC 7616 section 3.4). */
    private String userParameter() {
        if (US_ASCII.newEncoder().canEncode(user)) {
            return "username=\"" + escaped(user) + '"';
        }
        StringBuilder coded = new StringBuilder("username*=UTF-8''");
        for (byte b : user.getBytes(UTF_8)) {
            if (FieldSyntax.isAlphanumeric(b)) {
                coded.append((char) b);
            } else {
                coded.append('%').append(HexFormat.of().withUpperCase().toHexDigits(b));
            }
        }
        return coded.toString();
    }

    private static void quoted(StringBuilder to, String name, String value) {
        to.append(", ").append(name).append("=\"").append(escaped(value)).append('"');
    }

    private static String escaped(String value) {
        return value.replace("\\", "\\\\").replace("\"", "\\\"");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private String hash(byte[]... parts) {
        try {
            MessageDigest own = (MessageDigest) hash.clone();
            for (byte[] part : parts) {
                own.update(part);
            }
            return HexFormat.of().formatHex(own.digest());
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("a hash that cannot be cloned", e);
        }
    }
}
