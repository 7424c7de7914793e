package io.broxy.jmh.run;

import java.util.Map;

/**
 * One benchmark with one choice of parameters, and how its result is called.
 *
 * <p>Threading: immutable.
 *
 * @param row the row of the matrix
 * @param implementation who is measured
 * @param phase the seed's phase, or empty
 * @param benchmark the class, whose only benchmark it is
 * @param parameters JMH's parameters
 * @param bytesPerOperation payload that an operation moves, or 0
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

    /** As progress and notes name it. */
    String title() {
        return row + ", " + implementation + (phase.isEmpty() ? "" : ", " + phase);
    }
}
