package io.broxy.jmh.run;

import io.broxy.jmh.report.ResultFile;
import io.broxy.jmh.report.Results;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Runs the whole matrix with all peers, and writes the results.
 *
 * <p>Threading: the main thread does everything; JMH measures in separate JVMs.
 */
@Command(
        name = Benchmarks.NAME,
        description = {
            "Runs the benchmark matrix with all peers in about 15 minutes, and writes DATE-jdkN.md, .json and .svg.",
            "The machine should be otherwise idle."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        subcommands = {CompareCommand.class, WholeProcessCommand.class, PeerCommand.class, JmhCommand.class})
public final class Benchmarks implements Callable<Integer> {
    static final String NAME = "broxy-benchmarks";

    private static final String COMMAND = "java -jar broxy-jmh/target/broxy-benchmarks.jar";

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--quick",
            description =
                    "Measure only briefly, about 2 minutes in all: shows that everything works, not how fast it is.")
    private boolean quick;

    @Option(
            names = "--only",
            paramLabel = "TEXT",
            description = "Measure only rows whose names contain this text, such as HandleConnect.")
    private String only = "";

    @Option(
            names = "--to",
            paramLabel = "DIRECTORY",
            description = "The directory for the results. Default: ${DEFAULT-VALUE}",
            defaultValue = "broxy-jmh/results")
    private Path directory = Path.of("broxy-jmh/results");

    /** Runs a command and exits the process. */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** The commands, ready to be executed. */
    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Benchmarks());
        IExecutionExceptionHandler oneLine = (failure, command, parsed) -> {
            if (!(failure instanceof IOException)) {
                throw failure;
            }
            command.getErr().println(NAME + ": " + failure.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
        };
        return line.setExpandAtFiles(false).setExecutionExceptionHandler(oneLine);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        List<Case> cases = Matrix.cases().stream()
                .filter(each -> each.row().toLowerCase(Locale.ROOT).contains(only.toLowerCase(Locale.ROOT)))
                .toList();
        if (cases.isEmpty()) {
            throw new CommandLine.ParameterException(spec.commandLine(), "no row's name contains " + only);
        }
        String date = LocalDate.now(ZoneOffset.UTC).toString();
        ResultFile file =
                ResultFile.in(directory, date, "jdk" + Runtime.version().feature(), quick);
        MatrixRun run = new MatrixRun(quick ? Length.QUICK : Length.FULL, out, directory.resolve("jmh.log"));
        run.run(cases);
        String command = COMMAND + (quick ? " --quick" : "") + (only.isEmpty() ? "" : " --only " + only);
        file.write(Results.ofMatrix(date, quick, command, MachineProbe.probe(), run.rows(), run.notes()));
        out.println("written: " + file + ", .md and .svg beside it");
        return run.rows().isEmpty() ? CommandLine.ExitCode.SOFTWARE : CommandLine.ExitCode.OK;
    }
}
