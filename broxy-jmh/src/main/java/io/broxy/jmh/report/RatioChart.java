package io.broxy.jmh.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * A chart of the other proxies' time, or processor time, relative to Broxy's: a group of bars for each row of the matrix and
 * each load of whole processes, and a line at a ratio of 1.
 *
 * <p>Threading: immutable.
 */
final class RatioChart {
    private static final int LABELS = 150;
    private static final int BARS = 480;
    private static final int VALUES = 70;
    private static final int BAR_HEIGHT = 16;
    private static final int TITLE_HEIGHT = 26;
    private static final int MARGIN = 12;

    private final List<Group> groups;

    private RatioChart(List<Group> groups) {
        this.groups = groups;
    }

    /** Bars with a common title. Threading: immutable. */
    private record Group(String title, List<Bar> bars) {}

    /** Threading: immutable. */
    private record Bar(String label, double ratio) {}

    static RatioChart of(Results results) {
        List<Group> groups = new ArrayList<>();
        for (String name : results.names()) {
            results.broxy(name)
                    .ifPresent(broxy -> add(
                            groups,
                            name + ": time",
                            results.peers(name).stream()
                                    .map(peer -> new Bar(
                                            peer.implementation(),
                                            peer.nanos().value() / broxy.nanos().value()))
                                    .toList()));
        }
        List<ProcessRow> processes = results.wholeProcess().rows();
        for (String mode : processes.stream().map(ProcessRow::mode).distinct().toList()) {
            add(
                    groups,
                    "Whole process, " + mode + ": CPU",
                    processes.stream()
                            .filter(row -> row.mode().equals(mode)
                                    && row.ratio() != null
                                    && !row.proxy().equals(Row.BROXY))
                            .map(row -> new Bar(
                                    row.proxy(),
                                    Objects.requireNonNull(row.ratio()).value()))
                            .toList());
        }
        return new RatioChart(groups);
    }

    private static void add(List<Group> groups, String title, List<Bar> bars) {
        if (!bars.isEmpty()) {
            groups.add(new Group(title, bars));
        }
    }

    String svg() {
        double greatest = groups.stream()
                .flatMap(group -> group.bars.stream())
                .mapToDouble(Bar::ratio)
                .max()
                .orElse(1);
        double scale = BARS / Math.max(greatest, 1);
        int height = groups.stream().mapToInt(RatioChart::height).sum() + TITLE_HEIGHT + 2 * MARGIN;
        int width = LABELS + BARS + VALUES + 2 * MARGIN;
        StringBuilder svg = new StringBuilder();
        line(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                        + " font-family=\"sans-serif\" font-size=\"12\">",
                width,
                height,
                width,
                height);
        line(svg, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>", width, height);
        int top = MARGIN;
        line(
                svg,
                "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">Time relative to Broxy's; beyond the line Broxy is"
                        + " ahead</text>",
                MARGIN,
                top + 14);
        top += TITLE_HEIGHT;
        for (Group group : groups) {
            draw(svg, group, top, scale);
            top += height(group);
        }
        double one = MARGIN + LABELS + scale;
        line(
                svg,
                "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#222222\"/>",
                one,
                MARGIN + TITLE_HEIGHT,
                one,
                height - MARGIN);
        return svg.append("</svg>\n").toString();
    }

    private static int height(Group group) {
        return TITLE_HEIGHT + group.bars.size() * BAR_HEIGHT;
    }

    private static void draw(StringBuilder svg, Group group, int top, double scale) {
        line(svg, "<text x=\"%d\" y=\"%d\" fill=\"#222222\">%s</text>", MARGIN, top + 18, escape(group.title));
        int y = top + TITLE_HEIGHT;
        for (Bar bar : group.bars) {
            double length = bar.ratio * scale;
            int left = MARGIN + LABELS;
            line(
                    svg,
                    "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#555555\">%s</text>",
                    left - 6,
                    y + 12,
                    escape(bar.label));
            line(
                    svg,
                    "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>",
                    left,
                    y + 2,
                    length,
                    BAR_HEIGHT - 4,
                    bar.ratio >= 1 ? "#2f7d4f" : "#b5533c");
            line(
                    svg,
                    "<text x=\"%.1f\" y=\"%d\" fill=\"#222222\">%s</text>",
                    left + length + 5,
                    y + 12,
                    Numbers.times(bar.ratio));
            y += BAR_HEIGHT;
        }
    }

    private static void line(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
