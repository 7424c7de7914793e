package io.broxy.core.internal.dial;

import static io.broxy.core.internal.socks.Socks5.AUTH_VERSION;
import static io.broxy.core.internal.socks.Socks5.CONNECT;
import static io.broxy.core.internal.socks.Socks5.IPV4;
import static io.broxy.core.internal.socks.Socks5.IPV6;
import static io.broxy.core.internal.socks.Socks5.NAME;
import static io.broxy.core.internal.socks.Socks5.NO_ACCEPTABLE_METHOD;
import static io.broxy.core.internal.socks.Socks5.NO_AUTHENTICATION;
import static io.broxy.core.internal.socks.Socks5.USER_AND_PASSWORD;
import static io.broxy.core.internal.socks.Socks5.VERSION;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.broxy.Credentials;
import io.broxy.DialException.Reason;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import io.broxy.ProxyUri;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * SOCKS5 CONNECT as a client (RFC 1928), with user name and password where there are some (RFC 1929).
 *
 * <pre>
 *   greeting ──> METHOD ──"none"──────────────────────> request ──> REPLY ──> BOUND ──> done
 *                  └──"password"──> password ──> STATUS ───^
 * </pre>
 *
 * <p>Threading: for one thread at a time.
 */
final class Socks5Handshake implements Handshake {
    /** Version, reply, reserved, address type, and the first byte of the address: a name's is its length. */
    private static final int REPLY_START = 5;

    private enum State {
        METHOD(2),
        STATUS(2),
        REPLY(REPLY_START),
        BOUND(0),
        OVER(0);

        private final int length;

        State(int length) {
            this.length = length;
        }
    }

    private final HostPort target;
    private final @Nullable Credentials credentials;
    private State state = State.METHOD;
    private ByteBuffer output;

    /** What the state waits for; a name's bound address has at most 254 bytes and a port besides. */
    private final ByteBuffer message = ByteBuffer.allocate(262).limit(State.METHOD.length);

    private boolean begun;

    /**
     * Creates a handshake.
     *
     * @param credentials that {@linkplain ProxyUri#of fit} their message, or null for none
     */
    Socks5Handshake(HostPort target, @Nullable Credentials credentials) {
        this.target = target;
        this.credentials = credentials;
        this.output = ByteBuffer.wrap(
                credentials == null
                        ? new byte[] {VERSION, 1, NO_AUTHENTICATION}
                        : new byte[] {VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD});
    }

    @Override
    public ByteBuffer output() {
        return output;
    }

    @Override
    public Step feed(ByteBuffer in) throws HandshakeException {
        begun |= in.hasRemaining();
        while (in.hasRemaining()) {
            take(in);
            if (message.hasRemaining()) {
                break;
            }
            message.flip();
            Step step = complete();
            if (step != Step.READ) {
                return step;
            }
        }
        return Step.READ;
    }

    private void take(ByteBuffer in) {
        int count = Math.min(in.remaining(), message.remaining());
        message.put(in.slice().limit(count));
        in.position(in.position() + count);
    }

    private Step complete() throws HandshakeException {
        return switch (state) {
            case METHOD -> method();
            case STATUS -> status();
            case REPLY -> reply();
            case BOUND -> {
                state = State.OVER;
                yield Step.DONE;
            }
            case OVER -> throw new IllegalStateException("the handshake is over");
        };
    }

    private void await(State next, int length) {
        state = next;
        message.clear().limit(length);
    }

    private Step send(ByteBuffer next, State then) {
        output = next;
        await(then, then.length);
        return Step.SEND;
    }

    private Step method() throws HandshakeException {
        requireVersion();
        int method = message.get() & 0xff;
        if (method == NO_AUTHENTICATION) {
            return send(request(), State.REPLY);
        }
        if (method == USER_AND_PASSWORD && credentials != null) {
            return send(password(credentials), State.STATUS);
        }
        if (method == NO_ACCEPTABLE_METHOD) {
            throw refused(Reason.PROXY_AUTH, method);
        }
        throw HandshakeException.protocol("the proxy chose an authentication method that was not offered");
    }

    private Step status() throws HandshakeException {
        byte version = message.get();
        if (version != AUTH_VERSION
                && version != VERSION) { // some proxies answer with that of SOCKS; the status is clear
            throw HandshakeException.protocol("the proxy does not speak version 1 of the authentication");
        }
        int status = message.get() & 0xff;
        if (status != 0) {
            throw refused(Reason.PROXY_AUTH, status);
        }
        return send(request(), State.REPLY);
    }

    private Step reply() throws HandshakeException {
        requireVersion();
        int code = message.get() & 0xff;
        if (code != 0) {
            throw refused(reasonOf(code), code);
        }
        message.get(); // reserved
        int type = message.get();
        int firstByte = message.get() & 0xff;
        int addressLength = switch (type) {
            case IPV4 -> 4;
            case IPV6 -> 16;
            case NAME -> firstByte + 1;
            default -> throw HandshakeException.protocol("the proxy's answer has an unknown type of address");
        };
        await(State.BOUND, addressLength - 1 + Short.BYTES);
        return Step.READ;
    }

    private static Reason reasonOf(int code) {
        return switch (code) {
            case 1, 2 -> Reason.PROXY_REFUSED;
            case 3, 4, 6 -> Reason.UNREACHABLE;
            case 5 -> Reason.REFUSED;
            default -> Reason.PROTOCOL;
        };
    }

    private void requireVersion() throws HandshakeException {
        if (message.get() != VERSION) {
            throw HandshakeException.protocol("the proxy does not speak SOCKS version 5");
        }
    }

    private static HandshakeException refused(Reason reason, int code) {
        ProxyReply reply = new ProxyReply(ProxyReply.Protocol.SOCKS5, code, List.of(), ByteBuffer.allocate(0));
        return HandshakeException.refused(reason, reply, null, false);
    }

    private static ByteBuffer password(Credentials credentials) {
        byte[] user = credentials.user().getBytes(UTF_8);
        byte[] password = credentials.password().getBytes(UTF_8);
        return ByteBuffer.allocate(3 + user.length + password.length)
                .put(AUTH_VERSION)
                .put((byte) user.length)
                .put(user)
                .put((byte) password.length)
                .put(password)
                .flip();
    }

    private ByteBuffer request() {
        ByteBuffer request = ByteBuffer.allocate(4 + 1 + 255 + Short.BYTES)
                .put(VERSION)
                .put(CONNECT)
                .put((byte) 0);
        InetAddress address = target.address();
        if (address == null) {
            byte[] name = target.host().getBytes(US_ASCII); // at most 253 characters, see HostPort
            request.put(NAME).put((byte) name.length).put(name);
        } else {
            byte[] bytes = address.getAddress();
            request.put(bytes.length == 4 ? IPV4 : IPV6).put(bytes);
        }
        return request.putShort((short) target.port()).flip();
    }

    /** The code is at the beginning of an answer, and the rest does not matter after a refusal. */
    @Override
    public @Nullable HandshakeException refusalSoFar() {
        if (state != State.REPLY || message.position() < 2 || message.get(0) != VERSION) {
            return null;
        }
        int code = message.get(1) & 0xff;
        return code == 0 ? null : refused(reasonOf(code), code);
    }

    @Override
    public boolean answered() {
        return begun;
    }
}
