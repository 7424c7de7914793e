package io.broxy.jmh.run;

import io.broxy.jmh.report.Comparison;
import io.broxy.jmh.report.ResultFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares two result files. Threading: for one thread. */
@Command(
        name = "compare",
        description = {
            "Compares two result files and marks changes beyond the noise.",
            "",
            "Each figure has an interval: for benchmarks the 99.9 %% confidence interval of the mean over all"
                    + " iterations of all forks, for whole processes the range of the rounds. A figure has changed if"
                    + " the intervals of both files are disjoint and the values differ by more than --least."
                    + " Bytes must also differ by 16. Less is better for all figures.",
            "",
            "Files of different machines, kernels or JDKs, and quick runs, are compared with a warning."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true)
final class CompareCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", paramLabel = "BEFORE.json", description = "The older file.")
    private Path before = Path.of("");

    @Parameters(index = "1", paramLabel = "AFTER.json", description = "The newer file.")
    private Path after = Path.of("");

    @Option(
            names = "--least",
            paramLabel = "PERCENT",
            description = "The minimum change that counts. Default: ${DEFAULT-VALUE}",
            defaultValue = "5")
    private double least = 5;

    @Override
    public Integer call() throws IOException {
        if (!(least >= 0)) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--least must not be negative");
        }
        Comparison comparison = Comparison.of(file(before).read(), file(after).read(), least / 100);
        spec.commandLine().getOut().print(comparison.text());
        spec.commandLine().getOut().flush();
        return CommandLine.ExitCode.OK;
    }

    private ResultFile file(Path path) {
        try {
            return new ResultFile(path);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
