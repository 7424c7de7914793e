package io.broxy;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.regex.Pattern;

/** Addresses for tests, read by the JDK and not by the code under test. */
final class Literals {
    private static final Pattern LITERAL = Pattern.compile("[0-9]+(\\.[0-9]+){3}|[0-9a-fA-F.]*:[0-9a-fA-F:.]*");

    private Literals() {}

    /** The address of a literal; anything that the JDK would have to look up is a mistake of the test. */
    static InetAddress address(String literal) {
        if (!LITERAL.matcher(literal).matches()) {
            throw new IllegalArgumentException("no literal: " + literal);
        }
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(literal, e);
        }
    }

    /** The address of so many bytes at a distance after another one. */
    static InetAddress plus(InetAddress address, BigInteger distance) {
        byte[] bytes = address.getAddress();
        return ofNumber(new BigInteger(1, bytes).add(distance), bytes.length);
    }

    /** The first address of a block, read with the JDK. */
    static InetAddress first(String block) {
        return address(block.substring(0, block.indexOf('/')));
    }

    /** The last address of a block. */
    static InetAddress last(String block) {
        InetAddress first = first(block);
        int prefix = Integer.parseInt(block.substring(block.indexOf('/') + 1));
        int free = first.getAddress().length * 8 - prefix;
        return plus(first, BigInteger.ONE.shiftLeft(free).subtract(BigInteger.ONE));
    }

    static InetAddress of(byte... bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(Arrays.toString(bytes), e);
        }
    }

    private static InetAddress ofNumber(BigInteger number, int length) {
        byte[] digits = number.toByteArray();
        byte[] bytes = new byte[length];
        int count = Math.min(digits.length, length);
        System.arraycopy(digits, digits.length - count, bytes, length - count, count);
        return of(bytes);
    }
}
