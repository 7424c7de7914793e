package io.broxy.jmh.run;

import io.broxy.jmh.report.LabRows;
import io.broxy.jmh.report.ResultFile;
import io.broxy.jmh.report.Results;
import io.broxy.jmh.report.WholeProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes the lab's figures of whole processes as results. Threading: for one thread. */
@Command(
        name = "whole-process",
        description = "Writes the figures of whole processes as DATE-whole-process.md, .json and .svg;"
                + " lab/whole-process.sh measures them and calls this.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true)
final class WholeProcessCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--rows", paramLabel = "ROWS.tsv", description = "The output of lab/compare.sh -o.")
    private @Nullable Path rows;

    @Option(names = "--tls-rows", paramLabel = "ROWS.tsv", description = "The output of lab/tls.sh -o.")
    private @Nullable Path tlsRows;

    @Option(
            names = "--to",
            paramLabel = "DIRECTORY",
            description = "The directory for the results. Default: ${DEFAULT-VALUE}",
            defaultValue = "broxy-jmh/results")
    private Path directory = Path.of("broxy-jmh/results");

    @Option(names = "--quick", description = "The run was a short one, which shows that everything works.")
    private boolean quick;

    @Option(
            names = "--jdk",
            paramLabel = "VERSION",
            description = "What a JDK of the measured processes says of itself. May be repeated; default: this JVM.")
    private List<String> jdks = new ArrayList<>();

    @Option(names = "--command", paramLabel = "TEXT", description = "The command that repeats the run.")
    private String command = "broxy-jmh/lab/whole-process.sh";

    @Option(
            names = "--foreign-load",
            paramLabel = "PERCENT",
            description =
                    "Skip runs during which other processes used more than this percentage of a processor. Default:"
                            + " ${DEFAULT-VALUE}",
            defaultValue = "15")
    private double foreignLoad = 15;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (rows == null && tlsRows == null) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--rows or --tls-rows is needed");
        }
        String date = LocalDate.now(ZoneOffset.UTC).toString();
        ResultFile file = ResultFile.in(directory, date, "whole-process", quick);
        file.write(Results.ofProcesses(
                date, quick, command, MachineProbe.probe().withJdk(jdks), measured(rows), measured(tlsRows)));
        spec.commandLine().getOut().println("written: " + file + ", .md and .svg beside it");
        return CommandLine.ExitCode.OK;
    }

    private WholeProcess measured(@Nullable Path file) throws IOException {
        if (file == null) {
            return WholeProcess.NONE;
        }
        try {
            return LabRows.read(Files.readAllLines(file), foreignLoad);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), file + ": " + e.getMessage(), e);
        }
    }
}
