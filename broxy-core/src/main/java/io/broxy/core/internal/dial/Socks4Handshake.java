package io.broxy.core.internal.dial;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.broxy.DialException.Reason;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import io.broxy.core.internal.socks.Socks5;
import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * SOCKS 4 CONNECT as a client, and its extension 4a for names: one request, and one reply of 8 bytes.
 *
 * <p>Threading: for one thread at a time.
 */
final class Socks4Handshake implements Handshake {
    private static final byte VERSION = 4;

    /** A reply is of this version; some servers send that of the protocol, and the JDK accepts it, too. */
    private static final byte REPLY_VERSION = 0;

    private static final int GRANTED = 90;

    /** An address 0.0.0.x in the request announces a name behind the user id, unless x is 0 (SOCKS 4a). */
    private static final int NAME_FOLLOWS = 1;

    private final ByteBuffer request;
    /** Version, reply code, and a port and an address, which mean nothing after CONNECT. */
    private final ByteBuffer reply = ByteBuffer.allocate(8);

    private boolean over;

    /**
     * Creates a handshake.
     *
     * @param target no IPv6 address
     * @param userId without a NUL
     */
    Socks4Handshake(HostPort target, String userId) {
        byte[] user = userId.getBytes(UTF_8);
        byte[] name = target.host().getBytes(US_ASCII);
        boolean named = isSentAsName(target);
        request = ByteBuffer.allocate(8 + user.length + 1 + name.length + 1)
                .put(VERSION)
                .put(Socks5.CONNECT)
                .putShort((short) target.port());
        if (named) {
            request.putInt(NAME_FOLLOWS);
        } else {
            request.put(bytes(target));
        }
        request.put(user).put((byte) 0);
        if (named) {
            request.put(name).put((byte) 0);
        }
        request.flip();
    }

    /** An address that would announce a name is sent as one. */
    private static boolean isSentAsName(HostPort target) {
        if (target.address() == null) {
            return true;
        }
        int address = ByteBuffer.wrap(bytes(target)).getInt();
        return address >>> 8 == 0 && address != 0;
    }

    private static byte[] bytes(HostPort target) {
        if (target.address() instanceof Inet4Address address) {
            return address.getAddress();
        }
        throw new IllegalArgumentException("SOCKS 4 has no IPv6 addresses");
    }

    @Override
    public ByteBuffer output() {
        return request;
    }

    @Override
    public Step feed(ByteBuffer in) throws HandshakeException {
        if (over) {
            throw new IllegalStateException("the handshake is over");
        }
        int count = Math.min(in.remaining(), reply.remaining());
        reply.put(in.slice().limit(count));
        in.position(in.position() + count);
        if (reply.hasRemaining()) {
            return Step.READ;
        }
        over = true;
        if (!isReply()) {
            throw HandshakeException.protocol("the proxy does not speak SOCKS version 4");
        }
        if (code() != GRANTED) {
            throw refusal();
        }
        return Step.DONE;
    }

    private boolean isReply() {
        byte version = reply.get(0);
        return version == REPLY_VERSION || version == VERSION;
    }

    private int code() {
        return reply.get(1) & 0xff;
    }

    private HandshakeException refusal() {
        Reason reason = switch (code()) {
            case 91 -> Reason.PROXY_REFUSED;
            case 92, 93 -> Reason.PROXY_AUTH;
            default -> Reason.PROTOCOL;
        };
        ProxyReply answer = new ProxyReply(ProxyReply.Protocol.SOCKS4, code(), List.of(), ByteBuffer.allocate(0));
        return HandshakeException.refused(reason, answer, null, false);
    }

    /** The code is at the beginning of a reply, and the rest does not matter after a refusal. */
    @Override
    public @Nullable HandshakeException refusalSoFar() {
        return reply.position() >= 2 && isReply() && code() != GRANTED ? refusal() : null;
    }

    @Override
    public boolean answered() {
        return reply.position() > 0;
    }
}
