package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Specifies that the relative links of the repository's pages lead to files, those to source files among them. */
class LinksTest {
    private static final Pattern LINK = Pattern.compile("]\\(([^)#]+)(#[^)]*)?\\)");

    static List<Path> pages() throws IOException {
        return Pages.all();
    }

    private static List<String> broken(Path page) throws IOException {
        return LINK.matcher(Files.readString(page))
                .results()
                .map((MatchResult link) -> link.group(1))
                .filter(target -> !target.contains("://"))
                .filter(target -> Files.notExists(page.resolveSibling(target)))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("pages")
    void leadToFiles(Path page) throws IOException {
        assertThat(broken(page)).isEmpty();
    }

    @Test
    void oneThatLeadsNowhereIsFound(@TempDir Path directory) throws IOException {
        Files.createFile(directory.resolve("there.md"));
        Path page = Files.writeString(
                directory.resolve("page.md"),
                "[a](there.md) [b](there.md#part) [c](https://example.org/) [d](gone.md) [e](gone.md#part) [f](#part)");

        assertThat(broken(page)).containsExactly("gone.md", "gone.md");
    }
}
