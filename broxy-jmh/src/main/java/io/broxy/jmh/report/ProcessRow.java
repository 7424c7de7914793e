package io.broxy.jmh.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import org.jspecify.annotations.Nullable;

/**
 * A proxy's process under one kind of load.
 *
 * <p>Threading: immutable.
 *
 * @param mode the load with its concurrency, such as {@code connect32}
 * @param proxy the measured proxy
 * @param unit the unit of the processor time, such as {@code us/conn}
 * @param cpu user and system processor time of the process per unit: median, minimum and maximum of the rounds
 * @param ratio this processor time over that of the reference, round by round, or null without a round of both
 * @param ratePerSecond median of operations, messages, requests or GiB per second
 * @param p50Micros median of the rounds' median latencies; 0 for bulk
 * @param p99Micros median of the rounds' 99th percentiles
 * @param runs the number of rounds that count
 * @param remarks skipped rounds and failures; empty if there were none
 */
public record ProcessRow(
        String mode,
        String proxy,
        String unit,
        Figure cpu,
        @Nullable Figure ratio,
        double ratePerSecond,
        double p50Micros,
        double p99Micros,
        int runs,
        String remarks) {

    /** Identifies the row across files. */
    @JsonIgnore
    public String key() {
        return mode + ", " + proxy;
    }
}
