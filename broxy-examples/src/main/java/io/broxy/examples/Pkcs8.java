package io.broxy.examples;

import java.security.spec.InvalidKeySpecException;
import org.jspecify.annotations.Nullable;

/**
 * Wraps the traditional forms of private keys into PKCS #8 (RFC 5958), the one form that the JDK's {@code KeyFactory}
 * takes, and reads the algorithm of such a key.
 *
 * <p>Threading: stateless.
 */
final class Pkcs8 {
    private static final byte[] VERSION_0 = {Der.INTEGER, 1, 0};
    private static final byte[] NULL = {Der.NULL, 0};

    /** 1.2.840.113549.1.1.1. */
    private static final byte[] RSA_ENCRYPTION = {
        Der.OBJECT_IDENTIFIER, 9, 0x2A, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xF7, 0x0D, 1, 1, 1
    };

    /** 1.2.840.10045.2.1. */
    private static final byte[] EC_PUBLIC_KEY = {
        Der.OBJECT_IDENTIFIER, 7, 0x2A, (byte) 0x86, 0x48, (byte) 0xCE, 0x3D, 2, 1
    };

    private Pkcs8() {}

    /**
     * What kind of key it is.
     *
     * @param identifier of the algorithm, such as {@code 1.2.840.10045.2.1}
     * @param curve the identifier in the parameters, which names the curve of an EC key; null if there is none
     */
    record Algorithm(String identifier, @Nullable String curve) {}

    /** Wraps an {@code RSAPrivateKey} (RFC 8017, A.1.2). */
    static byte[] ofRsa(byte[] pkcs1) {
        return wrap(Der.element(Der.SEQUENCE, RSA_ENCRYPTION, NULL), pkcs1);
    }

    /**
     * Wraps an {@code ECPrivateKey} (RFC 5915).
     *
     * @param parameters of the curve, for a key that has none within itself; null if there are none
     * @throws InvalidKeySpecException if it is no such key
     */
    static byte[] ofEc(byte[] sec1, byte @Nullable [] parameters) throws InvalidKeySpecException {
        Der fields = Der.of(sec1).enter(Der.SEQUENCE).skip(Der.INTEGER).skip(Der.OCTET_STRING);
        byte[] curve;
        if (fields.nextIs(Der.CONTEXT_0)) {
            curve = fields.enter(Der.CONTEXT_0).rest();
        } else {
            curve = parameters == null ? new byte[0] : parameters;
        }
        return wrap(Der.element(Der.SEQUENCE, EC_PUBLIC_KEY, curve), sec1);
    }

    private static byte[] wrap(byte[] algorithm, byte[] key) {
        return Der.element(Der.SEQUENCE, VERSION_0, algorithm, Der.element(Der.OCTET_STRING, key));
    }

    /**
     * Reads the algorithm.
     *
     * @throws InvalidKeySpecException if it is no key in PKCS #8
     */
    static Algorithm algorithm(byte[] pkcs8) throws InvalidKeySpecException {
        Der fields = Der.of(pkcs8).enter(Der.SEQUENCE).skip(Der.INTEGER).enter(Der.SEQUENCE);
        String identifier = fields.enter(Der.OBJECT_IDENTIFIER).dotted();
        boolean named = fields.nextIs(Der.OBJECT_IDENTIFIER);
        return new Algorithm(
                identifier, named ? fields.enter(Der.OBJECT_IDENTIFIER).dotted() : null);
    }
}
