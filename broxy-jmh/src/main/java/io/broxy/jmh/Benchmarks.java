package io.broxy.jmh;

import java.io.IOException;
import java.util.stream.Stream;
import org.openjdk.jmh.Main;

/**
 * JMH's own {@code main} with {@link BroxyAllocation} added, which costs nothing while an operation runs:
 * {@code java -jar broxy-benchmarks.jar -prof gc}, and {@code -h} for everything else.
 */
public final class Benchmarks {
    private Benchmarks() {}

    /** Runs the benchmarks that the arguments choose. */
    public static void main(String[] args) throws IOException {
        Main.main(Stream.concat(Stream.of(args), Stream.of("-prof", BroxyAllocation.class.getName()))
                .toArray(String[]::new));
    }
}
