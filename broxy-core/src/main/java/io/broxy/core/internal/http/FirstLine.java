package io.broxy.core.internal.http;

/**
 * The line that begins a head: what distinguishes requests from responses.
 *
 * <p>Threading: for one thread at a time.
 *
 * @param <T> what the whole head becomes
 */
sealed interface FirstLine<T> permits RequestLine, StatusLine {

    /**
     * Takes the next byte of the line; never the one that ends it.
     *
     * @param index of the byte in the head
     */
    void next(byte b, int index) throws BadHeadException;

    /**
     * The line has ended.
     *
     * @param index of the byte that ends it in the head
     */
    void end(int index) throws BadHeadException;

    /** Why a line is refused that is longer than allowed. */
    BadHeadException tooLong();

    /** The head, when all of it has come. */
    T head(byte[] bytes, Fields fields);
}
