package io.broxy;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link RequestFilter} decides about a request.
 *
 * <p>Threading: immutable; one decision may serve any number of requests.
 */
public sealed interface RequestDecision {

    /** The request goes on as it is; the result may be changed. */
    static Pass pass() {
        return Pass.UNCHANGED;
    }

    /**
     * The request is refused: the client gets this status and text, and its connection is closed. A SOCKS client gets the reply
     * "not allowed by ruleset".
     *
     * @param status from 400 to 599, but not 407, for which there is the {@link Authenticator}
     * @param text one line of printable US-ASCII; it is logged
     * @throws IllegalArgumentException if the status or the text is another
     */
    static Refuse refuse(int status, String text) {
        return new Refuse(status, text);
    }

    /**
     * The client gets this response in place of the origin's. It counts as an exchange, and the connection is kept for the next
     * request if HTTP allows it and the request has no body. A CONNECT is refused with this response and {@link
     * RefusedException.Reason#FILTERED}, and the connection is closed; a status of 2xx would open a tunnel, so it is an error
     * of the filter there. A SOCKS client gets the reply "not allowed by ruleset".
     */
    static Answer answer(LocalResponse response) {
        return new Answer(response);
    }

    /**
     * The request goes on.
     *
     * <p>Threading: immutable.
     *
     * @param edits the changes to the fields of a forwarded request; those of CONNECT end at this proxy, so changes have no
     *     effect there
     * @param dialer dials the target of this request; null for the handler's dialer
     */
    record Pass(FieldEdits edits, @Nullable Dialer dialer) implements RequestDecision {
        private static final Pass UNCHANGED = new Pass(FieldEdits.none(), null);

        /** Checks for null. */
        public Pass {
            Objects.requireNonNull(edits, "edits");
        }

        /**
         * The same, and the origin gets this field in place of all others of its name.
         *
         * @throws IllegalArgumentException as {@link FieldEdits} does
         */
        public Pass set(String name, String value) {
            return new Pass(edits.set(name, value), dialer);
        }

        /**
         * The same, and the origin gets one field more.
         *
         * @throws IllegalArgumentException as {@link FieldEdits} does
         */
        public Pass add(String name, String value) {
            return new Pass(edits.add(name, value), dialer);
        }

        /**
         * The same, and the origin gets no field of this name.
         *
         * @throws IllegalArgumentException as {@link FieldEdits} does
         */
        public Pass remove(String name) {
            return new Pass(edits.remove(name), dialer);
        }

        /**
         * The same, by another dialer. The handler's {@link AddressPolicy} and timeout apply to it as to its own, targets at
         * which the engine listens are denied, and pooled connections of different dialers never mix: a filter returns the same
         * few dialers again and again.
         */
        public Pass by(Dialer other) {
            return new Pass(edits, Objects.requireNonNull(other, "other"));
        }
    }

    /**
     * The request is refused.
     *
     * <p>Threading: immutable.
     *
     * @param status from 400 to 599, but not 407
     * @param text one line of printable US-ASCII
     */
    record Refuse(int status, String text) implements RequestDecision {
        private static final int PROXY_AUTHENTICATION_REQUIRED = 407;

        /**
         * Checks both.
         *
         * @throws IllegalArgumentException if one is not as it must be
         */
        public Refuse {
            if (status < 400 || status > 599 || status == PROXY_AUTHENTICATION_REQUIRED) {
                throw new IllegalArgumentException("the status of a refusal is 400 to 599 and not 407, not " + status);
            }
            if (!Printable.isLine(text)) {
                throw new IllegalArgumentException("the text of a refusal is one line of printable US-ASCII");
            }
        }
    }

    /**
     * The filter answers the request.
     *
     * <p>Threading: immutable.
     */
    record Answer(LocalResponse response) implements RequestDecision {
        /** Checks for null. */
        public Answer {
            Objects.requireNonNull(response, "response");
        }
    }
}
