package io.broxy.jmh.report;

import java.util.List;
import java.util.Optional;

/**
 * A chart of the processor time of whole processes relative to that of their reference: a line for each proxy, a panel of bars for
 * each load, with the range of the rounds and a line at a ratio of 1.
 *
 * <p>Threading: for one thread.
 */
final class ProcessChart {
    private static final int MARGIN = 12;
    private static final int LABELS = 112;
    private static final int BARS = 72;
    private static final int PANEL = BARS + 42;
    private static final int ROW = 17;
    private static final int BAR = 9;
    private static final int HEAD = 58;
    private static final int GAP = 18;
    private static final int FONT = 11;

    /** Where bars end, so that one slow proxy does not make all others look alike. */
    private static final double GREATEST = 3;

    private static final String OWN = "broxy";
    private static final List<String> RELAYS_IN_C = List.of("floor", "splice");

    private final Svg svg;
    private int top = MARGIN;

    private ProcessChart(Svg svg) {
        this.svg = svg;
    }

    static String svg(Results results) {
        WholeProcess plain = results.wholeProcess();
        WholeProcess tls = results.tls();
        int panels = Math.max(1, Math.max(plain.modes().size(), tls.modes().size()));
        int width = 2 * MARGIN + LABELS + panels * PANEL;
        ProcessChart chart = new ProcessChart(new Svg(width, height(plain) + height(tls) + 2 * MARGIN, FONT));
        chart.draw("CPU time of a whole process", plain);
        chart.draw("CPU time with TLS to clients", tls);
        return chart.svg.end();
    }

    private static int height(WholeProcess measured) {
        return measured.rows().isEmpty() ? 0 : HEAD + loaded(measured).size() * ROW + GAP;
    }

    /** The proxies that have a figure under some load. */
    private static List<String> loaded(WholeProcess measured) {
        return measured.rows().stream().map(ProcessRow::proxy).distinct().toList();
    }

    private void draw(String title, WholeProcess measured) {
        if (measured.rows().isEmpty()) {
            return;
        }
        svg.title(
                MARGIN,
                top + 12,
                title + ", relative to " + measured.reference() + " (1); thin lines: range of the rounds; bars end at "
                        + (int) GREATEST);
        List<String> proxies = loaded(measured);
        for (int i = 0; i < proxies.size(); i++) {
            double y = top + HEAD + i * ROW;
            svg.line("faint", MARGIN, y, MARGIN + LABELS + measured.modes().size() * PANEL, y);
            svg.textUntil("text", MARGIN + LABELS - 8, y + 12, proxies.get(i));
        }
        double left = MARGIN + LABELS;
        for (LabMode mode : measured.modes()) {
            panel(measured, mode, proxies, left);
            left += PANEL;
        }
        top += height(measured);
    }

    private void panel(WholeProcess measured, LabMode mode, List<String> proxies, double left) {
        svg.title(left, top + 36, mode.name());
        measured.row(mode, measured.reference())
                .ifPresent(base -> svg.text(
                        "quiet",
                        left,
                        top + 50,
                        "1 = " + Numbers.plain(base.cpu().value()) + " " + base.unit()));
        for (int i = 0; i < proxies.size(); i++) {
            double y = top + HEAD + i * ROW;
            String proxy = proxies.get(i);
            Optional<Figure> ratio = measured.row(mode, proxy).map(ProcessRow::ratio);
            ratio.ifPresent(figure -> bar(proxy, figure, left, y));
        }
        double one = left + length(1);
        svg.line("line", one, top + HEAD, one, top + HEAD + proxies.size() * ROW);
    }

    private void bar(String proxy, Figure ratio, double left, double y) {
        double end = left + length(ratio.value());
        double middle = y + ROW / 2.0;
        svg.bar(style(proxy), left, middle - BAR / 2.0, end - left, BAR);
        svg.line("line", left + length(ratio.low()), middle, left + length(ratio.high()), middle);
        svg.text("text", left + BARS + 4, y + 12, Numbers.times(ratio.value()));
    }

    private static double length(double ratio) {
        return Math.max(0, Math.min(ratio, GREATEST)) * BARS / GREATEST;
    }

    private static String style(String proxy) {
        if (proxy.startsWith(OWN)) {
            return "own";
        }
        return RELAYS_IN_C.stream().anyMatch(proxy::startsWith) ? "base" : "other";
    }
}
