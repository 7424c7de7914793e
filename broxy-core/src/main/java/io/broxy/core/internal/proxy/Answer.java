package io.broxy.core.internal.proxy;

import java.nio.ByteBuffer;

/**
 * What a client is answered, in the form of its protocol.
 *
 * @param status the status of HTTP, or the one that HTTP has for the same outcome; 0 if the bytes are no answer to a request
 * @param bytes to be written; a shared buffer if they are none
 *
 * <p>Threading: for one thread at a time.
 */
record Answer(int status, ByteBuffer bytes) {
    /** An empty last answer. */
    static final Answer NONE = new Answer(0, Responses.NOTHING);
}
