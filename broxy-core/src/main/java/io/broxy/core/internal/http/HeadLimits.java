package io.broxy.core.internal.http;

/**
 * How much a peer may send as a head before it is refused. A peer that sends one byte a packet reaches no limit later
 * than one that sends all at once, and no limit waits for the end of what it limits.
 *
 * <p>Threading: immutable.
 *
 * @param headBytes the whole head with all its line ends and the empty line that closes it
 * @param fields how many field lines
 * @param firstLineBytes the request line or status line without its line end
 */
public record HeadLimits(int headBytes, int fields, int firstLineBytes) {

    /** Less than the shortest requests that are common. */
    public static final int MIN_HEAD_BYTES = 256;

    /** The limit of servers and clients in Go. */
    public static final int MAX_HEAD_BYTES = 1024 * 1024;

    /** Each costs 16 bytes beside its text. */
    public static final int MAX_FIELDS = 10_000;

    /** Twice what common servers allow, for long cookies and Negotiate tokens; 20,000 such heads at once are 320 MB. */
    private static final int REQUEST_HEAD_BYTES = 16 * 1024;

    /** Requests have a few dozen; Apache httpd stops at 100. */
    private static final int REQUEST_FIELDS = 128;

    /** The limit of Squid: some sites send dozens of cookies, and policies of 10 KiB. */
    private static final int RESPONSE_HEAD_BYTES = 64 * 1024;

    private static final int RESPONSE_FIELDS = 256;

    /** What is kept for the fields where a first line is long: RFC 9112, section 3, recommends 8000 octets for that. */
    private static final int ROOM_FOR_FIELDS = 8 * 1024;

    /** Requests, unless something else is asked for: 16 KiB, 128 fields, and 8 KiB for the first line. */
    public static final HeadLimits REQUEST = of(REQUEST_HEAD_BYTES, REQUEST_FIELDS);

    /** Responses, unless something else is asked for: 64 KiB, 256 fields, and 56 KiB for the first line. */
    public static final HeadLimits RESPONSE = of(RESPONSE_HEAD_BYTES, RESPONSE_FIELDS);

    /** The trailer section of a body, whichever way it goes. */
    public static final HeadLimits TRAILERS = REQUEST;

    /**
     * Checks that a head can exist within the limits.
     *
     * @throws IllegalArgumentException if {@code headBytes} or {@code firstLineBytes} is not positive, or {@code fields} is
     *     negative
     */
    public HeadLimits {
        if (headBytes <= 0 || fields < 0 || firstLineBytes <= 0) {
            throw new IllegalArgumentException("limits of a head must be positive");
        }
    }

    /** Limits whose first line may take all of the head but 8 KiB, and half of a shorter head than 16 KiB. */
    public static HeadLimits of(int headBytes, int fields) {
        return new HeadLimits(headBytes, fields, Math.max(headBytes / 2, headBytes - ROOM_FOR_FIELDS));
    }
}
