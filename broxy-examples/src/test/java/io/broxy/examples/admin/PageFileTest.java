package io.broxy.examples.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies what the files of the operator's page may contain. */
class PageFileTest {

    @Test
    void thePageIsSmallAndNeedsNothingFromOutside() throws IOException {
        int size = 0;
        for (String path : List.of("/", "/style.css", "/script.js", "/icon.svg")) {
            PageFile file = PageFile.at(path);
            assertThat(file).isNotNull();
            String text = new String(file.bytes(), UTF_8);
            size += file.bytes().length;
            assertThat(text.replace("http://www.w3.org/2000/svg", ""))
                    .as(path)
                    .doesNotContain("http:", "https:", "url(", "innerHTML", "outerHTML", "insertAdjacentHTML", "eval(")
                    .doesNotContainPattern("\\sstyle=|\\son[a-z]+=");
        }
        assertThat(size).isLessThan(60_000);
    }

    @Test
    void otherPathsHaveNoFile() throws IOException {
        for (String path : List.of("", "/index.html", "/script.js/", "/../PageFile.class", "/PageFile.class")) {
            assertThat(PageFile.at(path)).as(path).isNull();
        }
    }
}
