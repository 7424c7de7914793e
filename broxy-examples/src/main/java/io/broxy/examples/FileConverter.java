package io.broxy.examples;

import java.nio.file.Path;

/** Reads the name of a file. Threading: immutable. */
final class FileConverter implements Converter<Path> {
    @Override
    public Path convert(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("'' is not the name of a file");
        }
        return Path.of(text);
    }
}
