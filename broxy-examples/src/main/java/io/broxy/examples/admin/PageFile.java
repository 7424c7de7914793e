package io.broxy.examples.admin;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A file of the page, which is a resource beside this class.
 *
 * <p>Threading: immutable.
 */
final class PageFile {
    private static final Map<String, String> NAMES =
            Map.of("/", "index.html", "/style.css", "style.css", "/script.js", "script.js", "/icon.svg", "icon.svg");

    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "svg", "image/svg+xml");

    private final String type;
    private final byte[] bytes;

    private PageFile(String type, byte[] bytes) {
        this.type = type;
        this.bytes = bytes;
    }

    /**
     * The file at a path; null if there is none.
     *
     * @throws IOException if it cannot be read
     */
    static @Nullable PageFile at(String path) throws IOException {
        String name = NAMES.get(path);
        if (name == null) {
            return null;
        }
        try (InputStream in = PageFile.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException("this build has no " + name);
            }
            String type = TYPES.getOrDefault(name.substring(name.indexOf('.') + 1), "application/octet-stream");
            return new PageFile(type, in.readAllBytes());
        }
    }

    /** The media type. */
    String type() {
        return type;
    }

    /** The content. */
    byte[] bytes() {
        return bytes.clone();
    }
}
