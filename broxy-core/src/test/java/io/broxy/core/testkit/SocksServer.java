package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * A SOCKS5 proxy's side of the handshake (RFC 1928), and that of SOCKS 4 and 4a, step by step, for the scripts of an {@link
 * Origin}.
 */
public final class SocksServer {
    /** The reply that the connection is open, with an IPv4 address. */
    public static final byte[] OPEN = hex("05 00 00 01 7f 00 00 01 12 34");

    /** The reply of SOCKS 4 that the connection is open. */
    public static final byte[] GRANTED = hex("00 5a 12 34 7f 00 00 01");

    private static final byte[] NO_AUTHENTICATION = hex("05 00");

    /** Addresses as they are asked for. */
    public enum Family {
        IPV4,
        NAME,
        IPV6
    }

    /** A request to connect. */
    public record Request(Family family, String host, int port) {}

    /** A request of SOCKS 4 to connect. */
    public record Request4(String userId, Family family, String host, int port) {}

    private SocksServer() {}

    /** Bytes from their hexadecimal digits. */
    public static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits.replace(" ", ""));
    }

    /** Reads which methods of authentication are offered, as hexadecimal digits. */
    public static String methods(Peer peer) throws IOException {
        byte[] start = peer.read(2);
        assertThat(start[0]).as("version").isEqualTo((byte) 5);
        return HexFormat.ofDelimiter(" ").formatHex(peer.read(start[1] & 0xff));
    }

    /** Reads user name and password, as {@code user:password}. */
    public static String password(Peer peer) throws IOException {
        assertThat(peer.read(1)).as("version").containsExactly(1);
        String user = peer.readText(peer.read(1)[0] & 0xff);
        return user + ":" + peer.readText(peer.read(1)[0] & 0xff);
    }

    /** Reads a request. */
    public static Request request(Peer peer) throws IOException {
        byte[] start = peer.read(4);
        assertThat(HexFormat.of().formatHex(start, 0, 3))
                .as("version, CONNECT, reserved")
                .isEqualTo("050100");
        Family family = switch (start[3]) {
            case 1 -> Family.IPV4;
            case 3 -> Family.NAME;
            case 4 -> Family.IPV6;
            default -> throw new AssertionError("no type of address: " + start[3]);
        };
        String host = switch (family) {
            case IPV4 -> InetAddress.getByAddress(peer.read(4)).getHostAddress();
            case IPV6 -> InetAddress.getByAddress(peer.read(16)).getHostAddress();
            case NAME -> new String(peer.read(peer.read(1)[0] & 0xff), ISO_8859_1);
        };
        return new Request(family, host, ByteBuffer.wrap(peer.read(2)).getShort() & 0xffff);
    }

    /** Reads a request of SOCKS 4 or 4a. */
    public static Request4 request4(Peer peer) throws IOException {
        ByteBuffer start = ByteBuffer.wrap(peer.read(8));
        assertThat(start.getShort()).as("version, CONNECT").isEqualTo((short) 0x0401);
        int port = start.getShort() & 0xffff;
        byte[] address = new byte[4];
        start.get(address);
        String userId = text(peer);
        boolean named = address[0] == 0 && address[1] == 0 && address[2] == 0 && address[3] != 0;
        return named
                ? new Request4(userId, Family.NAME, text(peer), port)
                : new Request4(
                        userId, Family.IPV4, InetAddress.getByAddress(address).getHostAddress(), port);
    }

    private static String text(Peer peer) throws IOException {
        StringBuilder text = new StringBuilder();
        for (byte b = peer.read(1)[0]; b != 0; b = peer.read(1)[0]) {
            text.append((char) (b & 0xff));
        }
        return text.toString();
    }

    /** Asks for no authentication, and reads the request. */
    public static Request accept(Peer peer) throws IOException {
        methods(peer);
        peer.send(NO_AUTHENTICATION);
        return request(peer);
    }

    /** Connects to what is asked for, and passes bytes on until the client's end and then the target's. */
    public static void relay(Peer peer) throws Exception {
        Request request = accept(peer);
        try (Socket target = new Socket(request.host(), request.port())) {
            peer.send(OPEN);
            CompletableFuture<?> back = Background.run(() -> {
                target.getInputStream().transferTo(peer.socket().getOutputStream());
                peer.shutdownOutput();
            });
            peer.socket().getInputStream().transferTo(target.getOutputStream());
            target.shutdownOutput();
            try {
                back.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException broken ? broken : e;
            }
        }
    }
}
