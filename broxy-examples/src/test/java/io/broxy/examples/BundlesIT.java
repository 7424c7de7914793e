package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Program;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.apache.aries.spifly.dynamic.DynamicWeavingActivator;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.commons.Remapper;
import org.objectweb.asm.tree.ClassNode;
import org.objectweb.asm.tree.analysis.Analyzer;
import org.objectweb.asm.util.Printer;
import org.osgi.framework.launch.Framework;
import org.slf4j.Logger;
import org.slf4j.simple.SimpleLogger;

/**
 * Specifies that Broxy's jars are bundles that an OSGi framework resolves and starts, beside slf4j-api, its provider, and what slf4j-api needs
 * there to find its provider.
 */
@ExtendWith(LeakCheck.class)
class BundlesIT {
    @Test
    void aBundleDialsAndLogsThroughThem(@TempDir Path directory) throws Exception {
        assertThat(run(directory, List.of(jarOf(NullMarked.class))))
                .contains("io.broxy is active", "io.broxy.core is active", "org.jspecify.jspecify is active")
                .contains("the origin speaks first, with SimpleLogger");
    }

    @Test
    void theAnnotationsOfJSpecifyMayBeMissing(@TempDir Path directory) throws Exception {
        assertThat(run(directory, List.of()))
                .doesNotContain("jspecify")
                .contains("the origin speaks first, with SimpleLogger");
    }

    private static String run(Path directory, List<String> more) throws Exception {
        try (Origin origin = Origin.start(client -> client.send("the origin speaks first"))) {
            List<String> arguments = new ArrayList<>(List.of(
                    "-cp",
                    jarOf(Framework.class) + File.pathSeparator + jarOf(BundleStarter.class),
                    BundleStarter.class.getName(),
                    directory.resolve("framework").toString(),
                    "" + origin.port()));
            for (Class<?> type : List.of(
                    ClassWriter.class,
                    Remapper.class,
                    ClassNode.class,
                    Analyzer.class,
                    Printer.class,
                    DynamicWeavingActivator.class,
                    Logger.class,
                    SimpleLogger.class)) {
                arguments.add("file:" + jarOf(type));
            }
            for (String jar : more) {
                arguments.add("file:" + jar);
            }
            arguments.add("file:" + Artifact.of("broxy-api").jar());
            arguments.add("file:" + Artifact.of("broxy-core").jar());
            arguments.add("file:" + bundleOf(directory, BundleUser.class));
            String java =
                    Path.of(System.getProperty("java.home"), "bin", "java").toString();

            Program program = Program.run(directory, java, arguments.toArray(String[]::new));

            assertThat(program.exitCode()).as(program.output()).isZero();
            return program.output();
        }
    }

    private static String jarOf(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI())
                .toString();
    }

    /** A bundle with one class, as a user of Broxy writes one. */
    private static Path bundleOf(Path directory, Class<?> type) throws IOException {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.putValue("Bundle-ManifestVersion", "2");
        attributes.putValue("Bundle-SymbolicName", "com.example.user");
        attributes.putValue("Import-Package", "io.broxy,io.broxy.core,org.slf4j");
        Path bundle = directory.resolve("user.jar");
        String name = type.getName().replace('.', '/') + ".class";
        try (InputStream code = type.getClassLoader().getResourceAsStream(name);
                JarOutputStream jar = new JarOutputStream(Files.newOutputStream(bundle), manifest)) {
            jar.putNextEntry(new JarEntry(name));
            jar.write(code.readAllBytes());
        }
        return bundle;
    }
}
