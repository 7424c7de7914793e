package io.broxy.jmh;

import io.broxy.jmh.report.ResultFile;
import io.broxy.jmh.report.Results;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;

/** Small files of results and of the lab's rows. Threading: thread-safe. */
public final class Fixtures {
    private Fixtures() {}

    /** Where one lies. */
    public static Path path(String name) {
        try {
            return Path.of(Objects.requireNonNull(Fixtures.class.getResource(name), name)
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(name, e);
        }
    }

    /** What one says. */
    public static Results results(String name) throws IOException {
        return new ResultFile(path(name)).read();
    }
}
