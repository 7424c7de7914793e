package io.broxy.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A folder with a file as Kubernetes mounts it: {@code rules.yaml -> ..data/rules.yaml} and {@code ..data -> ..N}, the
 * second link being replaced at each change.
 */
final class ConfigMap {
    private final Path folder;
    private int version;

    private ConfigMap(Path folder) {
        this.folder = folder;
    }

    static ConfigMap create(Path folder, String content) throws IOException {
        ConfigMap map = new ConfigMap(folder);
        map.swap(content);
        Files.createSymbolicLink(map.file(), Path.of("..data", "rules.yaml"));
        return map;
    }

    Path file() {
        return folder.resolve("rules.yaml");
    }

    /** Replaces the content in the steps of the kubelet. */
    void swap(String content) throws IOException {
        Path old = folder.resolve(".." + version);
        Path next = Files.createDirectory(folder.resolve(".." + ++version));
        Files.writeString(next.resolve("rules.yaml"), content);
        Path link = Files.createSymbolicLink(folder.resolve("..data_tmp"), next.getFileName());
        Files.move(link, folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Files.deleteIfExists(old.resolve("rules.yaml"));
        Files.deleteIfExists(old);
    }
}
