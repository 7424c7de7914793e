package io.broxy.jmh.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The changes from one result file to another.
 *
 * <p>Threading: immutable.
 *
 * @param changes every figure of both files, those of the newer one first
 * @param warnings reasons why the files may not be comparable; empty if they are
 */
public record Comparison(List<Change> changes, List<String> warnings) {
    /** Smaller differences of allocation come from the harness's own objects. */
    private static final double MIN_BYTES = 16;

    public Comparison {
        changes = List.copyOf(changes);
        warnings = List.copyOf(warnings);
    }

    /**
     * Compares two files.
     *
     * @param least the fraction of the older value that a change must exceed, such as 0.05
     */
    public static Comparison of(Results before, Results after, double least) {
        Map<String, Figure> old = figures(before);
        Map<String, Figure> recent = figures(after);
        Set<String> all = new LinkedHashSet<>(recent.keySet());
        all.addAll(old.keySet());
        List<Change> changes = all.stream()
                .map(what -> Change.of(what, old.get(what), recent.get(what), least))
                .toList();
        return new Comparison(changes, warnings(before, after));
    }

    /** All figures for which less is better, by name. */
    private static Map<String, Figure> figures(Results results) {
        Map<String, Figure> figures = new LinkedHashMap<>();
        for (Row row : results.rows()) {
            figures.put(row.key() + ": ns/op", row.nanos());
            figures.put(row.key() + ": B/op", atLeastBytes(row.allocated()));
            Figure own = row.broxyAllocated();
            if (own != null) {
                figures.put(row.key() + ": B/op on Broxy's threads", atLeastBytes(own));
            }
        }
        addProcesses(figures, "", results.wholeProcess());
        addProcesses(figures, "TLS, ", results.tls());
        return figures;
    }

    private static void addProcesses(Map<String, Figure> figures, String prefix, WholeProcess processes) {
        for (ProcessRow row : processes.rows()) {
            figures.put(prefix + row.key() + ": CPU " + row.unit(), row.cpu());
        }
        for (IdleRow row : processes.idle()) {
            figures.put(prefix + row.key() + ": RSS KiB a tunnel", row.rssKib());
        }
    }

    /** Widens the interval to at least the variation of the harness itself. */
    private static Figure atLeastBytes(Figure bytes) {
        double half = MIN_BYTES / 2;
        return new Figure(
                bytes.value(),
                Math.min(bytes.low(), bytes.value() - half),
                Math.max(bytes.high(), bytes.value() + half));
    }

    private static List<String> warnings(Results before, Results after) {
        List<String> warnings = new ArrayList<>();
        for (String difference : before.machine().differences(after.machine())) {
            warnings.add("different machines: " + difference);
        }
        if (before.quick() || after.quick()) {
            warnings.add("a quick run is too short to judge by");
        }
        return warnings;
    }

    /** Formats the comparison in Markdown: warnings, changes, and the number of unchanged figures. */
    public String text() {
        StringBuilder text = new StringBuilder();
        warnings.forEach(warning -> text.append("Warning: ").append(warning).append('\n'));
        if (!warnings.isEmpty()) {
            text.append('\n');
        }
        MarkdownTable table = new MarkdownTable("figure", "before", "after", "after / before", "verdict");
        for (Change change : changes) {
            table.add(
                    change.what(),
                    cell(change.before()),
                    cell(change.after()),
                    ratio(change),
                    change.verdict().toString());
        }
        return text.append(table.text()).append(counts()).toString();
    }

    private String counts() {
        List<String> parts = new ArrayList<>();
        for (Change.Verdict verdict : Change.Verdict.values()) {
            long count = changes.stream()
                    .filter(change -> change.verdict() == verdict)
                    .count();
            parts.add(count + " " + verdict);
        }
        return String.join(", ", parts) + "\n";
    }

    private static String cell(@Nullable Figure figure) {
        return figure == null
                ? "–"
                : Numbers.plain(figure.value()) + " (" + Numbers.plain(figure.low()) + "–"
                        + Numbers.plain(figure.high()) + ")";
    }

    private static String ratio(Change change) {
        Figure before = change.before();
        Figure after = change.after();
        return before == null || after == null || before.value() == 0
                ? "–"
                : Numbers.times(after.value() / before.value());
    }
}
