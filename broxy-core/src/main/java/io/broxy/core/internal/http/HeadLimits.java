package io.broxy.core.internal.http;

/**
 * The limits on a head. They apply to each byte as it arrives, regardless of how the head is split into packets, and before the
 * limited element is complete.
 *
 * <p>Threading: immutable.
 *
 * @param headBytes the maximum size of the whole head, including all line ends and the final empty line
 * @param fields the maximum number of field lines
 * @param firstLineBytes the maximum length of the request line or status line, without its line end
 */
public record HeadLimits(int headBytes, int fields, int firstLineBytes) {

    /** Less than the shortest common requests. */
    public static final int MIN_HEAD_BYTES = 256;

    /** The limit of Go's servers and clients. */
    public static final int MAX_HEAD_BYTES = 1024 * 1024;

    /** Each field costs 16 bytes in addition to its text. */
    public static final int MAX_FIELDS = 10_000;

    /** Twice what common servers allow, for long cookies and Negotiate tokens; 20,000 such heads at once are 320 MB. */
    private static final int REQUEST_HEAD_BYTES = 16 * 1024;

    /** Requests have a few dozen; Apache httpd stops at 100. */
    private static final int REQUEST_FIELDS = 128;

    /** Squid's limit: some sites send dozens of cookies, and policies of 10 KiB. */
    private static final int RESPONSE_HEAD_BYTES = 64 * 1024;

    private static final int RESPONSE_FIELDS = 256;

    /** The part of the head that is reserved for the fields. RFC 9112, section 3, recommends 8000 octets for the first line. */
    private static final int ROOM_FOR_FIELDS = 8 * 1024;

    /** The default limits of requests: 16 KiB, 128 fields, and 8 KiB for the first line. */
    public static final HeadLimits REQUEST = of(REQUEST_HEAD_BYTES, REQUEST_FIELDS);

    /** The default limits of responses: 64 KiB, 256 fields, and 56 KiB for the first line. */
    public static final HeadLimits RESPONSE = of(RESPONSE_HEAD_BYTES, RESPONSE_FIELDS);

    /** The limits of the trailer section of a body, in either direction. */
    public static final HeadLimits TRAILERS = REQUEST;

    /**
     * Requires limits that at least one head can satisfy.
     *
     * @throws IllegalArgumentException if {@code headBytes} or {@code firstLineBytes} is not positive, or {@code fields} is
     *     negative
     */
    public HeadLimits {
        if (headBytes <= 0 || fields < 0 || firstLineBytes <= 0) {
            throw new IllegalArgumentException("limits of a head must be positive");
        }
    }

    /** Creates limits whose first line may take all but 8 KiB of the head, or half of a head shorter than 16 KiB. */
    public static HeadLimits of(int headBytes, int fields) {
        return new HeadLimits(headBytes, fields, Math.max(headBytes / 2, headBytes - ROOM_FOR_FIELDS));
    }
}
