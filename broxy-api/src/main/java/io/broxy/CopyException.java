package io.broxy;

import java.io.IOException;

/** A copy ended early. Its cause is the failure of the channel. */
public final class CopyException extends IOException {
    private static final long serialVersionUID = 1L;

    private final long copied;

    /**
     * Creates the failure of a copy.
     *
     * @param what the step that failed
     * @param copied how many bytes the sink had accepted
     * @param cause the channel's failure
     */
    public CopyException(String what, long copied, IOException cause) {
        super(what + " after " + copied + " bytes: " + cause.getMessage(), cause);
        this.copied = copied;
    }

    /** How many bytes the sink had accepted. */
    public long copied() {
        return copied;
    }
}
