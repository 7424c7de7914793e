package io.broxy.jmh.run;

import io.broxy.jmh.BroxyAllocation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.openjdk.jmh.Main;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/**
 * JMH's {@code main}, plus {@link BroxyAllocation} and the JVM options of the matrix.
 *
 * <p>Threading: for one thread.
 */
@Command(
        name = "jmh",
        description = "Runs JMH itself, with all of its options: jmh -h lists them, jmh -l the benchmarks.",
        usageHelpAutoWidth = true)
final class JmhCommand implements Callable<Integer> {
    @Unmatched
    private List<String> arguments = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of("-prof", BroxyAllocation.class.getName()));
        all.addAll(List.of("-jvmArgsPrepend", String.join(" ", ForkOptions.ofThisJava())));
        Main.main(all.toArray(String[]::new));
        return CommandLine.ExitCode.OK;
    }
}
