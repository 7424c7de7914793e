package io.broxy.examples;

import java.io.PrintStream;
import java.util.List;
import org.apache.commons.cli.Option;

/** What {@code --help} prints: the names of each option, and beside them its description. */
final class Help {
    private static final int WIDTH = 80;

    /** Where the descriptions begin. */
    private static final int COLUMN = 28;

    private Help() {}

    static void print(String command, String purpose, List<Option> options, PrintStream out) {
        out.println("Usage: " + command + " [OPTION]...");
        out.println(purpose);
        out.println();
        for (Option option : options) {
            String names = names(option);
            if (names.length() >= COLUMN) {
                out.println(names);
                names = "";
            }
            print(names, option.getDescription(), out);
        }
    }

    private static void print(String names, String description, PrintStream out) {
        StringBuilder line = new StringBuilder(names);
        pad(line);
        for (String word : description.split(" ", -1)) {
            if (line.length() + word.length() > WIDTH) {
                out.println(line.toString().stripTrailing());
                line.setLength(0);
                pad(line);
            }
            line.append(word).append(' ');
        }
        out.println(line.toString().stripTrailing());
    }

    private static void pad(StringBuilder line) {
        line.append(" ".repeat(COLUMN - line.length()));
    }

    private static String names(Option option) {
        String shortName = option.getOpt() == null ? "      " : "  -" + option.getOpt() + ", ";
        String name = shortName + OptionSet.DASHES + option.getLongOpt();
        return option.hasArg() ? name + "=" + option.getArgName() : name;
    }
}
