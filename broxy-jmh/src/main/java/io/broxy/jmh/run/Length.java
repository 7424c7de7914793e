package io.broxy.jmh.run;

import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.profile.Profiler;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * How long each case is measured.
 *
 * <p>Threading: immutable.
 *
 * @param forks JVMs, one after another: each compiles the code in its own way
 * @param warmups iterations that do not count, in each of them
 * @param warmup how long each of those takes
 * @param iterations iterations that count, in each of them
 * @param iteration how long each of those takes
 */
record Length(int forks, int warmups, TimeValue warmup, int iterations, TimeValue iteration) {
    /** Some 14 minutes for all. */
    static final Length FULL = new Length(3, 3, TimeValue.seconds(1), 4, TimeValue.seconds(1));

    /** Some 2 minutes for all. */
    static final Length QUICK = new Length(1, 1, TimeValue.milliseconds(800), 4, TimeValue.milliseconds(300));

    /** What JMH is told. */
    Options options(Case which, List<String> jvmOptions, Class<? extends Profiler> own) {
        ChainedOptionsBuilder builder = new OptionsBuilder()
                .include("^" + which.benchmark().getName().replace(".", "\\.") + "\\.")
                .forks(forks)
                .warmupIterations(warmups)
                .warmupTime(warmup)
                .measurementIterations(iterations)
                .measurementTime(iteration)
                .jvmArgs(jvmOptions.toArray(String[]::new))
                .addProfiler(GCProfiler.class)
                .addProfiler(own)
                .shouldFailOnError(true);
        which.parameters().forEach((name, value) -> builder.param(name, value));
        return builder.build();
    }
}
