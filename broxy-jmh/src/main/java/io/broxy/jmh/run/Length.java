package io.broxy.jmh.run;

import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.profile.Profiler;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * The duration of the measurement of each case.
 *
 * <p>Threading: immutable.
 *
 * @param forks the number of JVMs, run one after another: each compiles the code differently
 * @param warmups the number of warm-up iterations per fork
 * @param warmup the duration of a warm-up iteration
 * @param iterations the number of measured iterations per fork
 * @param iteration the duration of a measured iteration
 */
record Length(int forks, int warmups, TimeValue warmup, int iterations, TimeValue iteration) {
    /** About 14 minutes in all. */
    static final Length FULL = new Length(3, 3, TimeValue.seconds(1), 4, TimeValue.seconds(1));

    /** About 2 minutes in all. */
    static final Length QUICK = new Length(1, 1, TimeValue.milliseconds(800), 4, TimeValue.milliseconds(300));

    /** The options for JMH. */
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
