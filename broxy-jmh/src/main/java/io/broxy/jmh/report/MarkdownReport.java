package io.broxy.jmh.report;

import java.util.List;
import java.util.Optional;

/** Formats results as a Markdown page. Threading: immutable. */
final class MarkdownReport {
    private static final List<String> PHASES = List.of("unpooled", "pooled", "pooled+warm");
    private static final String NOTHING = "–";

    private final Results results;
    private final String picture;

    /** Creates a report that refers to a chart in the same directory. */
    MarkdownReport(Results results, String picture) {
        this.results = results;
        this.picture = picture;
    }

    String text() {
        return head() + (results.hasMatrix() ? matrix() + summary() + peers() + notes() : "") + processes();
    }

    private String head() {
        Machine machine = results.machine();
        MarkdownTable table = new MarkdownTable("what", "which");
        table.add("date", results.date());
        table.add("commit", machine.commit());
        table.add(
                "machine",
                machine.cpu() + ", " + machine.cores() + " cores, " + Numbers.plain((double) machine.memoryMib())
                        + " MiB");
        table.add("kernel", machine.kernel());
        table.add("JDK", machine.jdk());
        table.add("command", "`" + results.command() + "`");
        return "# Broxy's benchmarks\n\n" + table.text()
                + (results.quick()
                        ? "A quick run: it shows that every benchmark works, but its spreads are too wide for conclusions.\n\n"
                        : "");
    }

    /** The seed's table: a line for each row, a column for each phase. */
    private String matrix() {
        MarkdownTable table = new MarkdownTable("row", "unpooled", "pooled", "pooled+warm");
        for (String name : results.names()) {
            table.add(name, cell(name, PHASES.get(0)), cell(name, PHASES.get(1)), cell(name, PHASES.get(2)));
        }
        return "## The matrix\n\nTime, ± half the width of its 99.9 % confidence interval; payload; allocation on all threads,"
                + " client and origin included.\n\n" + table.text();
    }

    private String cell(String name, String phase) {
        return inPhase(name, phase)
                .map(row -> Numbers.plain(row.nanos().value()) + " ns/op ±"
                        + Numbers.percent(row.nanos().spread())
                        + (row.bytesPerOperation() == 0 ? "" : ", " + Numbers.plain(row.megabytesPerSecond()) + " MB/s")
                        + ", " + Numbers.plain(row.allocated().value()) + " B/op")
                .orElse(NOTHING);
    }

    private Optional<Row> inPhase(String name, String phase) {
        return results.named(name).stream()
                .filter(row -> row.phase().equals(phase))
                .findFirst();
    }

    /** The seed's summary: the gain from pooling and warm connections. */
    private String summary() {
        MarkdownTable table = new MarkdownTable("row", "from", "to", "times faster", "times less allocation");
        for (String name : results.names()) {
            addGain(table, name, PHASES.get(0), PHASES.get(1));
            addGain(table, name, PHASES.get(1), PHASES.get(2));
        }
        return table.hasRows() ? "## What pooling gains\n\n" + table.text() : "";
    }

    private void addGain(MarkdownTable table, String name, String from, String to) {
        Optional<Row> before = inPhase(name, from);
        Optional<Row> after = inPhase(name, to);
        if (before.isPresent() && after.isPresent()) {
            table.add(
                    name,
                    from,
                    to,
                    ratio(before.get().nanos(), after.get().nanos()),
                    ratio(before.get().allocated(), after.get().allocated()));
        }
    }

    private static String ratio(Figure one, Figure other) {
        return other.value() <= 0 ? NOTHING : Numbers.times(one.value() / other.value());
    }

    private String peers() {
        MarkdownTable table =
                new MarkdownTable("row", "implementation", "ns/op", "±", "MB/s", "B/op", "its time / Broxy's");
        for (String name : results.names()) {
            List<Row> peers = results.peers(name);
            Optional<Row> broxy = results.broxy(name);
            if (peers.isEmpty()) {
                continue;
            }
            broxy.ifPresent(row -> table.add(peerCells(row, "1")));
            for (Row peer : peers) {
                table.add(peerCells(
                        peer, broxy.map(row -> ratio(peer.nanos(), row.nanos())).orElse(NOTHING)));
            }
        }
        return table.hasRows()
                ? "## Beside the peers\n\nIn the same run; above 1 Broxy is ahead.\n\n" + table.text() + "![ratios]("
                        + picture + ")\n\n" + onBroxysThreads()
                : "";
    }

    private static String[] peerCells(Row row, String ratio) {
        return new String[] {
            row.name(),
            row.implementation(),
            Numbers.plain(row.nanos().value()),
            Numbers.percent(row.nanos().spread()),
            row.bytesPerOperation() == 0 ? NOTHING : Numbers.plain(row.megabytesPerSecond()),
            Numbers.plain(row.allocated().value()),
            ratio
        };
    }

    private String onBroxysThreads() {
        MarkdownTable table = new MarkdownTable("row", "B/op on Broxy's own threads");
        for (Row row : results.rows()) {
            Figure bytes = row.broxyAllocated();
            if (bytes != null) {
                table.add(row.name(), Numbers.plain(bytes.value()));
            }
        }
        return table.hasRows() ? table.text() : "";
    }

    private String notes() {
        return results.notes().isEmpty() ? "" : "## Not measured\n\n- " + String.join("\n- ", results.notes()) + "\n\n";
    }

    private String processes() {
        if (results.wholeProcess().isNothing() && results.tls().isNothing()) {
            return "";
        }
        String chart = results.hasMatrix() ? "" : "![CPU relative to the reference](" + picture + ")\n\n";
        return chart
                + ProcessReport.text("Whole process", results.wholeProcess())
                + ProcessReport.text("TLS to clients", results.tls());
    }
}
