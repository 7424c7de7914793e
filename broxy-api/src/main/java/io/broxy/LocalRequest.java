package io.broxy;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A complete request to the proxy itself, for a {@link LocalRequestHandler}. Broxy implements it, and may add methods.
 *
 * <p>Threading: immutable; {@link #body()} returns a separate view to each caller.
 */
public interface LocalRequest {
    /** The largest body in bytes. */
    int MAX_BODY = 64 * 1024;

    /** The method as it was received; methods are case-sensitive. Never CONNECT. */
    String method();

    /** The target as it was received: a path that begins with {@code /}, with its query, or {@code *}. */
    String target();

    /** The header fields in order, as they were received; unmodifiable. */
    List<ConnectRequest.Field> fields();

    /** The value of the first field of this name, ignoring case, or null if there is none. */
    default @Nullable String field(String name) {
        for (ConnectRequest.Field field : fields()) {
            if (field.name().equalsIgnoreCase(name)) {
                return field.value();
            }
        }
        return null;
    }

    /** The body without its framing, at most {@link #MAX_BODY} bytes; read-only, empty when there is none. */
    ByteBuffer body();

    /** The client's address; null if it has none, as over a Unix domain socket. */
    @Nullable
    InetAddress client();
}
