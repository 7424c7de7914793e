package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The pages of this repository that users and contributors read. Threading: stateless. */
final class Pages {
    private Pages() {}

    /** {@code README.md} and others beside it, and all pages of {@code docs}. Tests run in the directory of their module. */
    static List<Path> all() throws IOException {
        Path root = Path.of("").toAbsolutePath().getParent();
        assertThat(root).isNotNull();
        List<String> top = List.of("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md");
        try (Stream<Path> docs = Files.list(root.resolve("docs"))) {
            Stream<Path> pages =
                    docs.filter(file -> file.toString().endsWith(".md")).sorted();
            return Stream.concat(top.stream().map(root::resolve), pages).toList();
        }
    }
}
