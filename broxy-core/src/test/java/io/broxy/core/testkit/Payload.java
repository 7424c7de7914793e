package io.broxy.core.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;

/** Bytes that look like nothing else, from a seed, and their digests. */
public final class Payload {
    private Payload() {}

    /** So many bytes, always the same ones for a seed. */
    public static byte[] bytes(int count, long seed) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** Writes so many bytes in pieces, and gives the SHA-256 of what was written. */
    public static String write(OutputStream to, long count, long seed) throws IOException {
        MessageDigest digest = sha256();
        Random random = new Random(seed);
        byte[] piece = new byte[32 << 10];
        for (long left = count; left > 0; ) {
            random.nextBytes(piece);
            int length = (int) Math.min(left, piece.length);
            digest.update(piece, 0, length);
            to.write(piece, 0, length);
            left -= length;
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Reads to the end of a stream, and gives the SHA-256 of what was read. */
    public static String read(InputStream from) throws IOException {
        MessageDigest digest = sha256();
        byte[] piece = new byte[32 << 10];
        for (int count; (count = from.read(piece)) >= 0; ) {
            digest.update(piece, 0, count);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JVM has SHA-256", e);
        }
    }
}
