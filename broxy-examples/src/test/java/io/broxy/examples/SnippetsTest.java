package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Specifies that every Java snippet of the repository's pages compiles, or is quoted from a recipe. */
class SnippetsTest {
    private static final String QUOTING = "[`Recipe`](examples/src/recipes/java/Recipe.java):";

    static Stream<Snippet> snippets() throws IOException {
        return Pages.all().stream().flatMap(page -> Snippet.of(page).stream());
    }

    @ParameterizedTest
    @MethodSource("snippets")
    void compilesOrIsQuoted(Snippet snippet) {
        assertThatCode(snippet::check).doesNotThrowAnyException();
    }

    @Test
    void thePagesThatShowHowToStartHaveSnippets() throws IOException {
        assertThat(snippets().map(snippet -> String.valueOf(snippet.page().getFileName())))
                .contains("README.md", "embedding.md", "dialing.md", "forwarding.md");
    }

    @Test
    void anErrorIsReportedWithItsFileAndLine(@TempDir Path directory) throws IOException {
        Snippet snippet =
                only(directory, "text", "", "```java", "int sum = 1 +", "        2;", "sum.add(3);", "```", "text");

        assertThatThrownBy(snippet::check)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("page.md:6: ")
                .hasMessageContaining("int cannot be dereferenced");
    }

    @Test
    void aMethodThatBroxyDoesNotHaveIsAnError(@TempDir Path directory) throws IOException {
        Snippet snippet =
                only(directory, "```java", "broxy.directDialer()", "        .tiemout(Duration.ofSeconds(5));", "```");

        assertThatThrownBy(snippet::check)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("page.md:3: ")
                .hasMessageContaining("tiemout");
    }

    @Test
    void anErrorBehindTheLastLineIsReportedAtTheLastLine(@TempDir Path directory) throws IOException {
        Snippet snippet =
                only(directory, "```java", "if (handler.stats().openTunnels() > 0) {", "    handler.close();", "```");

        assertThatThrownBy(snippet::check).isInstanceOf(AssertionError.class).hasMessageContaining("page.md:3: ");
    }

    @Test
    void aSnippetThatDoesNotEndIsAnError(@TempDir Path directory) throws IOException {
        Path page = page(directory, "```java", "int sum = 1;");

        assertThatThrownBy(() -> Snippet.of(page))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("page.md:1: ");
    }

    @Test
    void aQuoteIsFoundInItsRecipeWhateverItsIndentation(@TempDir Path directory) throws IOException {
        recipe(directory, "    int connect() {", "        return open(host);", "    }");

        assertThatCode(() -> only(directory, QUOTING, "", "```java", "return open(host);", "```")
                        .check())
                .doesNotThrowAnyException();
    }

    @Test
    void aQuoteThatIsNotInItsRecipeIsAnError(@TempDir Path directory) throws IOException {
        recipe(directory, "    int connect() {", "        return open(host);", "    }");
        Snippet snippet = only(directory, QUOTING, "```java", "return open(port);", "```");

        assertThatThrownBy(snippet::check)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("page.md:3: ")
                .hasMessageContaining("Recipe.java");
    }

    private static void recipe(Path directory, String... lines) throws IOException {
        Path folder = Files.createDirectories(directory.resolve("examples/src/recipes/java"));
        Files.writeString(folder.resolve("Recipe.java"), String.join("\n", lines), UTF_8);
    }

    @Test
    void otherBlocksAreNoSnippets(@TempDir Path directory) throws IOException {
        Path page = page(directory, "```sh", "mvn -B verify", "```", "```", "java", "```", "```javascript", "```");

        assertThat(Snippet.of(page)).isEmpty();
    }

    private static Snippet only(Path directory, String... lines) throws IOException {
        var snippets = Snippet.of(page(directory, lines));
        assertThat(snippets).hasSize(1);
        return snippets.get(0);
    }

    private static Path page(Path directory, String... lines) throws IOException {
        return Files.writeString(directory.resolve("page.md"), String.join("\n", lines), UTF_8);
    }
}
