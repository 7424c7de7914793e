package io.broxy;

/**
 * A rule was refused; the exception says which one and why. Its message is one line of printable ASCII.
 *
 * <p>Threading: immutable.
 */
public final class RuleException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final int index;
    private final String reason;

    /**
     * Creates a refusal.
     *
     * @param list the name of the list of rules
     * @param index the rule's place in it, counted from 0
     * @param reason what is wrong with it
     */
    RuleException(String list, int index, String reason) {
        super(list + "[" + index + "]: " + reason);
        this.index = index;
        this.reason = reason;
    }

    /**
     * The rule's place, counted from 0: in the order in which rules were added to a {@link Rules.Builder}, or in the
     * list that the message names, such as {@code NO_PROXY}.
     */
    public int index() {
        return index;
    }

    /** What is wrong with the rule, without its place. */
    public String reason() {
        return reason;
    }
}
