package io.broxy;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The response to a forwarded request as a {@link ResponseFilter} sees it.
 *
 * <p>Threading: immutable.
 *
 * @param request the request that is answered
 * @param status the status, from 200; or 101, with which the connection becomes a tunnel
 * @param fields the fields of the response's head as they were received, in their order; unmodifiable
 */
public record FilterResponse(FilterRequest request, int status, List<ConnectRequest.Field> fields) {

    /** Checks for null. */
    public FilterResponse {
        Objects.requireNonNull(request, "request");
        Objects.requireNonNull(fields, "fields");
    }

    /** The value of the first field of this name, ignoring case, or null if there is none. */
    public @Nullable String field(String name) {
        return FilterRequest.first(fields, name);
    }

    /** Shows the request and the status; fields may hold secrets. */
    @Override
    public String toString() {
        return "FilterResponse[" + request + ", " + status + "]";
    }
}
