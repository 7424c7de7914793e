package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Users whose passwords were right a moment ago: bcrypt is made to be slow, and a browser sends a password with each of a
 * hundred requests. What is kept is a keyed hash whose key never leaves this object.
 *
 * <p>Threading: thread-safe; the lock guards {@code ends}.
 */
final class RecentLogins {
    private static final String ALGORITHM = "HmacSHA256";
    private static final long KEPT_NANOS = Duration.ofMinutes(5).toNanos();
    private static final int MOST = 10_000;

    private final SecretKeySpec key;
    private final LongSupplier nanos;
    private final Object lock = new Object();

    /** When each is forgotten; the oldest come first. */
    private final Map<ByteBuffer, Long> ends = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Long> eldest) {
            return size() > MOST;
        }
    };

    RecentLogins(LongSupplier nanos) {
        this.nanos = nanos;
        byte[] random = new byte[32];
        new SecureRandom().nextBytes(random);
        this.key = new SecretKeySpec(random, ALGORITHM);
    }

    void add(String user, String password) {
        ByteBuffer mark = mark(user, password);
        synchronized (lock) {
            ends.remove(mark);
            ends.put(mark, nanos.getAsLong() + KEPT_NANOS);
        }
    }

    boolean contains(String user, String password) {
        ByteBuffer mark = mark(user, password);
        synchronized (lock) {
            Long end = ends.get(mark);
            if (end != null && end - nanos.getAsLong() <= 0) {
                ends.remove(mark);
                return false;
            }
            return end != null;
        }
    }

    private ByteBuffer mark(String user, String password) {
        byte[] secret = password.getBytes(UTF_8);
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            mac.update(user.getBytes(UTF_8));
            mac.update((byte) ':'); // no user has one
            return ByteBuffer.wrap(mac.doFinal(secret));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has " + ALGORITHM, e);
        } finally {
            Arrays.fill(secret, (byte) 0);
        }
    }
}
