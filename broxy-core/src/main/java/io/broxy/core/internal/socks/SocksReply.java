package io.broxy.core.internal.socks;

import io.broxy.DialException;
import io.broxy.ProxyReply;
import io.broxy.RefusedException;
import java.net.NoRouteToHostException;

/**
 * The catalogue of replies to a request: for each the code of SOCKS5 (RFC 1928 section 6) and that of SOCKS 4, and which refusals
 * and failed dials it stands for. SOCKS 4 knows one code for all failures but two, which are about the client's identity.
 *
 * <p>Threading: immutable.
 */
public enum SocksReply {
    /** The tunnel is open. */
    SUCCEEDED(0, 90),
    /** A failure that has no code of its own. */
    GENERAL_FAILURE(1, 91),
    /** The proxy's rules do not allow the request. */
    NOT_ALLOWED(2, 91),
    /** No route leads to the target's network. */
    NETWORK_UNREACHABLE(3, 91),
    /** The target cannot be reached, or its name cannot be resolved. */
    HOST_UNREACHABLE(4, 91),
    /** The target refuses the connection. */
    CONNECTION_REFUSED(5, 91),
    /** The target does not answer in time. */
    TTL_EXPIRED(6, 91),
    /** The command is another one than CONNECT. */
    COMMAND_NOT_SUPPORTED(7, 91),
    /** The type of the target's address is unknown. */
    ADDRESS_TYPE_NOT_SUPPORTED(8, 91),
    /** The client has no valid credentials; SOCKS 4 says that the user id is not the client's. */
    UNAUTHENTICATED(2, 93),
    /** The credentials cannot be checked; SOCKS 4 says that the user id cannot be. */
    UNDECIDED(1, 92);

    private final int code;
    private final int code4;

    SocksReply(int code, int code4) {
        this.code = code;
        this.code4 = code4;
    }

    /** The code in a reply of this version. */
    public int code(SocksVersion version) {
        return switch (version) {
            case SOCKS4 -> code4;
            case SOCKS5 -> code;
        };
    }

    /** The reply to a request that is refused. */
    public static SocksReply of(RefusedException.Reason reason) {
        return switch (reason) {
            case NOT_IMPLEMENTED -> COMMAND_NOT_SUPPORTED;
            case ACCESS_DENIED, FILTERED, TOO_MANY_FAILURES, LOOP -> NOT_ALLOWED;
            case AUTHENTICATION_REQUIRED -> UNAUTHENTICATED;
            case AUTHENTICATION_FAILED -> UNDECIDED;
            case BAD_REQUEST,
                    PROXY_PROTOCOL,
                    TLS,
                    BAD_TARGET,
                    HEAD_TOO_LARGE,
                    HEAD_TIMEOUT,
                    BODY_TIMEOUT,
                    BODY_TOO_LARGE,
                    LIMIT,
                    DRAINING -> GENERAL_FAILURE;
        };
    }

    /** The reply to a request whose target could not be reached. */
    public static SocksReply of(DialException failure) {
        return switch (failure.reason()) {
            case RESOLVE -> HOST_UNREACHABLE;
            case REFUSED -> CONNECTION_REFUSED;
            case UNREACHABLE -> unreachable(failure);
            case TIMEOUT -> TTL_EXPIRED;
            case DENIED -> NOT_ALLOWED;
            case PROXY_REFUSED, PROXY_AUTH, PROTOCOL, POOL_EXHAUSTED, LOCAL, CANCELLED -> GENERAL_FAILURE;
        };
    }

    /** The reason covers three codes: a SOCKS5 proxy's reply tells which, and so does the failure of an address. */
    private static SocksReply unreachable(DialException failure) {
        ProxyReply reply = failure.proxyReply();
        if (reply != null && reply.protocol() == ProxyReply.Protocol.SOCKS5) {
            return switch (reply.status()) {
                case 3 -> NETWORK_UNREACHABLE;
                case 6 -> TTL_EXPIRED;
                default -> HOST_UNREACHABLE;
            };
        }
        boolean host = failure.attempts().stream().anyMatch(each -> each.failure() instanceof NoRouteToHostException);
        return host ? HOST_UNREACHABLE : NETWORK_UNREACHABLE;
    }
}
