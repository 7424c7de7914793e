package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * Specifies that {@code docs/dependencies.md} lists each dependency, plugin and annotation processor of the poms, in its version, and that the
 * read-me names the version of Broxy.
 */
class DependenciesTest {
    private static final Path ROOT = Path.of("").toAbsolutePath().resolveSibling("");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `([^`]+)` \\| (\\S+) \\| (\\S+) \\| (.+?) \\|");
    private static final Pattern PROPERTY = Pattern.compile("\\$\\{([^}]+)}");

    @Test
    void thePageListsWhatThePomsName() throws Exception {
        TreeSet<String> named = new TreeSet<>();
        Map<String, String> properties = new HashMap<>();
        for (String module : List.of("", "broxy-api", "broxy-core", "broxy-examples", "broxy-jmh")) {
            Document pom = DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(ROOT.resolve(module).resolve("pom.xml").toFile());
            elements(pom, "properties")
                    .flatMap(DependenciesTest::children)
                    .forEach(property -> properties.put(
                            property.getNodeName(), property.getTextContent().strip()));
            for (String kind : List.of("dependency", "plugin", "path")) {
                elements(pom, kind)
                        .flatMap(element -> versioned(element, properties))
                        .forEach(named::add);
            }
        }
        named.add("com.palantir.javaformat:palantir-java-format " + properties.get("palantir.version"));

        TreeSet<String> listed = new TreeSet<>();
        rows().forEach(row -> listed.add(row.group(1) + " " + row.group(2)));
        assertThat(listed).containsAll(named);
        assertThat(listed)
                .as("what no pom names is in the mini-server's jar")
                .allMatch(row -> named.contains(row)
                        || row.startsWith("at.favre.lib:bytes ")
                        || row.startsWith("io.prometheus:prometheus-metrics-"));
    }

    @Test
    void eachHasADateAndALicense() throws IOException {
        assertThat(rows()).allSatisfy(row -> {
            assertThat(row.group(3)).matches("\\d{4}-\\d\\d-\\d\\d|–");
            assertThat(row.group(4)).isNotBlank().doesNotContain("?");
        });
    }

    @Test
    void theReadMeNamesTheVersionOfThePoms() throws IOException {
        assertThat(Pattern.compile("<version>([^<]*)</version>")
                        .matcher(Files.readString(ROOT.resolve("README.md")))
                        .results()
                        .map(version -> version.group(1)))
                .hasSize(2)
                .containsOnly(System.getProperty("project.version"));
    }

    private static List<MatchResult> rows() throws IOException {
        return ROW.matcher(Files.readString(ROOT.resolve("docs/dependencies.md")))
                .results()
                .toList();
    }

    /** What a reference names, with its version; nothing if the version is managed elsewhere, or for one of Broxy's own artifacts. */
    private static Stream<String> versioned(Node reference, Map<String, String> properties) {
        String group = text(reference, "groupId", "org.apache.maven.plugins");
        String version = PROPERTY.matcher(text(reference, "version", ""))
                .replaceAll(found -> properties.getOrDefault(found.group(1), "?"));
        return group.equals("io.broxy") || version.isEmpty()
                ? Stream.empty()
                : Stream.of(group + ":" + text(reference, "artifactId", "?") + " " + version);
    }

    private static String text(Node parent, String name, String otherwise) {
        return children(parent)
                .filter(node -> node.getNodeName().equals(name))
                .map(node -> node.getTextContent().strip())
                .findFirst()
                .orElse(otherwise);
    }

    private static Stream<Node> elements(Document document, String name) {
        return nodes(document.getElementsByTagName(name));
    }

    private static Stream<Node> children(Node parent) {
        return nodes(parent.getChildNodes()).filter(node -> node.getNodeType() == Node.ELEMENT_NODE);
    }

    private static Stream<Node> nodes(NodeList list) {
        return Stream.iterate(0, i -> i < list.getLength(), i -> i + 1).map(list::item);
    }
}
