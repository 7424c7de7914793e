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

    /** Twice what common servers allow, for long cookies and Negotiate tokens; 20,000 such heads at once are 320 MB. */
    private static final int DEFAULT_HEAD_BYTES = 16 * 1024;

    /** Requests have a few dozen; Apache httpd stops at 100. Each costs 8 bytes here beside its text. */
    private static final int DEFAULT_FIELDS = 128;

    /** RFC 9112, section 3, recommends at least 8000 octets. */
    private static final int DEFAULT_FIRST_LINE_BYTES = 8 * 1024;

    /** 16 KiB, 128 fields, and 8 KiB for the first line. */
    public static final HeadLimits DEFAULT =
            new HeadLimits(DEFAULT_HEAD_BYTES, DEFAULT_FIELDS, DEFAULT_FIRST_LINE_BYTES);

    /**
     * Checks that a head can exist within the limits.
     *
     * @throws IllegalArgumentException if {@code headBytes} or {@code firstLineBytes} is not positive, {@code fields} is
     *     negative, or {@code headBytes} is above 65,535
     */
    public HeadLimits {
        if (headBytes <= 0 || fields < 0 || firstLineBytes <= 0) {
            throw new IllegalArgumentException("limits of a head must be positive");
        }
        if (headBytes > Character.MAX_VALUE) {
            throw new IllegalArgumentException("a head cannot have more than " + (int) Character.MAX_VALUE + " bytes");
        }
    }
}
