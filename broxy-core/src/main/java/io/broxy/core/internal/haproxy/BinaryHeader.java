package io.broxy.core.internal.haproxy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Parses version 2: a signature, four bytes, and a block of addresses and type-length-values (proxy-protocol.txt, section 2.2).
 *
 * <p>The block of a LOCAL header is skipped, as the specification requires. So is that of a PROXY header with an unspecified
 * family or protocol, where the length of the addresses is unknown. The UNIX family and datagrams cannot occur here but are
 * valid, and a receiver that does not implement them must treat them as unspecified: their type-length-values are checked, and
 * the addresses are ignored.
 *
 * <p>Threading: stateless.
 */
final class BinaryHeader {
    /** The signature at the start of the header. */
    static final byte[] SIGNATURE = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

    /** The length of the fixed part: signature, version and command, family and protocol, and the length of the block. */
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

    /** Requires version 2 with the command LOCAL or PROXY. */
    static void checkVersionAndCommand(byte b) throws ProxyHeaderException {
        if (b != LOCAL && b != PROXY) {
            throw new ProxyHeaderException("neither LOCAL nor PROXY of version 2");
        }
    }

    /** Requires a known family and protocol for PROXY; those of LOCAL are ignored. */
    static void checkFamily(byte versionAndCommand, byte b) throws ProxyHeaderException {
        if (versionAndCommand == PROXY && (family(b) > UNIX || protocol(b) > DATAGRAM)) {
            throw new ProxyHeaderException("no such family or protocol");
        }
    }

    static int blockLength(byte[] header) {
        return shortAt(header, LENGTH_AT);
    }

    /** Reads a complete header whose fixed part has been checked. */
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

    /** The length of both addresses, and of two ports if the family has ports. */
    private static int addressesLength(int family) {
        return 2 * addressLength(family) + (family == UNIX ? 0 : 2 * Short.BYTES);
    }

    /** Requires that each type-length-value ends within the block. Only the checksum is evaluated. */
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
                    throw new ProxyHeaderException("the checksum does not have four bytes");
                }
                checkSum(header, to, value);
                checked = true;
            }
            at = value + valueLength;
        }
    }

    /** Verifies the CRC-32C (RFC 4960, appendix B) of the whole header with zeros in place of the checksum. */
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
