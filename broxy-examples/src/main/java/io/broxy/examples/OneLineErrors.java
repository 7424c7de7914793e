package io.broxy.examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Tells what an operator can put right in one line on standard error, whatever is in it. Anything else is a fault of the
 * program and keeps its stack trace.
 *
 * <p>Threading: immutable.
 */
final class OneLineErrors implements IParameterExceptionHandler, IExecutionExceptionHandler {
    /** What would begin another line, or do worse to a terminal. */
    private static final Pattern CONTROLS = Pattern.compile("[\\p{Cc}\\u2028\\u2029]+");

    /** The user information of a proxy's URI that picocli quotes, as it does an option's whose name is misspelt. */
    private static final Pattern USER_INFO = Pattern.compile("(?<=://).*@");

    @Override
    public int handleParseException(ParameterException failure, String[] args) {
        tell(failure.getCommandLine(), failure);
        return CommandLine.ExitCode.USAGE;
    }

    @Override
    public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) throws Exception {
        if (!(failure instanceof IOException) && !(failure instanceof UncheckedIOException)) {
            throw failure;
        }
        tell(command, failure);
        return CommandLine.ExitCode.SOFTWARE;
    }

    private static void tell(CommandLine command, Exception failure) {
        String message = String.valueOf(failure.getMessage());
        String line = USER_INFO.matcher(oneLine(message)).replaceAll("(not shown)@");
        command.getErr().println(MiniServer.NAME + ": " + line);
    }

    /** The text without what would begin another line. */
    static String oneLine(String text) {
        return CONTROLS.matcher(text).replaceAll(" ");
    }
}
