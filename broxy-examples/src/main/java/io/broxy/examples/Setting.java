package io.broxy.examples;

import org.apache.commons.cli.Option;
import org.jspecify.annotations.Nullable;

/**
 * An option of a command, and what it is set to: its default, or what {@link OptionSet#parse} has found.
 *
 * <p>Threading: filled in by one thread, and not changed after that.
 */
final class Setting<T extends @Nullable Object> {
    private final Option option;
    private final Reading<T> reading;
    private T value;
    private boolean repeatable;
    private boolean given;

    /** What an option is set to by one more text; a flag's is empty. */
    interface Reading<T extends @Nullable Object> {
        T next(T before, String text);
    }

    Setting(Option option, T usual, Reading<T> reading) {
        this.option = option;
        this.value = usual;
        this.reading = reading;
    }

    /** Lets it be given more than once. */
    Setting<T> repeatable() {
        repeatable = true;
        return this;
    }

    T value() {
        return value;
    }

    Option option() {
        return option;
    }

    /**
     * Takes a text from the command line.
     *
     * @throws UsageException if it is wrong, or one too many
     */
    void take(String text) {
        if (given && !repeatable) {
            throw new UsageException("option '" + name() + "' should be specified only once");
        }
        given = true;
        try {
            value = reading.next(value, text);
        } catch (IllegalArgumentException e) {
            throw new UsageException(
                    "Invalid value for option '" + name() + "' (" + option.getArgName() + "): " + e.getMessage());
        }
    }

    private String name() {
        return OptionSet.DASHES + option.getLongOpt();
    }
}
