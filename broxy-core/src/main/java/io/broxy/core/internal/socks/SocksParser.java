package io.broxy.core.internal.socks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.HostPort;
import io.broxy.core.internal.socks.SocksException.Problem;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Parses the messages of a SOCKS client up to its request for a tunnel, strictly and without I/O: bytes in; the next message,
 * "need more" or a {@link SocksException} out.
 *
 * <pre>
 *   VERSION ─5─> METHOD_COUNT ──> METHODS ──Greeting──> with the method "password" the login, else the request
 *      └────4─> COMMAND_4 ──> TARGET_4 ──> USER_ID_4 ──> (NAME_4) ──Connect──> REQUESTED_4
 *
 *   login:   AUTH_VERSION ──> USER_LENGTH ──> USER ──> PASSWORD_LENGTH ──> (PASSWORD) ──Login──> UNDECIDED ──> request
 *   request: REQUEST_VERSION ──> COMMAND ──> RESERVED ──> ADDRESS_TYPE ──> (NAME_LENGTH) ──> TARGET ──Connect──> REQUESTED
 * </pre>
 *
 * <p>Bytes are examined in order of arrival, so the result cannot depend on how the messages were split. Fields longer than one
 * byte are parsed when they are complete; they have at most 257 bytes.
 *
 * <p>Threading: for one thread at a time.
 */
public final class SocksParser {
    private static final byte VERSION_4 = 4;

    /**
     * The maximum length of the user id of SOCKS 4, which is ignored, and of the name of SOCKS 4a; both are zero-terminated.
     */
    static final int MAX_TEXT = 255;

    private static final int IPV4_BYTES = 4;
    private static final int IPV6_BYTES = 16;

    private enum State {
        VERSION,
        METHOD_COUNT,
        METHODS,
        AUTH_VERSION,
        USER_LENGTH,
        USER,
        PASSWORD_LENGTH,
        PASSWORD,
        /** User name and password are being checked. */
        UNDECIDED,
        REQUEST_VERSION,
        COMMAND,
        RESERVED,
        ADDRESS_TYPE,
        NAME_LENGTH,
        TARGET,
        REQUESTED,
        COMMAND_4,
        TARGET_4,
        USER_ID_4,
        NAME_4,
        REQUESTED_4
    }

    private final boolean authenticates;
    private State state = State.VERSION;
    private boolean refused;

    /** The field that the state waits for: one of known length, or a zero-terminated text. */
    private final ByteBuffer field = ByteBuffer.allocate(MAX_TEXT + Short.BYTES).limit(1);

    private byte[] user = {};
    private int addressType;

    /** The host of SOCKS 4; empty until a name follows. */
    private String host = "";

    private int port;

    /**
     * Creates a parser for one client.
     *
     * @param authenticates whether clients need user name and password. If false, clients that offer only this method may still
     *     send them; if true, SOCKS 4 is refused because it has no passwords
     */
    public SocksParser(boolean authenticates) {
        this.authenticates = authenticates;
    }

    /** Whether any byte has been read. */
    public boolean begun() {
        return state != State.VERSION || refused;
    }

    /**
     * Reads more bytes. The buffer's position advances to the end of the buffer if more bytes are needed, past the message if
     * it is complete (bytes that follow remain in the buffer), and past the offending byte or field if it is refused. The
     * parser does not retain the buffer.
     *
     * @return the message, or null if it is not complete yet
     * @throws SocksException if the message is refused
     * @throws IllegalStateException after the request, after a refusal, or after a {@link SocksMessage.Login} that is not
     *     {@linkplain #authenticated accepted} yet
     */
    public @Nullable SocksMessage feed(ByteBuffer in) throws SocksException {
        if (refused || state == State.REQUESTED || state == State.REQUESTED_4 || state == State.UNDECIDED) {
            throw new IllegalStateException("the parser reads nothing in " + state);
        }
        refused = true; // remains so if a byte is refused
        SocksMessage message = null;
        while (message == null && in.hasRemaining()) {
            byte b = in.get();
            field.put(b);
            if (!field.hasRemaining() || (b == 0 && isText())) {
                message = complete(field.flip());
            }
        }
        refused = false;
        return message;
    }

    /** Records that user name and password are valid: the request may follow. */
    public void authenticated() {
        if (state != State.UNDECIDED) {
            throw new IllegalStateException("no login is undecided in " + state);
        }
        await(State.REQUEST_VERSION, 1);
    }

    /**
     * Returns a refusal in the form that the client expects in its state: no acceptable method, invalid credentials, or the
     * reply to its request. It is empty if the client has not sent valid SOCKS yet. The connection must be closed after it.
     */
    public byte[] refusal(SocksReply reply) {
        return switch (state) {
            case VERSION -> new byte[0];
            case METHOD_COUNT, METHODS -> SocksWriter.method(Socks5.NO_ACCEPTABLE_METHOD);
            case AUTH_VERSION, USER_LENGTH, USER, PASSWORD_LENGTH, PASSWORD, UNDECIDED ->
                SocksWriter.authentication(false);
            case REQUEST_VERSION, COMMAND, RESERVED, ADDRESS_TYPE, NAME_LENGTH, TARGET, REQUESTED ->
                SocksWriter.reply(SocksVersion.SOCKS5, reply, null);
            case COMMAND_4, TARGET_4, USER_ID_4, NAME_4, REQUESTED_4 ->
                SocksWriter.reply(SocksVersion.SOCKS4, reply, null);
        };
    }

    private @Nullable SocksMessage complete(ByteBuffer read) throws SocksException {
        return switch (state) {
            case VERSION -> version(read.get());
            case METHOD_COUNT -> methodCount(read.get() & 0xff);
            case METHODS -> methods(read);
            case AUTH_VERSION -> authVersion(read.get());
            case USER_LENGTH -> userLength(read.get() & 0xff);
            case USER -> user(read);
            case PASSWORD_LENGTH -> passwordLength(read.get() & 0xff);
            case PASSWORD -> login(read);
            case REQUEST_VERSION -> requestVersion(read.get());
            case COMMAND -> command(read.get(), State.RESERVED, 1);
            case RESERVED -> reserved(read.get());
            case ADDRESS_TYPE -> addressType(read.get());
            case NAME_LENGTH -> nameLength(read.get() & 0xff);
            case TARGET -> target(read);
            case COMMAND_4 -> command(read.get(), State.TARGET_4, Short.BYTES + IPV4_BYTES);
            case TARGET_4 -> target4(read);
            case USER_ID_4 -> userId4(read);
            case NAME_4 -> name4(read);
            case UNDECIDED, REQUESTED, REQUESTED_4 -> throw new AssertionError("no byte is read in " + state);
        };
    }

    private @Nullable SocksMessage await(State next, int length) {
        state = next;
        field.clear().limit(length);
        return null;
    }

    private @Nullable SocksMessage version(byte b) throws SocksException {
        if (b == Socks5.VERSION) {
            return await(State.METHOD_COUNT, 1);
        }
        if (b != VERSION_4) {
            throw new SocksException(Problem.SYNTAX, "neither version 5 nor 4");
        }
        await(State.COMMAND_4, 1);
        if (authenticates) {
            throw new SocksException(Problem.AUTHENTICATION, "version 4 has no password");
        }
        return null;
    }

    /** Parses the command, which is the same in both versions. */
    private @Nullable SocksMessage command(byte b, State next, int length) throws SocksException {
        if (b != Socks5.CONNECT) {
            throw new SocksException(Problem.COMMAND, "the command is not CONNECT");
        }
        return await(next, length);
    }

    // ------------------------------------------------------------------ authentication

    private @Nullable SocksMessage methodCount(int count) throws SocksException {
        if (count == 0) {
            throw new SocksException(Problem.SYNTAX, "no authentication method is offered");
        }
        return await(State.METHODS, count);
    }

    private SocksMessage methods(ByteBuffer offered) throws SocksException {
        boolean none = false;
        boolean password = false;
        while (offered.hasRemaining()) {
            byte method = offered.get();
            none |= method == Socks5.NO_AUTHENTICATION;
            password |= method == Socks5.USER_AND_PASSWORD;
        }
        if (none && !authenticates) {
            await(State.REQUEST_VERSION, 1);
            return new SocksMessage.Greeting(Socks5.NO_AUTHENTICATION);
        }
        if (!password) {
            throw new SocksException(Problem.AUTHENTICATION, "no acceptable authentication method is offered");
        }
        await(State.AUTH_VERSION, 1);
        return new SocksMessage.Greeting(Socks5.USER_AND_PASSWORD);
    }

    private @Nullable SocksMessage authVersion(byte b) throws SocksException {
        if (b != Socks5.AUTH_VERSION) {
            throw new SocksException(Problem.SYNTAX, "the authentication is not of version 1");
        }
        return await(State.USER_LENGTH, 1);
    }

    private @Nullable SocksMessage userLength(int length) throws SocksException {
        if (length == 0) {
            throw new SocksException(Problem.SYNTAX, "the user name is empty");
        }
        return await(State.USER, length);
    }

    /** Refuses a user name with a colon, which the Basic scheme cannot represent (RFC 7617 section 2). */
    private @Nullable SocksMessage user(ByteBuffer read) throws SocksException {
        user = new byte[read.remaining()];
        read.get(user);
        for (byte b : user) {
            if (b == ':' && authenticates) {
                throw new SocksException(Problem.AUTHENTICATION, "the user name has a colon");
            }
        }
        return await(State.PASSWORD_LENGTH, 1);
    }

    /** Allows an empty password, which clients without a password send; the authenticator decides about it. */
    private @Nullable SocksMessage passwordLength(int length) {
        return length == 0 ? login(field.clear().limit(0)) : await(State.PASSWORD, length);
    }

    private SocksMessage login(ByteBuffer password) {
        byte[] pair = ByteBuffer.allocate(user.length + 1 + password.remaining())
                .put(user)
                .put((byte) ':')
                .put(password)
                .array();
        String authorization = "Basic " + Base64.getEncoder().encodeToString(pair);
        Arrays.fill(pair, (byte) 0);
        Arrays.fill(user, (byte) 0);
        Arrays.fill(field.array(), (byte) 0);
        state = State.UNDECIDED;
        return new SocksMessage.Login(authorization);
    }

    // ------------------------------------------------------------------ the request of SOCKS5

    private @Nullable SocksMessage requestVersion(byte b) throws SocksException {
        if (b != Socks5.VERSION) {
            throw new SocksException(Problem.SYNTAX, "the request is not of version 5");
        }
        return await(State.COMMAND, 1);
    }

    private @Nullable SocksMessage reserved(byte b) throws SocksException {
        if (b != 0) {
            throw new SocksException(Problem.SYNTAX, "the reserved byte is not zero");
        }
        return await(State.ADDRESS_TYPE, 1);
    }

    private @Nullable SocksMessage addressType(byte type) throws SocksException {
        addressType = type;
        return switch (type) {
            case Socks5.IPV4 -> await(State.TARGET, IPV4_BYTES + Short.BYTES);
            case Socks5.IPV6 -> await(State.TARGET, IPV6_BYTES + Short.BYTES);
            case Socks5.NAME -> await(State.NAME_LENGTH, 1);
            default -> throw new SocksException(Problem.ADDRESS_TYPE, "the type of the address is unknown");
        };
    }

    private @Nullable SocksMessage nameLength(int length) throws SocksException {
        if (length == 0) {
            throw new SocksException(Problem.TARGET, "the name is empty");
        }
        return await(State.TARGET, length + Short.BYTES);
    }

    private SocksMessage target(ByteBuffer read) throws SocksException {
        state = State.REQUESTED;
        String host = switch (addressType) {
            case Socks5.IPV4 -> ipv4(read);
            case Socks5.IPV6 -> ipv6(read);
            default -> text(read, read.remaining() - Short.BYTES);
        };
        return connect(SocksVersion.SOCKS5, host, read.getShort() & 0xffff);
    }

    // ------------------------------------------------------------------ the request of SOCKS 4 and 4a

    private @Nullable SocksMessage target4(ByteBuffer read) {
        port = read.getShort() & 0xffff;
        int address = read.getInt(read.position());
        host = isFollowedByName(address) ? "" : ipv4(read);
        return await(State.USER_ID_4, MAX_TEXT + 1);
    }

    /** Whether the address is 0.0.0.x with a nonzero x, which announces a name (SOCKS 4a). */
    private static boolean isFollowedByName(int address) {
        return address >>> 8 == 0 && address != 0;
    }

    private @Nullable SocksMessage userId4(ByteBuffer read) throws SocksException {
        checkEnd(read, "the user id is too long");
        return host.isEmpty() ? await(State.NAME_4, MAX_TEXT + 1) : connect4();
    }

    private SocksMessage name4(ByteBuffer read) throws SocksException {
        checkEnd(read, "the name is too long");
        host = text(read, read.remaining() - 1);
        return connect4();
    }

    private boolean isText() {
        return state == State.USER_ID_4 || state == State.NAME_4;
    }

    private static void checkEnd(ByteBuffer text, String problem) throws SocksException {
        if (text.get(text.limit() - 1) != 0) {
            throw new SocksException(Problem.TOO_LARGE, problem);
        }
    }

    private SocksMessage connect4() throws SocksException {
        state = State.REQUESTED_4;
        return connect(SocksVersion.SOCKS4, host, port);
    }

    // ------------------------------------------------------------------ targets

    private static SocksMessage connect(SocksVersion version, String host, int port) throws SocksException {
        if (port == 0) {
            throw new SocksException(Problem.TARGET, "the port is 0");
        }
        try {
            return new SocksMessage.Connect(version, HostPort.of(host, port));
        } catch (IllegalArgumentException e) { // its message contains bytes of the client
            throw new SocksException(Problem.TARGET, "the host is neither a name nor an address");
        }
    }

    private static String text(ByteBuffer read, int length) {
        byte[] bytes = new byte[length];
        read.get(bytes);
        return new String(bytes, ISO_8859_1);
    }

    private static String ipv4(ByteBuffer read) {
        return (read.get() & 0xff) + "." + (read.get() & 0xff) + "." + (read.get() & 0xff) + "." + (read.get() & 0xff);
    }

    /** Formats an address without "::", which {@link HostPort} adds; a mapped address remains mapped, as in an HTTP request. */
    private static String ipv6(ByteBuffer read) {
        StringJoiner groups = new StringJoiner(":");
        for (int i = 0; i < IPV6_BYTES; i += Short.BYTES) {
            groups.add(Integer.toHexString(read.getShort() & 0xffff));
        }
        return groups.toString();
    }
}
