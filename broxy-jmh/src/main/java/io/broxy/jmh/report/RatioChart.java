package io.broxy.jmh.report;

import java.util.ArrayList;
import java.util.List;

/**
 * A chart of the other implementations' time relative to Broxy's: a group of bars for each row of the matrix, and a line at a
 * ratio of 1.
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
    private static final int FONT = 12;

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
            results.broxy(name).ifPresent(broxy -> {
                List<Bar> bars = results.peers(name).stream()
                        .map(peer -> new Bar(
                                peer.implementation(),
                                peer.nanos().value() / broxy.nanos().value()))
                        .toList();
                if (!bars.isEmpty()) {
                    groups.add(new Group(name, bars));
                }
            });
        }
        return new RatioChart(groups);
    }

    String svg() {
        double greatest = groups.stream()
                .flatMap(group -> group.bars.stream())
                .mapToDouble(Bar::ratio)
                .max()
                .orElse(1);
        double scale = BARS / Math.max(greatest, 1);
        int height = groups.stream().mapToInt(RatioChart::height).sum() + TITLE_HEIGHT + 2 * MARGIN;
        Svg svg = new Svg(LABELS + BARS + VALUES + 2 * MARGIN, height, FONT);
        svg.title(MARGIN, MARGIN + 14, "Time relative to Broxy's; beyond the line Broxy is ahead");
        int top = MARGIN + TITLE_HEIGHT;
        for (Group group : groups) {
            draw(svg, group, top, scale);
            top += height(group);
        }
        double one = MARGIN + LABELS + scale;
        svg.line("line", one, MARGIN + TITLE_HEIGHT, one, height - MARGIN);
        return svg.end();
    }

    private static int height(Group group) {
        return TITLE_HEIGHT + group.bars.size() * BAR_HEIGHT;
    }

    private static void draw(Svg svg, Group group, int top, double scale) {
        svg.text("text", MARGIN, top + 18, group.title);
        int y = top + TITLE_HEIGHT;
        for (Bar bar : group.bars) {
            double length = bar.ratio * scale;
            int left = MARGIN + LABELS;
            svg.textUntil("quiet", left - 6, y + 12, bar.label);
            svg.bar(bar.ratio >= 1 ? "ahead" : "behind", left, y + 2, length, BAR_HEIGHT - 4);
            svg.text("text", left + length + 5, y + 12, Numbers.times(bar.ratio));
            y += BAR_HEIGHT;
        }
    }
}
