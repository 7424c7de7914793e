package io.broxy.core.internal.http;

import java.nio.ByteBuffer;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Decides which fields may be forwarded in a trailer section. RFC 9110, section 6.5.1, forbids fields that recipients need
 * before the content: message framing, routing, authentication, request modifiers, response controls and the format of the
 * content. Otherwise a peer could overwrite validated fields at a recipient that merges trailers into the head.
 *
 * <p>Threading: stateless.
 */
final class TrailerFields {
    /** Content-Length, Content-Encoding, Content-Type, Content-Range and other descriptions of the content ... */
    private static final String CONTENT_PREFIX = "Content-";

    /** ... except the digest, which is known only at its end (RFC 9530, section 2). */
    private static final String CONTENT_DIGEST = "Content-Digest";

    /** If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range (RFC 9110, section 13.1). */
    private static final String CONDITION_PREFIX = "If-";

    /** Proxy-Authorization and other fields between a proxy and its neighbor. */
    private static final String PROXY_PREFIX = "Proxy-";

    private static final String[] FORBIDDEN = {
        // framing, other than Transfer-Encoding, which is hop-by-hop
        "Trailer",
        // routing (RFC 9110, sections 7.2 and 7.6)
        "Host",
        "Via",
        "Max-Forwards",
        // authentication (RFC 9110, section 11; RFC 6265); Authentication-Info is allowed (section 11.6.3)
        "Authorization",
        "WWW-Authenticate",
        "Cookie",
        "Set-Cookie",
        // request modifiers (RFC 9110, sections 10.1 and 14.2)
        "Expect",
        "Range",
        "Pragma",
        // response controls (RFC 9110, sections 10.2 and 12.5.5; RFC 9111, section 5)
        "Age",
        "Cache-Control",
        "Date",
        "Expires",
        "Location",
        "Retry-After",
        "Vary",
        "Warning",
    };

    private TrailerFields() {}

    /** Puts the lines that may be forwarded, as received. */
    static void put(Fields trailers, ConnectionOptions options, ByteBuffer out) {
        BitSet named = options.namedAmong(trailers);
        trailers.putLinesWithout(i -> isRemoved(trailers, i, named), out);
    }

    private static boolean isRemoved(Fields trailers, int index, @Nullable BitSet named) {
        return (named != null && named.get(index)) || HopByHop.is(trailers, index) || isForbidden(trailers, index);
    }

    private static boolean isForbidden(Fields trailers, int index) {
        for (String name : FORBIDDEN) {
            if (trailers.isNamed(index, name)) {
                return true;
            }
        }
        return (trailers.nameBeginsWith(index, CONTENT_PREFIX) && !trailers.isNamed(index, CONTENT_DIGEST))
                || trailers.nameBeginsWith(index, CONDITION_PREFIX)
                || trailers.nameBeginsWith(index, PROXY_PREFIX);
    }
}
