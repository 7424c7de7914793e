package io.broxy.jmh.run;

import io.broxy.jmh.report.LabRows;
import io.broxy.jmh.report.ResultFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Adds the lab's figures of whole processes to a result file. Threading: for one thread. */
@Command(
        name = "add-whole-process",
        description = "Adds the figures of whole processes to a result file and rewrites its page and chart;"
                + " lab/whole-process.sh measures them and calls this.",
        mixinStandardHelpOptions = true,
        usageHelpAutoWidth = true)
final class WholeProcessCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", paramLabel = "RESULTS.json", description = "The file to update.")
    private Path results = Path.of("");

    @Parameters(index = "1", paramLabel = "ROWS.tsv", description = "The output of lab/compare.sh -o.")
    private Path rows = Path.of("");

    @Option(
            names = "--foreign-load",
            paramLabel = "PERCENT",
            description =
                    "Skip runs during which other processes used more than this percentage of a processor. Default:"
                            + " ${DEFAULT-VALUE}",
            defaultValue = "15")
    private double foreignLoad = 15;

    @Override
    public Integer call() throws IOException {
        try {
            ResultFile file = new ResultFile(results);
            file.write(file.read().withWholeProcess(LabRows.read(Files.readAllLines(rows), foreignLoad)));
            spec.commandLine().getOut().println("written: " + file);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        return CommandLine.ExitCode.OK;
    }
}
