package io.broxy.core.internal.observe;

import io.broxy.CloseReason;
import io.broxy.DialException;
import io.broxy.ExchangeResult;
import io.broxy.OriginException;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.TunnelResult;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Formats the lines of the access log: space-separated {@code key=value} pairs, always the same keys in the same order.
 *
 * <pre>
 *   kind=tunnel client=192.0.2.7:50312 user=alice protocol=http method=CONNECT target=example.org:443
 *   status=200 peer=198.51.100.4:443 to_origin=517 to_client=4096 ms=1234 reason=FINISHED error=-
 * </pre>
 *
 * <p>A value that consists only of harmless characters is written as it is. Others are quoted: quotation marks and backslashes
 * get a backslash before them, and characters other than printable ASCII become {@code \}{@code uXXXX}. An unquoted {@code -}
 * means that there is no value. Thus no bytes from a client can start another line or imitate a key. Path and query of a
 * request are omitted because they may contain secrets.
 *
 * <p>Threading: stateless.
 */
final class AccessLog {
    /** The logger's name. */
    static final String NAME = "io.broxy.access";

    /** The maximum length of a value: enough to recognize a user, although a client may send kilobytes. */
    private static final int MAX_LENGTH = 128;

    /** The length of the longest host name and port, which are not quoted. */
    private static final int MAX_UNQUOTED = 253 + ":65535".length();

    /** The harmless characters other than letters and digits. */
    private static final String HARMLESS = "-._:/@[]+%";

    private static final String NOTHING = "-";

    /** The protocol unless the client uses another one. */
    static final String HTTP = "http";

    private AccessLog() {}

    static String tunnel(
            ProxyListener.Request request,
            String protocol,
            int status,
            @Nullable SocketAddress peer,
            TunnelResult result) {
        return new Line("tunnel", request, protocol, status, peer)
                .end(
                        result.bytesToOrigin(),
                        result.bytesToClient(),
                        result.duration().toMillis(),
                        result.reason(),
                        error(result.cause()));
    }

    /** Formats an exchange, which only HTTP has. */
    static String exchange(ProxyListener.Request request, @Nullable SocketAddress peer, ExchangeResult result) {
        return new Line("exchange", request, HTTP, result.status(), peer)
                .end(
                        result.bytesToOrigin(),
                        result.bytesToClient(),
                        result.duration().toMillis(),
                        result.reason(),
                        error(result.cause()));
    }

    static String refusal(ProxyListener.Request request, String protocol, RefusedException refusal, long millis) {
        return new Line("refused", request, protocol, refusal.status(), null)
                .end(0, 0, millis, CloseReason.REFUSED, error(refusal));
    }

    /** Formats an address in its usual notation. */
    static @Nullable String address(@Nullable SocketAddress address) {
        if (!(address instanceof InetSocketAddress internet)) {
            return address == null ? null : address.toString();
        }
        InetAddress resolved = internet.getAddress();
        String host = resolved == null ? internet.getHostString() : resolved.getHostAddress();
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + internet.getPort();
    }

    /** The kind of a failure, never its text. */
    static @Nullable String error(@Nullable Throwable cause) {
        if (cause instanceof DialException dial) {
            return dial.reason().name();
        } else if (cause instanceof RefusedException refusal) {
            return refusal.reason().name();
        } else if (cause instanceof OriginException origin) {
            return "ORIGIN_" + origin.reason().name();
        }
        return cause == null ? null : cause.getClass().getSimpleName();
    }

    /** Builds a line. Threading: for one thread. */
    private static final class Line {
        private final StringBuilder text = new StringBuilder(256);

        Line(String kind, ProxyListener.Request request, String protocol, int status, @Nullable SocketAddress peer) {
            text.append("kind=").append(kind);
            value("client", address(request.client().address()));
            value("user", request.identity());
            value("protocol", protocol);
            value("method", request.method());
            value("target", request.target() == null ? null : request.target().toString());
            value("status", status == 0 ? null : String.valueOf(status));
            value("peer", address(peer));
        }

        String end(long toOrigin, long toClient, long millis, CloseReason reason, @Nullable String error) {
            number("to_origin", toOrigin);
            number("to_client", toClient);
            number("ms", millis);
            value("reason", reason.name());
            value("error", error);
            return text.toString();
        }

        private void number(String key, long number) {
            text.append(' ').append(key).append('=').append(number);
        }

        private void value(String key, @Nullable String value) {
            text.append(' ').append(key).append('=');
            if (value == null) {
                text.append(NOTHING);
            } else if (isHarmless(value)) {
                text.append(value);
            } else {
                quote(value);
            }
        }

        private static boolean isHarmless(String value) {
            return !value.isEmpty()
                    && !value.equals(NOTHING)
                    && value.length() <= MAX_UNQUOTED
                    && value.chars()
                            .allMatch(c -> c < 0x80 && (Character.isLetterOrDigit(c) || HARMLESS.indexOf(c) >= 0));
        }

        private void quote(String value) {
            text.append('"');
            for (int i = 0; i < Math.min(value.length(), MAX_LENGTH); i++) {
                char c = value.charAt(i);
                if (c < ' ' || c > '~') {
                    text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                } else {
                    if (c == '"' || c == '\\') {
                        text.append('\\');
                    }
                    text.append(c);
                }
            }
            text.append(value.length() > MAX_LENGTH ? "\"..." : "\"");
        }
    }
}
