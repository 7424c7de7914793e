package io.broxy.core.internal.http;

import io.broxy.ForwardedMode;
import io.broxy.HostPort;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How forwarded requests identify the client: with {@code Forwarded} (RFC 7239) and {@code X-Forwarded-For}.
 *
 * <p>Threading: immutable.
 */
public record ClientNaming(ForwardedMode forwarded, ForwardedMode xForwardedFor) {
    private static final String FORWARDED = "Forwarded";
    private static final String X_FORWARDED_FOR = "X-Forwarded-For";

    /** RFC 7239 section 6.2. */
    private static final String UNKNOWN = "unknown";

    /** Whether both fields are forwarded unchanged. */
    public boolean isPassed() {
        return forwarded == ForwardedMode.PASS && xForwardedFor == ForwardedMode.PASS;
    }

    /**
     * Applies the modes to a request.
     *
     * @param client the client's address in any form that the JDK prints; null if it has none
     */
    public ForwardedRequest apply(ForwardedRequest request, @Nullable String client) {
        String address = client == null ? UNKNOWN : canonical(client);
        String element = address.indexOf(':') >= 0 ? "for=\"[" + address + "]\"" : "for=" + address;
        HeadEdits edits = edit(HeadEdits.NONE, forwarded, FORWARDED, element, request);
        return request.with(edit(edits, xForwardedFor, X_FORWARDED_FOR, address, request));
    }

    /** The canonical form (RFC 5952) without the scope, which has no meaning elsewhere. */
    private static String canonical(String client) {
        int scope = client.indexOf('%');
        return HostPort.of(scope < 0 ? client : client.substring(0, scope), 1).host();
    }

    private static HeadEdits edit(
            HeadEdits edits, ForwardedMode mode, String name, String client, ForwardedRequest request) {
        return switch (mode) {
            case PASS -> edits;
            case ADD -> edits.and(name, append(request.forwardedValues(name), client));
            case REPLACE -> edits.and(name, client);
            case REMOVE -> edits.without(name);
        };
    }

    /** Joins all elements in one line, for recipients that read only the first or the last line. */
    private static String append(List<String> received, String client) {
        List<String> all = new ArrayList<>(received);
        all.removeIf(String::isEmpty);
        all.add(client);
        return String.join(", ", all);
    }
}
