package io.broxy.core.internal.http;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * The interim responses (1xx) to one request. There may be several (RFC 9110, section 15.2), but each makes the wait for
 * the final one start anew, so without a limit a server could hold an exchange for ever.
 *
 * <p>Threading: for one thread at a time.
 */
public final class InterimResponses {
    /** One or two are common; a server that reports progress sends a few more. */
    private static final int MAX_COUNT = 16;

    /** The limit of all heads together. */
    private static final int MAX_BYTES = 64 * 1024;

    private int count;
    private int bytes;

    /**
     * Counts one.
     *
     * @throws BadHeadException {@link Problem#TOO_LARGE} if there have been too many
     */
    public void add(ResponseHead head) throws BadHeadException {
        bytes += Math.min(head.length(), MAX_BYTES + 1 - bytes);
        if (++count > MAX_COUNT || bytes > MAX_BYTES) {
            throw new BadHeadException(Problem.TOO_LARGE, "too many interim responses");
        }
    }

    /** Whether there has been one. */
    public boolean any() {
        return count > 0;
    }
}
