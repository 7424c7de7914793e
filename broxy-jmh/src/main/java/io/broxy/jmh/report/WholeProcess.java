package io.broxy.jmh.report;

import java.util.List;

/**
 * Measurements of whole processes from outside.
 *
 * <p>Threading: immutable.
 *
 * @param rows proxies under load
 * @param idle proxies with idle tunnels
 * @param failures descriptions of measurements that gave no figure
 */
public record WholeProcess(List<ProcessRow> rows, List<IdleRow> idle, List<String> failures) {

    /** No measurements. */
    public static final WholeProcess NONE = new WholeProcess(List.of(), List.of(), List.of());

    public WholeProcess {
        rows = List.copyOf(rows);
        idle = List.copyOf(idle);
        failures = List.copyOf(failures);
    }
}
