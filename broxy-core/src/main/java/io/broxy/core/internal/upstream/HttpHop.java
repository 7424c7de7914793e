package io.broxy.core.internal.upstream;

import io.broxy.ConnPool;
import io.broxy.ConnectRequest;
import io.broxy.DialException;
import io.broxy.HostPort;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a plain HTTP request goes, and what it looks like there.
 *
 * <p>Threading: immutable.
 *
 * @param key the connection's far end, as pools know it: the target, by a dialer that keeps the request's address policy; or
 *     the proxy
 * @param absoluteForm whether the far end is a proxy, which gets the whole URI
 * @param credentials the credentials for the proxy; {@link ProxyAuthorization#NONE} in the other forms
 * @param fields further fields for the proxy, which are valid
 * @param pool that connections to the proxy are leased from; null for the pool of the proxy handler
 * @param timeoutNanos for getting a connection, positive
 */
public record HttpHop(
        ConnPool.Key key,
        boolean absoluteForm,
        ProxyAuthorization credentials,
        List<ConnectRequest.Field> fields,
        @Nullable ConnPool pool,
        long timeoutNanos) {

    /** The hop to the target itself, which gets the origin form. */
    public static HttpHop toTarget(ConnPool.Key key, long timeoutNanos) {
        return new HttpHop(key, false, ProxyAuthorization.NONE, List.of(), null, timeoutNanos);
    }

    /** Whether clients may log in at the far end themselves: it is a proxy that this side has no credentials for. */
    public boolean takesLogins() {
        return absoluteForm && credentials == ProxyAuthorization.NONE;
    }

    /** This hop with another timeout. */
    public HttpHop within(long timeoutNanos) {
        return new HttpHop(key, absoluteForm, credentials, fields, pool, timeoutNanos);
    }

    /** Begins a failure of this hop, for {@link HttpRoute#failed}. */
    public DialException.Builder failure(DialException.Reason reason, HostPort target) {
        DialException.Builder failure = DialException.builder(reason, target);
        return absoluteForm ? failure.proxy(key.address()) : failure;
    }
}
