package io.broxy.jmh.run;

import java.util.Map;

/**
 * One benchmark with one combination of parameters, and the name of its result.
 *
 * <p>Threading: immutable.
 *
 * @param row the row of the matrix
 * @param implementation the measured implementation
 * @param phase the seed's phase, or empty
 * @param benchmark the class, which has only this benchmark
 * @param parameters JMH's parameters
 * @param bytesPerOperation payload bytes that an operation transfers, or 0
 */
record Case(
        String row,
        String implementation,
        String phase,
        Class<?> benchmark,
        Map<String, String> parameters,
        long bytesPerOperation) {

    Case {
        parameters = Map.copyOf(parameters);
    }

    /** The name of the case in progress output and notes. */
    String title() {
        return row + ", " + implementation + (phase.isEmpty() ? "" : ", " + phase);
    }
}
