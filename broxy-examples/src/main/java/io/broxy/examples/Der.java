package io.broxy.examples;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.security.spec.InvalidKeySpecException;

/**
 * Reads and writes DER (X.690) as far as private keys need it: elements with a tag of one byte and a definite length.
 *
 * <p>Threading: a reader is for one thread.
 */
final class Der {
    static final int INTEGER = 0x02;
    static final int OCTET_STRING = 0x04;
    static final int NULL = 0x05;
    static final int OBJECT_IDENTIFIER = 0x06;
    static final int SEQUENCE = 0x30;

    /** The constructed element with the context-specific tag 0. */
    static final int CONTEXT_0 = 0xA0;

    private static final int LONG_LENGTH = 0x80;
    private static final int MOST_LENGTH_BYTES = 3;

    private final ByteBuffer in;

    private Der(ByteBuffer in) {
        this.in = in;
    }

    /** An element that consists of other elements, or of bytes. */
    static byte[] element(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        int length = content.size();
        if (length < LONG_LENGTH) {
            out.write(length);
        } else {
            int bytes = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 7) / 8;
            out.write(LONG_LENGTH | bytes);
            for (int i = bytes - 1; i >= 0; i--) {
                out.write(length >>> (8 * i));
            }
        }
        out.writeBytes(content.toByteArray());
        return out.toByteArray();
    }

    /** Begins to read. */
    static Der of(byte[] bytes) {
        return new Der(ByteBuffer.wrap(bytes));
    }

    /** Whether nothing is left. */
    boolean isEmpty() {
        return !in.hasRemaining();
    }

    /** Whether the next element has this tag. */
    boolean nextIs(int tag) {
        return in.hasRemaining() && Byte.toUnsignedInt(in.get(in.position())) == tag;
    }

    /**
     * The content of the next element.
     *
     * @throws InvalidKeySpecException if it has another tag, or is cut off
     */
    Der enter(int tag) throws InvalidKeySpecException {
        if (!nextIs(tag)) {
            throw new InvalidKeySpecException("expected an element with the tag " + tag);
        }
        try {
            in.get();
            int length = length();
            Der content = new Der(in.slice(in.position(), length));
            in.position(in.position() + length);
            return content;
        } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
            throw new InvalidKeySpecException("an element is cut off", e);
        }
    }

    private int length() throws InvalidKeySpecException {
        int first = Byte.toUnsignedInt(in.get());
        if (first < LONG_LENGTH) {
            return first;
        }
        int bytes = first - LONG_LENGTH;
        if (bytes == 0 || bytes > MOST_LENGTH_BYTES) {
            throw new InvalidKeySpecException("an element has an unusable length");
        }
        int length = 0;
        for (int i = 0; i < bytes; i++) {
            length = length << 8 | Byte.toUnsignedInt(in.get());
        }
        return length;
    }

    /**
     * Reads past the next element.
     *
     * @throws InvalidKeySpecException if it has another tag, or is cut off
     */
    Der skip(int tag) throws InvalidKeySpecException {
        enter(tag);
        return this;
    }

    /** What is left. */
    byte[] rest() {
        byte[] rest = new byte[in.remaining()];
        in.duplicate().get(rest);
        return rest;
    }

    /** The content of an object identifier, which is what is left, as {@code 1.2.840.113549}. */
    String dotted() {
        StringBuilder dotted = new StringBuilder();
        BigInteger arc = BigInteger.ZERO;
        for (byte b : rest()) {
            arc = arc.shiftLeft(7).or(BigInteger.valueOf(b & 0x7F));
            if (b >= 0) {
                if (dotted.isEmpty()) { // the first two arcs share a number
                    int root = Math.min(arc.divide(BigInteger.valueOf(40)).intValue(), 2);
                    dotted.append(root).append('.').append(arc.subtract(BigInteger.valueOf(40L * root)));
                } else {
                    dotted.append('.').append(arc);
                }
                arc = BigInteger.ZERO;
            }
        }
        return dotted.toString();
    }
}
