package io.broxy;

import java.util.Objects;

/**
 * What a {@link ResponseFilter} decides about a response.
 *
 * <p>Threading: immutable; one decision may serve any number of responses.
 */
public sealed interface ResponseDecision {

    /** The response goes to the client as it is; the result may be changed. */
    static Pass pass() {
        return Pass.UNCHANGED;
    }

    /**
     * The client gets 502 and this text instead, and its connection is closed. The origin's connection is closed, too: nothing of
     * the response is read any more. The exchange ends with {@link CloseReason#REFUSED} and {@link
     * RefusedException.Reason#FILTERED}.
     *
     * @param text one line of printable US-ASCII; it is logged
     * @throws IllegalArgumentException if the text is another
     */
    static Refuse refuse(String text) {
        return new Refuse(text);
    }

    /**
     * The response goes to the client.
     *
     * <p>Threading: immutable.
     *
     * @param edits the changes to its fields
     */
    record Pass(FieldEdits edits) implements ResponseDecision {
        private static final Pass UNCHANGED = new Pass(FieldEdits.none());

        /** Checks for null. */
        public Pass {
            Objects.requireNonNull(edits, "edits");
        }

        /**
         * The same, and the client gets this field in place of all others of its name.
         *
         * @throws IllegalArgumentException as {@link FieldEdits} does
         */
        public Pass set(String name, String value) {
            return new Pass(edits.set(name, value));
        }

        /**
         * The same, and the client gets one field more.
         *
         * @throws IllegalArgumentException as {@link FieldEdits} does
         */
        public Pass add(String name, String value) {
            return new Pass(edits.add(name, value));
        }

        /**
         * The same, and the client gets no field of this name.
         *
         * @throws IllegalArgumentException as {@link FieldEdits} does
         */
        public Pass remove(String name) {
            return new Pass(edits.remove(name));
        }
    }

    /**
     * The response is kept from the client.
     *
     * <p>Threading: immutable.
     *
     * @param text one line of printable US-ASCII
     */
    record Refuse(String text) implements ResponseDecision {
        /**
         * Checks the text.
         *
         * @throws IllegalArgumentException if it is not as it must be
         */
        public Refuse {
            if (!Printable.isLine(text)) {
                throw new IllegalArgumentException("the text of a refusal is one line of printable US-ASCII");
            }
        }
    }
}
