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

/** Puts the lab's figures of whole processes into a result file. Threading: for one thread. */
@Command(
        name = "add-whole-process",
        description = "Puts the figures of whole processes into a result file and writes its page and picture anew;"
                + " lab/whole-process.sh measures them and calls this.",
        mixinStandardHelpOptions = true,
        usageHelpAutoWidth = true)
final class WholeProcessCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", paramLabel = "RESULTS.json", description = "The file that gets them.")
    private Path results = Path.of("");

    @Parameters(index = "1", paramLabel = "ROWS.tsv", description = "What lab/compare.sh -o has kept.")
    private Path rows = Path.of("");

    @Option(
            names = "--foreign-load",
            paramLabel = "PERCENT",
            description = "Leave out runs beside which other processes took more of a processor. Default:"
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
