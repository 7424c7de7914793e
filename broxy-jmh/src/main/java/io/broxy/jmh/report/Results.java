package io.broxy.jmh.report;

import java.util.List;
import java.util.Optional;

/**
 * All measurements of a run: the content of a result file.
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
 */
public record Results(
        String date,
        boolean quick,
        String command,
        Machine machine,
        List<Row> rows,
        List<String> notes,
        WholeProcess wholeProcess) {

    public Results {
        rows = List.copyOf(rows);
        notes = List.copyOf(notes);
    }

    /** A copy with different figures of whole processes. */
    public Results withWholeProcess(WholeProcess measured) {
        return new Results(date, quick, command, machine, rows, notes, measured);
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
