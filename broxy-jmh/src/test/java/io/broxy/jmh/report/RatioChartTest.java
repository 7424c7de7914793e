package io.broxy.jmh.report;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.jmh.Fixtures;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Specifies the chart that shows each peer's ratio to Broxy. */
class RatioChartTest {

    private static Element picture(Results results) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(RatioChart.of(results).svg().getBytes(UTF_8)))
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

    @Test
    void eachPeerHasABarAsLongAsItsRatio() throws Exception {
        Element picture = picture(Fixtures.results("before.json"));

        assertThat(texts(picture)).containsSubsequence("HandleConnect_Direct", "jetty", "3.00", "littleproxy", "4.00");
        List<Element> bars = all(picture, "rect").subList(1, 3); // the first is the background
        double jetty = Double.parseDouble(bars.get(0).getAttribute("width"));
        double littleProxy = Double.parseDouble(bars.get(1).getAttribute("width"));
        assertThat(jetty / littleProxy).isEqualTo(0.75);
    }

    @Test
    void lineStandsWhereARatioOfOneEnds() throws Exception {
        Element picture = picture(Fixtures.results("before.json"));

        Element bar = all(picture, "rect").get(2); // LittleProxy's, four times as long as a ratio of one
        double one = Double.parseDouble(bar.getAttribute("x")) + Double.parseDouble(bar.getAttribute("width")) / 4;
        assertThat(Double.parseDouble(all(picture, "line").get(0).getAttribute("x1")))
                .isEqualTo(one);
    }

    @Test
    void namesCannotBreakThePicture() throws Exception {
        Row strange =
                new Row("a<b & c", "broxy", "pooled", 0, new Figure(1, 1, 1), new Figure(1, 1, 1), null, List.of());
        Row peer = new Row("a<b & c", "<peer>", "", 0, new Figure(2, 2, 2), new Figure(1, 1, 1), null, List.of());
        Results some = Fixtures.results("before.json");

        assertThat(texts(picture(Results.ofMatrix("", false, "", some.machine(), List.of(strange, peer), List.of()))))
                .contains("a<b & c", "<peer>");
    }

    @Test
    void nothingMeasuredIsAnEmptyPicture() throws IOException, Exception {
        Results some = Fixtures.results("before.json");

        assertThat(all(picture(Results.ofMatrix("", false, "", some.machine(), List.of(), List.of())), "rect"))
                .hasSize(1);
    }
}
