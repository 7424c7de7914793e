package io.broxy.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/** A published artifact as this build has made it, in the target directory of its module. Threading: immutable. */
record Artifact(Path module, String name) {
    static final String VERSION = System.getProperty("project.version");

    /** A module beside this one. Tests run in the directory of their module. */
    static Artifact of(String name) {
        return new Artifact(Path.of("").toAbsolutePath().resolveSibling(name), name);
    }

    /** The artifact itself. */
    Path jar() {
        return file(".jar");
    }

    /** A file beside the artifact. */
    Path file(String suffix) {
        return module.resolve("target").resolve(name + "-" + VERSION + suffix);
    }

    /** The pom as it is published, without its parent and without what only the build needs. */
    Path pom() {
        return module.resolve("target/.flattened-pom.xml");
    }

    Manifest manifest() throws IOException {
        try (JarFile jar = new JarFile(jar().toFile())) {
            return jar.getManifest();
        }
    }
}
