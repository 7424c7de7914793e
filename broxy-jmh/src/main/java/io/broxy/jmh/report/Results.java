package io.broxy.jmh.report;

import java.util.List;
import java.util.Optional;

/**
 * Everything that a run has measured: the content of a result file.
 *
 * <p>Threading: immutable.
 *
 * @param date the day, as {@code 2026-11-24}
 * @param quick whether it is a short run, which tells that everything works rather than how fast
 * @param command how to run it again
 * @param machine where it was made
 * @param rows the matrix
 * @param notes what could not be measured, and why
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

    /** The same with other figures of whole processes. */
    public Results withWholeProcess(WholeProcess measured) {
        return new Results(date, quick, command, machine, rows, notes, measured);
    }

    /** The names of the matrix's rows in their order, each once. */
    List<String> names() {
        return rows.stream().map(Row::name).distinct().toList();
    }

    /** All that was measured in a row of the matrix. */
    List<Row> named(String name) {
        return rows.stream().filter(row -> row.name().equals(name)).toList();
    }

    /** Broxy in a row of the matrix, as it is used: not warmed up. */
    Optional<Row> broxy(String name) {
        return named(name).stream()
                .filter(row -> row.isBroxy() && row.phase().equals("pooled"))
                .findFirst();
    }

    /** What stands beside Broxy in a row of the matrix. */
    List<Row> peers(String name) {
        return named(name).stream().filter(row -> !row.isBroxy()).toList();
    }
}
