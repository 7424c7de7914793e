package io.broxy.jmh.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Formats the figures of whole processes as a section of a Markdown page. Threading: immutable. */
final class ProcessReport {
    private static final String NOTHING = "–";

    private final WholeProcess measured;

    private ProcessReport(WholeProcess measured) {
        this.measured = measured;
    }

    /** The section with a title; empty without measurements. */
    static String text(String title, WholeProcess measured) {
        return measured.isNothing() ? "" : "## " + title + "\n\n" + new ProcessReport(measured).text();
    }

    private String text() {
        return "Each proxy on one core, load and origin on another, in turn. CPU is user and system time of the proxy's process."
                + " Ratios are those of " + measured.reference()
                + ", round by round: their median and, below, their range.\n\n"
                + conditions() + noise() + overview() + loads() + idle() + failures();
    }

    private String conditions() {
        return list(measured.conditions());
    }

    private static String list(List<String> items) {
        return items.isEmpty() ? "" : "- " + String.join("\n- ", items) + "\n\n";
    }

    private String noise() {
        List<String> figures = new ArrayList<>();
        for (LabMode mode : measured.modes()) {
            measured.noise(mode)
                    .ifPresent(ratio ->
                            figures.add(mode.name() + " " + Numbers.times(ratio.value()) + " (" + range(ratio) + ")"));
        }
        return figures.isEmpty()
                ? ""
                : "**Noise**, the ratio of two equal processes of " + measured.reference() + ": "
                        + String.join(", ", figures) + ".\n\n";
    }

    /** A line for each proxy, a column for each load. */
    private String overview() {
        List<LabMode> modes = measured.modes();
        if (modes.isEmpty()) {
            return "";
        }
        boolean idle = !measured.idle().isEmpty();
        MarkdownTable table =
                new MarkdownTable(columns("CPU, ratio", modes.stream().map(LabMode::name), idle, "idle tunnel, KiB"));
        for (String proxy : measured.proxies()) {
            table.add(columns(
                    proxy,
                    modes.stream()
                            .map(mode -> measured.row(mode, proxy)
                                    .map(this::overviewCell)
                                    .orElse(NOTHING)),
                    idle,
                    measured.idle(proxy).map(ProcessReport::memory).orElse(NOTHING)));
        }
        return "### All loads\n\n" + table.text();
    }

    private static String[] columns(String first, Stream<String> middle, boolean hasLast, String last) {
        List<String> cells = new ArrayList<>(List.of(first));
        middle.forEach(cells::add);
        if (hasLast) {
            cells.add(last);
        }
        return cells.toArray(String[]::new);
    }

    private String overviewCell(ProcessRow row) {
        if (measured.isReference(row.proxy())) {
            return "1 = " + Numbers.plain(row.cpu().value()) + " " + row.unit();
        }
        return ratio(row).map(ratio -> Numbers.times(ratio.value())).orElse(NOTHING);
    }

    private static String memory(IdleRow row) {
        Figure heap = row.heapKib();
        return heap == null ? Numbers.plain(row.rssKib().value()) : Numbers.plain(heap.value()) + " of heap";
    }

    private String loads() {
        StringBuilder text = new StringBuilder();
        for (LabMode mode : measured.modes()) {
            MarkdownTable table = new MarkdownTable(
                    "proxy", "CPU, " + mode.unit(), "range", "ratio", "range", "rate/s", "p50 µs", "p99 µs", "rounds");
            for (ProcessRow row : measured.under(mode)) {
                table.add(
                        row.proxy(),
                        Numbers.plain(row.cpu().value()),
                        range(row.cpu()),
                        ratio(row).map(ratio -> Numbers.times(ratio.value())).orElse(NOTHING),
                        ratio(row).map(ProcessReport::range).orElse(NOTHING),
                        Numbers.plain(row.ratePerSecond()),
                        row.p50Micros() == 0 ? NOTHING : Numbers.plain(row.p50Micros()),
                        row.p99Micros() == 0 ? NOTHING : Numbers.plain(row.p99Micros()),
                        row.runs() + (row.remarks().isEmpty() ? "" : ", " + row.remarks()));
            }
            text.append("### ").append(mode.name()).append("\n\n");
            text.append("A unit: ").append(mode.explanation()).append(".\n\n").append(table.text());
        }
        return text.toString();
    }

    private static Optional<Figure> ratio(ProcessRow row) {
        return Optional.ofNullable(row.ratio());
    }

    private String idle() {
        MarkdownTable table = new MarkdownTable(
                "proxy", "RSS KiB a tunnel", "range", "live heap KiB a tunnel", "CPU ms/s of all of them");
        for (IdleRow row : measured.idle()) {
            Figure heap = row.heapKib();
            table.add(
                    row.proxy(),
                    Numbers.plain(row.rssKib().value()),
                    range(row.rssKib()),
                    heap == null ? NOTHING : Numbers.plain(heap.value()),
                    Numbers.plain(row.cpuMillisPerSecond().value()));
        }
        return table.hasRows()
                ? "### Idle tunnels\n\nResident memory grows by less where a JVM has touched its heap before.\n\n"
                        + table.text()
                : "";
    }

    private String failures() {
        return measured.failures().isEmpty() ? "" : "### Left out\n\n" + list(measured.failures());
    }

    private static String range(Figure figure) {
        return Numbers.plain(figure.low()) + "–" + Numbers.plain(figure.high());
    }
}
