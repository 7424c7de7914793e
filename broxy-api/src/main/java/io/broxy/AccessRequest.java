package io.broxy;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for, as an {@link AccessPolicy} and an {@link Authenticator} see it: before any name is resolved and
 * anything is dialled. Implemented by Broxy only.
 *
 * <p>Threading: immutable.
 */
public interface AccessRequest {

    /** The client's address; null if it has none, as over a Unix domain socket. */
    @Nullable
    InetAddress client();

    /** The method as it was received: {@code CONNECT} for a tunnel. */
    String method();

    /** What is to be reached. */
    HostPort target();

    /** Who asks, as the {@link Authenticator} or the host server has found out; null if nobody has. */
    @Nullable
    String identity();
}
