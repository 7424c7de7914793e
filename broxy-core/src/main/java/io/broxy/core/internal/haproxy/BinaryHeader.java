package io.broxy.core.internal.haproxy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Version 2: a signature, four bytes, and a block of addresses and type-length-values (proxy-protocol.txt, section 2.2).
 *
 * <p>LOCAL's block is skipped unread, as the specification demands. So is PROXY's where the family or the protocol is
 * unspecified, since it is unknown where the addresses end there. Sockets of the UNIX family and datagrams cannot lead to
 * here, but they are valid, and a receiver that does not implement them has to take them for unspecified: their values
 * are checked and the addresses are not given.
 *
 * <p>Threading: stateless.
 */
final class BinaryHeader {
    /** How it begins. */
    static final byte[] SIGNATURE = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

    /** The signature, version and command, family and protocol, and the length of the block. */
    static final int START = 16;

    static final byte LOCAL = 0x20;
    static final byte PROXY = 0x21;
    static final byte TCP_OVER_IPV4 = 0x11;
    static final byte TCP_OVER_IPV6 = 0x21;

    private static final int UNSPECIFIED = 0;
    private static final int IPV4 = 1;
    private static final int IPV6 = 2;
    private static final int UNIX = 3;
    private static final int DATAGRAM = 2;

    private static final int VERSION_AT = 12;
    private static final int FAMILY_AT = 13;
    private static final int LENGTH_AT = 14;

    private static final int TYPE_AND_LENGTH = 3;
    private static final int CRC32C_TYPE = 3;
    private static final int CRC32C_LENGTH = 4;

    private BinaryHeader() {}

    /** Version 2, with LOCAL or PROXY. */
    static void checkVersionAndCommand(byte b) throws ProxyHeaderException {
        if (b != LOCAL && b != PROXY) {
            throw new ProxyHeaderException("neither LOCAL nor PROXY of version 2");
        }
    }

    /** The family and the protocol of LOCAL are ignored; those of PROXY have to be ones that exist. */
    static void checkFamily(byte versionAndCommand, byte b) throws ProxyHeaderException {
        if (versionAndCommand == PROXY && (family(b) > UNIX || protocol(b) > DATAGRAM)) {
            throw new ProxyHeaderException("no such family or protocol");
        }
    }

    static int blockLength(byte[] header) {
        return shortAt(header, LENGTH_AT);
    }

    /** Reads a header of which all that can be said before its block has been checked. */
    static ProxyHeader read(byte[] header, int length) throws ProxyHeaderException {
        byte both = header[FAMILY_AT];
        if (header[VERSION_AT] == LOCAL || family(both) == UNSPECIFIED || protocol(both) == UNSPECIFIED) {
            return ProxyHeader.UNKNOWN;
        }
        int addressLength = addressLength(family(both));
        int addressesEnd = START + addressesLength(family(both));
        if (addressesEnd > length) {
            throw new ProxyHeaderException("the block is shorter than its addresses");
        }
        checkValues(header, addressesEnd, length);
        if (both != TCP_OVER_IPV4 && both != TCP_OVER_IPV6) {
            return ProxyHeader.UNKNOWN;
        }
        int ports = START + 2 * addressLength;
        return new ProxyHeader(
                new InetSocketAddress(address(header, START, addressLength), shortAt(header, ports)),
                new InetSocketAddress(
                        address(header, START + addressLength, addressLength), shortAt(header, ports + Short.BYTES)));
    }

    private static int addressLength(int family) {
        return switch (family) {
            case IPV4 -> 4;
            case IPV6 -> 16;
            default -> 108;
        };
    }

    /** Both addresses, and two ports where the family has some. */
    private static int addressesLength(int family) {
        return 2 * addressLength(family) + (family == UNIX ? 0 : 2 * Short.BYTES);
    }

    /** Each type-length-value has to end within the block. Of what they say only the checksum is of interest. */
    private static void checkValues(byte[] header, int from, int to) throws ProxyHeaderException {
        boolean checked = false;
        for (int at = from; at < to; ) {
            int value = at + TYPE_AND_LENGTH;
            int valueLength = value > to ? 0 : shortAt(header, at + 1);
            if (value + valueLength > to) {
                throw new ProxyHeaderException("a type-length-value is longer than the block");
            }
            if (header[at] == CRC32C_TYPE) {
                if (checked || valueLength != CRC32C_LENGTH) {
                    throw new ProxyHeaderException("the checksum is not one of four bytes");
                }
                checkSum(header, to, value);
                checked = true;
            }
            at = value + valueLength;
        }
    }

    /** CRC-32C (RFC 4960, appendix B) of the whole header with zeros in the place of the checksum. */
    private static void checkSum(byte[] header, int length, int valueAt) throws ProxyHeaderException {
        int wanted = shortAt(header, valueAt) << 16 | shortAt(header, valueAt + Short.BYTES);
        byte[] zeroed = Arrays.copyOf(header, length);
        Arrays.fill(zeroed, valueAt, valueAt + CRC32C_LENGTH, (byte) 0);
        CRC32C sum = new CRC32C();
        sum.update(zeroed);
        if ((int) sum.getValue() != wanted) {
            throw new ProxyHeaderException("the checksum is wrong");
        }
    }

    /** An IPv4-mapped address becomes the IPv4 address, as everywhere in the JDK. */
    private static InetAddress address(byte[] header, int at, int length) {
        try {
            return InetAddress.getByAddress(Arrays.copyOfRange(header, at, at + length));
        } catch (UnknownHostException e) {
            throw new AssertionError("an address has 4 or 16 bytes", e);
        }
    }

    private static int family(byte b) {
        return b >>> 4 & 0xf;
    }

    private static int protocol(byte b) {
        return b & 0xf;
    }

    private static int shortAt(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
    }
}
