package io.broxy.jmh.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A Markdown table, built row by row. Threading: for one thread. */
final class MarkdownTable {
    private final List<String> lines = new ArrayList<>();
    private final int columns;

    MarkdownTable(String... headings) {
        columns = headings.length;
        add(headings);
        lines.add("|" + String.join("|", Collections.nCopies(columns, "---")) + "|");
    }

    /** Adds a row; escapes vertical bars in cells. */
    void add(String... cells) {
        if (cells.length != columns) {
            throw new IllegalArgumentException(cells.length + " cells do not fit into " + columns + " columns");
        }
        StringBuilder line = new StringBuilder("|");
        for (String cell : cells) {
            line.append(' ').append(cell.replace("|", "\\|").replace("\n", " ")).append(" |");
        }
        lines.add(line.toString());
    }

    boolean hasRows() {
        return lines.size() > 2;
    }

    /** The table, followed by an empty line. */
    String text() {
        return String.join("\n", lines) + "\n\n";
    }
}
