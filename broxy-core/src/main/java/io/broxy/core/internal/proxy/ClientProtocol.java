package io.broxy.core.internal.proxy;

import io.broxy.DialException;
import io.broxy.RefusedException;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.LoopConnection;
import java.nio.ByteBuffer;

/**
 * The protocol that a client speaks, as far as it is answered alike in each: with the refusal of a request, and with what comes of
 * the dial for a tunnel.
 *
 * <p>Threading: owned by the client's event loop.
 */
interface ClientProtocol {

    /** HTTP/1.1, which every client speaks that has not begun with another protocol. */
    ClientProtocol HTTP = new ClientProtocol() {
        @Override
        public String logName() {
            return "http";
        }

        @Override
        public Answer refused(RefusedException refusal, boolean withBody) {
            return Responses.refused(refusal, withBody);
        }

        @Override
        public Answer failed(DialException failure) {
            return Responses.failed(failure, true, false);
        }

        @Override
        public Answer internalError() {
            return Responses.internalError();
        }

        @Override
        public ByteBuffer established(LoopBuffers buffers, LoopConnection origin) {
            return Responses.established(buffers);
        }
    };

    /** Its name in the access log. */
    String logName();

    /**
     * The last answer of a connection: its request is refused.
     *
     * @param withBody whether a response of HTTP has a body; without a meaning in other protocols
     */
    Answer refused(RefusedException refusal, boolean withBody);

    /** The last answer of a connection whose target could not be reached. */
    Answer failed(DialException failure);

    /** The last answer of a connection when the embedder's dialer breaks its contract. */
    Answer internalError();

    /** The answer to a client whose tunnel is open, in a buffer to be released. */
    ByteBuffer established(LoopBuffers buffers, LoopConnection origin);
}
