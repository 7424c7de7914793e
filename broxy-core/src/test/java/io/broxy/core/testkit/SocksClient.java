package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/** A client's side of SOCKS 4, 4a and 5 (RFC 1928, RFC 1929): its messages, and the replies that it reads. */
public final class SocksClient {
    /**
     * What a proxy replies to a request.
     *
     * @param code 0 in SOCKS5, 90 in SOCKS 4 if the tunnel is open
     * @param bound the address that the proxy connects from
     */
    public record Reply(int code, InetSocketAddress bound) {}

    @FunctionalInterface
    private interface Message {
        void write(DataOutputStream out) throws IOException;
    }

    private SocksClient() {}

    private static byte[] bytes(Message message) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            message.write(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** The greeting that offers no authentication. */
    public static byte[] greeting() {
        return new byte[] {5, 1, 0};
    }

    /** The greeting that offers user name and password. */
    public static byte[] greetingWithPassword() {
        return new byte[] {5, 1, 2};
    }

    /** User name and password. */
    public static byte[] login(String user, String password) {
        return bytes(out -> {
            out.writeByte(1);
            out.writeByte(user.getBytes(UTF_8).length);
            out.write(user.getBytes(UTF_8));
            out.writeByte(password.getBytes(UTF_8).length);
            out.write(password.getBytes(UTF_8));
        });
    }

    /** The request of SOCKS5 for a tunnel. */
    public static byte[] connect(HostPort target) {
        return request(1, target);
    }

    /** A request of SOCKS5 with any command. */
    public static byte[] request(int command, HostPort target) {
        return bytes(out -> {
            out.write(new byte[] {5, (byte) command, 0});
            if (target.isLiteral()) {
                byte[] address = InetAddress.getByName(target.host()).getAddress();
                out.writeByte(address.length == 4 ? 1 : 4);
                out.write(address);
            } else {
                out.writeByte(3);
                out.writeByte(target.host().length());
                out.writeBytes(target.host());
            }
            out.writeShort(target.port());
        });
    }

    /** The request of SOCKS 4 for a tunnel, or of 4a if the target is a name. */
    public static byte[] connect4(HostPort target) {
        return bytes(out -> {
            out.write(new byte[] {4, 1});
            out.writeShort(target.port());
            out.write(target.isLiteral() ? InetAddress.getByName(target.host()).getAddress() : new byte[] {0, 0, 0, 1});
            out.writeBytes("me\0");
            if (!target.isLiteral()) {
                out.writeBytes(target.host() + "\0");
            }
        });
    }

    /** Reads a reply of SOCKS5. */
    public static Reply reply(Peer peer) throws IOException {
        byte[] start = peer.read(4);
        assertThat(start).as("version and reserved byte").startsWith(5).hasSize(4);
        assertThat(start[2]).isZero();
        byte[] address = peer.read(start[3] == 1 ? 4 : 16);
        return new Reply(start[1], new InetSocketAddress(InetAddress.getByAddress(address), port(peer.read(2))));
    }

    /** Reads a reply of SOCKS 4. */
    public static Reply reply4(Peer peer) throws IOException {
        byte[] start = peer.read(2);
        assertThat(start[0]).isZero();
        int port = port(peer.read(2));
        return new Reply(start[1], new InetSocketAddress(InetAddress.getByAddress(peer.read(4)), port));
    }

    private static int port(byte[] bytes) {
        return ByteBuffer.wrap(bytes).getShort() & 0xffff;
    }

    /** Sends a greeting without authentication and a request for a tunnel, and reads the reply. */
    public static Reply ask(Peer peer, HostPort target) throws IOException {
        peer.send(greeting());
        assertThat(peer.read(2)).containsExactly(5, 0);
        return reply(peer.send(connect(target)));
    }

    /** Opens a tunnel. */
    public static Peer open(Peer peer, HostPort target) throws IOException {
        assertThat(ask(peer, target).code()).isZero();
        return peer;
    }
}
