package io.broxy.core.internal.socks;

import io.broxy.DialException;
import io.broxy.ProxyReply;
import io.broxy.RefusedException;
import java.net.NoRouteToHostException;

/**
 * The replies to a request: their codes in SOCKS5 (RFC 1928 section 6) and in SOCKS 4, and the mapping from refusals and failed
 * dials. SOCKS 4 has a single code for all failures except two, which concern the client's identity.
 *
 * <p>Threading: immutable.
 */
public enum SocksReply {
    /** The tunnel is open. */
    SUCCEEDED(0, 90),
    /** A failure without a specific code. */
    GENERAL_FAILURE(1, 91),
    /** The proxy's rules do not allow the request. */
    NOT_ALLOWED(2, 91),
    /** There is no route to the target's network. */
    NETWORK_UNREACHABLE(3, 91),
    /** The target cannot be reached, or its name cannot be resolved. */
    HOST_UNREACHABLE(4, 91),
    /** The target refuses the connection. */
    CONNECTION_REFUSED(5, 91),
    /** The target does not answer in time. */
    TTL_EXPIRED(6, 91),
    /** The command is not CONNECT. */
    COMMAND_NOT_SUPPORTED(7, 91),
    /** The target's address type is unknown. */
    ADDRESS_TYPE_NOT_SUPPORTED(8, 91),
    /** The client has no valid credentials; in SOCKS 4, the user id does not match. */
    UNAUTHENTICATED(2, 93),
    /** The credentials cannot be checked; in SOCKS 4, the user id cannot be verified. */
    UNDECIDED(1, 92);

    private final int code;
    private final int code4;

    SocksReply(int code, int code4) {
        this.code = code;
        this.code4 = code4;
    }

    /** The code for a version. */
    public int code(SocksVersion version) {
        return switch (version) {
            case SOCKS4 -> code4;
            case SOCKS5 -> code;
        };
    }

    /** The reply to a refused request. */
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

    /** The reply after a failed dial. */
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

    /** Chooses among the three codes of this reason, by an upstream SOCKS5 proxy's reply or the failures of the addresses. */
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
