package io.broxy.jmh.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import org.jspecify.annotations.Nullable;

/**
 * A proxy's process under one kind of load.
 *
 * <p>Threading: immutable.
 *
 * @param mode the load with its concurrency, such as {@code connect32}
 * @param proxy who was measured
 * @param unit the unit of the processor time, such as {@code us/conn}
 * @param cpu processor time of the process, user and system, for a unit: median, least and greatest of the rounds
 * @param ratio this processor time over Broxy's, round by round, or null without Broxy
 * @param ratePerSecond median of the operations, messages, requests or GiB a second
 * @param p50Micros median of the rounds' median latencies; 0 for bulk
 * @param p99Micros the same of the 99th percentile
 * @param runs how many rounds count
 * @param remarks what was left out or went wrong; empty if nothing
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

    /** What makes it the same row in another file. */
    @JsonIgnore
    public String key() {
        return mode + ", " + proxy;
    }
}
