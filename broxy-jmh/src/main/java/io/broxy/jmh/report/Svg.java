package io.broxy.jmh.report;

import java.util.Locale;

/** A picture that is readable on light and on dark pages. Threading: for one thread. */
final class Svg {
    private static final String STYLE = """
            <style>
            .ground { fill: #ffffff } .text { fill: #1f2328 } .quiet { fill: #59636e } .line { stroke: #1f2328 }
            .faint { stroke: #d1d9e0 } .own { fill: #1f6feb } .base { fill: #8b949e } .other { fill: #bf8700 }
            .ahead { fill: #2f7d4f } .behind { fill: #b5533c }
            @media (prefers-color-scheme: dark) {
            .ground { fill: #0d1117 } .text { fill: #f0f6fc } .quiet { fill: #9198a1 } .line { stroke: #f0f6fc }
            .faint { stroke: #3d444d } .own { fill: #4493f8 } .other { fill: #d29922 } .ahead { fill: #3fb950 } .behind { fill: #f85149 }
            }
            </style>
            """;

    private final StringBuilder text = new StringBuilder();

    Svg(int width, int height, int fontSize) {
        add(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                        + " font-family=\"sans-serif\" font-size=\"%d\">",
                width, height, width, height, fontSize);
        text.append(STYLE);
        bar("ground", 0, 0, width, height);
    }

    /** A text that begins at a point of its base line. */
    void text(String style, double x, double y, String content) {
        add("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>", x, y, style, escape(content));
    }

    /** A bold text that begins at a point of its base line. */
    void title(double x, double y, String content) {
        add("<text x=\"%.1f\" y=\"%.1f\" class=\"text\" font-weight=\"bold\">%s</text>", x, y, escape(content));
    }

    /** A text that ends at a point of its base line. */
    void textUntil(String style, double x, double y, String content) {
        add("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"end\">%s</text>", x, y, style, escape(content));
    }

    void bar(String style, double x, double y, double width, double height) {
        add("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>", x, y, width, height, style);
    }

    void line(String style, double x1, double y1, double x2, double y2) {
        add("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>", x1, y1, x2, y2, style);
    }

    private void add(String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    private static String escape(String content) {
        return content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /** The whole picture. */
    String end() {
        return text + "</svg>\n";
    }
}
