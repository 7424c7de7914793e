package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** Specifies what is published beside and in the jars: descriptors, manifests, poms, and the bills of materials. */
class ArtifactsIT {
    private static final Artifact API = Artifact.of("broxy-api");
    private static final Artifact CORE = Artifact.of("broxy-core");

    @Test
    void theModuleDescriptorsAreRealOnes() throws IOException {
        assertThat(descriptor(API).name()).isEqualTo("io.broxy");
        assertThat(descriptor(CORE).name()).isEqualTo("io.broxy.core");
        assertThat(descriptor(CORE).exports())
                .extracting(ModuleDescriptor.Exports::source)
                .containsExactly("io.broxy.core");
        for (Artifact artifact : List.of(API, CORE)) {
            assertThat(descriptor(artifact).isAutomatic()).isFalse();
            assertThat(artifact.manifest().getMainAttributes().getValue("Automatic-Module-Name"))
                    .isNull();
        }
    }

    private static ModuleDescriptor descriptor(Artifact artifact) {
        return ModuleFinder.of(artifact.jar()).findAll().iterator().next().descriptor();
    }

    @Test
    void theManifestsMakeBundlesOfWhichOnlyTheApiIsExported() throws IOException {
        Attributes api = API.manifest().getMainAttributes();
        assertThat(api.getValue("Bundle-SymbolicName")).isEqualTo("io.broxy");
        assertThat(packages(api.getValue("Export-Package"))).containsExactly("io.broxy");
        assertThat(packages(api.getValue("Import-Package")))
                .containsExactlyInAnyOrder("org.jspecify.annotations", "javax.net.ssl");

        Attributes core = CORE.manifest().getMainAttributes();
        assertThat(core.getValue("Bundle-SymbolicName")).isEqualTo("io.broxy.core");
        assertThat(packages(core.getValue("Export-Package"))).containsExactly("io.broxy.core");
        assertThat(core.getValue("Import-Package"))
                .contains(
                        "io.broxy;version=\"[0.1,0.2)\"",
                        "org.slf4j;version=\"[2,3)\"",
                        "org.jspecify.annotations;version=\"[1.0,2)\";resolution:=optional",
                        "jdk.jfr;resolution:=optional",
                        "org.ietf.jgss;resolution:=optional");
        assertThat(packages(core.getValue("Import-Package")))
                .filteredOn(name -> !name.startsWith("javax."))
                .containsExactlyInAnyOrder(
                        "io.broxy", "org.slf4j", "org.jspecify.annotations", "jdk.jfr", "org.ietf.jgss");
    }

    /** The names of a header's clauses, whose attributes in quotation marks may contain commas. */
    private static List<String> packages(String header) {
        return Stream.of(header.replaceAll("\"[^\"]*\"", "").split(","))
                .map(clause -> clause.replaceFirst(";.*", "").strip())
                .toList();
    }

    @Test
    void aBillOfMaterialsNamesWhatRunsAndItsLicense() throws Exception {
        assertThat(components(API)).containsExactlyInAnyOrder("jspecify Apache-2.0");
        assertThat(components(CORE))
                .containsExactlyInAnyOrder("broxy-api Apache-2.0", "jspecify Apache-2.0", "slf4j-api MIT");
    }

    private static List<String> components(Artifact artifact) throws Exception {
        return components(artifact.file("-cyclonedx.xml"))
                .map(component -> only(component, "name").getTextContent() + " "
                        + only(only(only(component, "licenses"), "license"), "id")
                                .getTextContent())
                .toList();
    }

    private static Stream<Node> components(Path file) throws Exception {
        assumeTrue(Files.exists(file), "Maven was offline, so that CycloneDX has written nothing");
        Element bom = xml(file).getDocumentElement();
        return children(bom, "components").flatMap(components -> children(components, "component"));
    }

    @Test
    void theMiniServersJarNamesWhatItContainsAndHasItsLicenses() throws Exception {
        Path target = Path.of("target").toAbsolutePath();
        String page = Files.readString(target.resolve("../../docs/dependencies.md"));
        try (JarFile jar = new JarFile(target.resolve("broxy-mini-server.jar").toFile())) {
            assertThat(text(jar, "META-INF/LICENSE")).contains("Apache License", "Version 2.0");
            assertThat(text(jar, "META-INF/THIRD-PARTY.txt")).contains("Copyright (c) 2004-2023 QOS.ch");

            List<Node> components = components(target.resolve("broxy-mini-server-cyclonedx.xml"))
                    .toList();
            assertThat(components).hasSizeGreaterThan(10);
            for (Node component : components) {
                String name = only(component, "name").getTextContent();
                if (!name.startsWith("broxy-")) {
                    assertThat(text(jar, "META-INF/THIRD-PARTY.txt")).containsPattern("\\b" + name + "\\b");
                    assertThat(page)
                            .contains(":" + name + "` | "
                                    + only(component, "version").getTextContent() + " |");
                }
            }
        }
    }

    private static String text(JarFile jar, String entry) throws IOException {
        ZipEntry found = jar.getEntry(entry);
        assertThat(found).as(entry).isNotNull();
        return new String(jar.getInputStream(found).readAllBytes(), UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"broxy-api", "broxy-core"})
    void aBillOfMaterialsIsInJsonTooAndHasNothingThatDiffersFromBuildToBuild(String name) throws IOException {
        Path file = Artifact.of(name).file("-cyclonedx.json");
        assumeTrue(Files.exists(file), "Maven was offline, so that CycloneDX has written nothing");
        String bom = Files.readString(file);

        assertThat(bom)
                .contains("\"purl\" : \"pkg:maven/io.broxy/" + name + "@" + Artifact.VERSION + "?type=jar\"")
                .contains("\"purl\" : \"pkg:maven/org.jspecify/jspecify@")
                .doesNotContain("timestamp", "serialNumber");
    }

    @Test
    void theParentManagesTheVersionsOfBroxyAndOfNothingElse() throws Exception {
        Document pom = xml(new Artifact(API.module().resolveSibling(""), "broxy").pom());

        assertThat(texts(pom, "artifactId")).containsExactly("broxy", "broxy-api", "broxy-core");
        assertThat(texts(pom, "version")).containsOnly(Artifact.VERSION);
    }

    @ParameterizedTest
    @ValueSource(strings = {"broxy-api", "broxy-core"})
    void aPomHasWhatMavenCentralAsksFor(String name) throws Exception {
        Document pom = xml(Artifact.of(name).pom());

        for (String element : List.of("name", "description", "url", "licenses", "developers", "scm")) {
            assertThat(only(pom.getDocumentElement(), element).getTextContent())
                    .as(element)
                    .isNotBlank();
        }
        assertThat(children(pom.getDocumentElement(), "parent")).isEmpty();
        assertThat(texts(pom, "scope")).containsOnly("compile");
    }

    private static Document xml(Path file) throws IOException, SAXException, ParserConfigurationException {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
    }

    private static List<String> texts(Document document, String element) {
        return nodes(document.getElementsByTagName(element))
                .map(Node::getTextContent)
                .toList();
    }

    private static Stream<Node> children(Node parent, String name) {
        return nodes(parent.getChildNodes()).filter(node -> node.getNodeName().equals(name));
    }

    private static Node only(Node parent, String name) {
        List<Node> children = children(parent, name).toList();
        assertThat(children).as(name).hasSize(1);
        return children.get(0);
    }

    private static Stream<Node> nodes(NodeList list) {
        return Stream.iterate(0, i -> i < list.getLength(), i -> i + 1).map(list::item);
    }
}
