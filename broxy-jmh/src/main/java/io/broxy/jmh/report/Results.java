package io.broxy.jmh.report;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * All measurements of a run, of the matrix or of whole processes: the content of a result file.
 *
 * <p>Threading: immutable.
 *
 * @param date the date, such as {@code 2026-11-24}
 * @param quick whether it is a short run, which shows that everything works rather than how fast it is
 * @param command the command that repeats the run
 * @param machine the machine of the run
 * @param rows the matrix
 * @param notes cases that could not be measured, and the reasons
 * @param wholeProcess figures of whole processes, {@link WholeProcess#NONE} without any
 * @param tls figures of whole processes that speak TLS to their clients, {@link WholeProcess#NONE} without any
 */
public record Results(
        String date,
        boolean quick,
        String command,
        Machine machine,
        List<Row> rows,
        List<String> notes,
        WholeProcess wholeProcess,
        WholeProcess tls) {

    public Results {
        tls = Objects.requireNonNullElse(tls, WholeProcess.NONE); // as in files of before November 2026
        rows = List.copyOf(rows);
        notes = List.copyOf(notes);
    }

    /** The matrix of a run. */
    public static Results ofMatrix(
            String date, boolean quick, String command, Machine machine, List<Row> rows, List<String> notes) {
        return new Results(date, quick, command, machine, rows, notes, WholeProcess.NONE, WholeProcess.NONE);
    }

    /** The whole processes of a run. */
    public static Results ofProcesses(
            String date, boolean quick, String command, Machine machine, WholeProcess plain, WholeProcess tls) {
        return new Results(date, quick, command, machine, List.of(), List.of(), plain, tls);
    }

    /** Whether the matrix was measured. */
    boolean hasMatrix() {
        return !rows.isEmpty() || !notes.isEmpty();
    }

    /** The distinct names of the matrix's rows, in order. */
    List<String> names() {
        return rows.stream().map(Row::name).distinct().toList();
    }

    /** All results of a row of the matrix. */
    List<Row> named(String name) {
        return rows.stream().filter(row -> row.name().equals(name)).toList();
    }

    /** Broxy's result in a row of the matrix, in normal use: without spares. */
    Optional<Row> broxy(String name) {
        return named(name).stream()
                .filter(row -> row.isBroxy() && row.phase().equals("pooled"))
                .findFirst();
    }

    /** The results of other implementations in a row of the matrix. */
    List<Row> peers(String name) {
        return named(name).stream().filter(row -> !row.isBroxy()).toList();
    }
}
