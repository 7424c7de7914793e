package io.broxy.examples;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.apache.commons.cli.AlreadySelectedException;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.DefaultParser.NonOptionAction;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.OptionGroup;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.jspecify.annotations.Nullable;

/**
 * The options of a command: first each is declared, then a command line is parsed, which fills in the settings.
 *
 * <p>Threading: for one thread.
 */
final class OptionSet {
    static final String DASHES = "--";

    private final Options options = new Options();
    private final Map<String, Setting<?>> settings = new HashMap<>();

    // Lambdas would be linked at each start, which takes longer than to load these.

    /** Reads a flag. Threading: immutable. */
    private record Given() implements Setting.Reading<Boolean> {
        @Override
        public Boolean next(Boolean before, String text) {
            return true;
        }
    }

    /** Reads one value. Threading: immutable. */
    private record Converted<T extends @Nullable Object>(Converter<? extends T> converter)
            implements Setting.Reading<T> {
        @Override
        public T next(T before, String text) {
            return converter.convert(text);
        }
    }

    /** Reads one more value. Threading: immutable. */
    private record Collected<T>(Converter<T> converter) implements Setting.Reading<List<T>> {
        @Override
        public List<T> next(List<T> before, String text) {
            before.add(converter.convert(text));
            return before;
        }
    }

    // ------------------------------------------------------------------ declaring

    /** An option without a value; it is false unless it is given. */
    Setting<Boolean> flag(String name, String description) {
        return flag(null, name, description);
    }

    /** A flag that has a short name, too, such as {@code -v}. */
    Setting<Boolean> flag(@Nullable String shortName, String name, String description) {
        return add(new Setting<>(option(shortName, name, description).get(), false, new Given()));
    }

    /**
     * An option with a value, which is null unless it is given, at most once.
     *
     * @param label names the value in the help
     */
    <T> Setting<@Nullable T> one(String name, String label, Converter<T> converter, String description) {
        Option option = option(null, name, description).hasArg().argName(label).get();
        return add(new Setting<@Nullable T>(option, null, new Converted<@Nullable T>(converter)));
    }

    /** An option with a value that has a default. */
    <T> Setting<T> one(String name, String label, Converter<T> converter, T usual, String description) {
        Option option = option(null, name, description).hasArg().argName(label).get();
        return add(new Setting<>(option, usual, new Converted<>(converter)));
    }

    /** An option with a value that may be repeated. */
    <T> Setting<List<T>> many(String name, String label, Converter<T> converter, String description) {
        Option option = option(null, name, description).hasArg().argName(label).get();
        return add(new Setting<List<T>>(option, new ArrayList<>(), new Collected<>(converter)).repeatable());
    }

    private static Option.Builder option(@Nullable String shortName, String name, String description) {
        return Option.builder(shortName == null ? null : shortName.substring(1))
                .longOpt(name.substring(DASHES.length()))
                .desc(description);
    }

    private <T extends @Nullable Object> Setting<T> add(Setting<T> setting) {
        options.addOption(setting.option());
        settings.put(setting.option().getLongOpt(), setting);
        return setting;
    }

    /** Lets at most one of these be given. */
    void exclusive(Setting<?>... alternatives) {
        OptionGroup group = new OptionGroup();
        for (Setting<?> each : alternatives) {
            group.addOption(each.option());
        }
        options.addOptionGroup(group);
    }

    /** All of them in the order in which they were declared. */
    List<Option> declared() {
        return List.copyOf(options.getOptions());
    }

    // ------------------------------------------------------------------ parsing

    /**
     * Fills in the settings.
     *
     * @return what belongs to no option
     * @throws UsageException if an option or its value is wrong
     */
    List<String> parse(String... arguments) {
        DefaultParser parser = DefaultParser.builder()
                .setAllowPartialMatching(false)
                .setStripLeadingAndTrailingQuotes(false)
                .get();
        CommandLine line;
        try {
            line = parser.parse(options, null, NonOptionAction.SKIP, arguments);
        } catch (ParseException e) {
            throw new UsageException(reason(e));
        }
        for (Option given : line.getOptions()) {
            Objects.requireNonNull(settings.get(given.getLongOpt())).take(given.getValue(""));
        }
        return line.getArgList();
    }

    private static String reason(ParseException failure) {
        if (failure instanceof MissingArgumentException missing) {
            return "Missing required parameter for option '" + DASHES
                    + missing.getOption().getLongOpt() + "' ("
                    + missing.getOption().getArgName() + ")";
        }
        if (failure instanceof AlreadySelectedException second) {
            String names = second.getOptionGroup().getOptions().stream()
                    .map(option -> DASHES + option.getLongOpt())
                    .collect(Collectors.joining(", "));
            return names + " are mutually exclusive (specify only one)";
        }
        return String.valueOf(failure.getMessage());
    }

    /**
     * Refuses what belongs to no option.
     *
     * @throws UsageException if there is anything
     */
    static void refuse(List<String> unknown) {
        if (!unknown.isEmpty()) {
            String first = unknown.get(0);
            boolean option = first.startsWith("-") && first.length() > 1;
            int value = first.indexOf('='); // what is behind it may be a password
            String name = option && value > 0 ? first.substring(0, value) : first;
            throw new UsageException((option ? "Unknown option: " : "Unmatched argument: ") + Found.value(name)
                    + "; --help lists the options");
        }
    }
}
