package io.broxy.jmh.report;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Measurements of whole processes from outside.
 *
 * <p>Threading: immutable.
 *
 * @param reference the proxy that the others are compared with
 * @param conditions how it was measured: rounds, warm-up, versions of programs
 * @param rows proxies under load
 * @param idle proxies with idle tunnels
 * @param failures descriptions of measurements that gave no figure, and of proxies that were left out
 */
public record WholeProcess(
        String reference, List<String> conditions, List<ProcessRow> rows, List<IdleRow> idle, List<String> failures) {

    /** No measurements. */
    public static final WholeProcess NONE = new WholeProcess("", List.of(), List.of(), List.of(), List.of());

    /** The reference, started once more under a name with this ending, shows what the machine's noise is worth. */
    private static final String AGAIN = "-again";

    public WholeProcess {
        // Files of before November 2026 have neither of the two; Broxy was the reference.
        reference = Objects.requireNonNullElse(reference, Row.BROXY);
        conditions = List.copyOf(Objects.requireNonNullElse(conditions, List.of()));
        rows = List.copyOf(rows);
        idle = List.copyOf(idle);
        failures = List.copyOf(failures);
    }

    /** Whether there is nothing to tell. */
    boolean isNothing() {
        return rows.isEmpty() && idle.isEmpty() && failures.isEmpty();
    }

    /** The loads, in order. */
    List<LabMode> modes() {
        return rows.stream().map(ProcessRow::mode).distinct().map(LabMode::new).toList();
    }

    /** The proxies, in order. */
    List<String> proxies() {
        return Stream.concat(rows.stream().map(ProcessRow::proxy), idle.stream().map(IdleRow::proxy))
                .distinct()
                .toList();
    }

    /** The rows of a load. */
    List<ProcessRow> under(LabMode mode) {
        return rows.stream().filter(row -> row.mode().equals(mode.name())).toList();
    }

    /** The row of a proxy under a load. */
    Optional<ProcessRow> row(LabMode mode, String proxy) {
        return under(mode).stream().filter(row -> row.proxy().equals(proxy)).findFirst();
    }

    /** The idle tunnels of a proxy. */
    Optional<IdleRow> idle(String proxy) {
        return idle.stream().filter(row -> row.proxy().equals(proxy)).findFirst();
    }

    boolean isReference(String proxy) {
        return proxy.equals(reference);
    }

    /** The ratio of the reference's second process to its first under a load: the noise. Empty unless there were two. */
    Optional<Figure> noise(LabMode mode) {
        return row(mode, reference + AGAIN).map(ProcessRow::ratio);
    }
}
