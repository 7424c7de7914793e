package io.broxy.core.internal.http;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * Counts the interim responses (1xx) to one request. There may be several (RFC 9110, section 15.2), but each restarts the
 * timeout for the final response, so without a limit a server could prolong an exchange forever.
 *
 * <p>Threading: for one thread at a time.
 */
public final class InterimResponses {
    /** One or two are common; servers that report progress send a few more. */
    private static final int MAX_COUNT = 16;

    /** The limit on all heads together. */
    private static final int MAX_BYTES = 64 * 1024;

    private int count;
    private int bytes;

    /**
     * Counts an interim response.
     *
     * @throws BadHeadException {@link Problem#TOO_LARGE} if there are too many
     */
    public void add(ResponseHead head) throws BadHeadException {
        bytes += Math.min(head.length(), MAX_BYTES + 1 - bytes);
        if (++count > MAX_COUNT || bytes > MAX_BYTES) {
            throw new BadHeadException(Problem.TOO_LARGE, "too many interim responses");
        }
    }

    /** Whether there was at least one. */
    public boolean any() {
        return count > 0;
    }
}
