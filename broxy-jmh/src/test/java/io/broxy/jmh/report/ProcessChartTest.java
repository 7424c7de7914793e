package io.broxy.jmh.report;

import static io.broxy.jmh.report.ProcessReportTest.row;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Specifies the chart of whole processes: a line for each proxy, a panel for each load. */
class ProcessChartTest {
    private static final WholeProcess PLAIN = new WholeProcess(
            "floor",
            List.of(),
            List.of(
                    row("connect32", "floor", 100, 1),
                    row("connect32", "broxy17", 150, 1.5),
                    row("connect32", "slow", 900, 9),
                    row("up16", "floor", 400, 1)),
            List.of(),
            List.of());
    private static final WholeProcess TLS =
            new WholeProcess("broxy17", List.of(), List.of(row("full8", "broxy17", 1_700, 1)), List.of(), List.of());

    private static Element picture(WholeProcess plain, WholeProcess tls) throws Exception {
        Machine machine = new Machine("A", 2, 24_000, "Linux", "17", "aaaaaaaaaaaa");
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(
                        ProcessChart.svg(Results.ofProcesses("", false, "", machine, plain, tls))
                                .getBytes(UTF_8)))
                .getDocumentElement();
    }

    private static List<Element> all(Element picture, String tag) {
        NodeList nodes = picture.getElementsByTagName(tag);
        return IntStream.range(0, nodes.getLength())
                .mapToObj(i -> (Element) nodes.item(i))
                .toList();
    }

    private static List<String> texts(Element picture) {
        return all(picture, "text").stream().map(Element::getTextContent).toList();
    }

    private static List<Double> lengths(Element picture, String style) {
        return all(picture, "rect").stream()
                .filter(bar -> bar.getAttribute("class").equals(style))
                .map(bar -> Double.parseDouble(bar.getAttribute("width")))
                .toList();
    }

    @Test
    void barsAreAsLongAsTheRatiosUntilTheyEnd() throws Exception {
        Element picture = picture(PLAIN, WholeProcess.NONE);

        double one = lengths(picture, "base").get(0);
        assertThat(lengths(picture, "own")).containsExactly(1.5 * one);
        assertThat(lengths(picture, "other")).containsExactly(3 * one);
        assertThat(texts(picture)).contains("9.00");
    }

    @Test
    void panelTellsItsLoadAndWhatOneIs() throws Exception {
        assertThat(texts(picture(PLAIN, WholeProcess.NONE)))
                .containsSubsequence(
                        "floor", "broxy17", "slow", "connect32", "1 = 100 µs/connection", "up16", "1 = 400 ms/GiB");
    }

    @Test
    void tlsHasItsOwnPanelsAndReference() throws Exception {
        assertThat(texts(picture(PLAIN, TLS)))
                .anyMatch(text -> text.contains("relative to floor"))
                .anyMatch(text -> text.contains("TLS") && text.contains("relative to broxy17"))
                .contains("full8");
    }

    @Test
    void darkPagesHaveColorsOfTheirOwn() throws Exception {
        assertThat(all(picture(PLAIN, TLS), "style").get(0).getTextContent()).contains("prefers-color-scheme: dark");
    }

    @Test
    void nothingMeasuredIsAnEmptyPicture() throws Exception {
        assertThat(all(picture(WholeProcess.NONE, WholeProcess.NONE), "rect")).hasSize(1);
    }
}
