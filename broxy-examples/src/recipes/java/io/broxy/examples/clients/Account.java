package io.broxy.examples.clients;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The account that a server of a test runs under. Many servers refuse root, so root lends them the one that their package
 * has made; any other user runs them as itself.
 *
 * <p>Threading: immutable.
 */
record Account(String name) {
    private static final boolean ROOT = "root".equals(System.getProperty("user.name"));

    /** Returns the command as it runs under this account. */
    List<String> command(List<String> command) {
        if (!ROOT) {
            return command;
        }
        List<String> all = new ArrayList<>(List.of("setpriv", "--reuid=" + name, "--regid=" + name));
        all.addAll(List.of("--clear-groups", "--"));
        all.addAll(command);
        return all;
    }

    /** Makes this account the owner of a folder and of everything in it. */
    void own(Path folder) throws IOException {
        if (!ROOT) {
            return;
        }
        var owner = folder.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(name);
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList()) {
                Files.setOwner(file, owner);
            }
        }
    }
}
