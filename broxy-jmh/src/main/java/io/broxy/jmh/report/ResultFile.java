package io.broxy.jmh.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Results on disk: {@code NAME.json}, the source of {@code NAME.md} and {@code NAME.svg} in the same directory.
 *
 * <p>Threading: immutable.
 */
public final class ResultFile {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final String ENDING = ".json";

    private final Path json;

    /**
     * Refers to a file, which need not exist.
     *
     * @throws IllegalArgumentException if it does not end with {@code .json}
     */
    public ResultFile(Path json) {
        if (!json.toString().endsWith(ENDING)) {
            throw new IllegalArgumentException(json + " does not end with " + ENDING);
        }
        this.json = json;
    }

    /**
     * The file for a run's results.
     *
     * @param subject what was measured, such as {@code jdk17} or {@code whole-process}
     */
    public static ResultFile in(Path directory, String date, String subject, boolean quick) {
        return new ResultFile(directory.resolve(date + "-" + subject + (quick ? "-quick" : "") + ENDING));
    }

    /**
     * Reads the results.
     *
     * @throws IOException if the file cannot be read, or is not a result file
     */
    public Results read() throws IOException {
        return JSON.readValue(json.toFile(), Results.class);
    }

    /** Writes all three files, and creates the directory if necessary. */
    public void write(Results results) throws IOException {
        Files.createDirectories(json.toAbsolutePath().getParent());
        Files.writeString(json, JSON.writeValueAsString(results) + "\n");
        Path picture = beside(".svg");
        Files.writeString(picture, results.hasMatrix() ? RatioChart.of(results).svg() : ProcessChart.svg(results));
        Files.writeString(
                beside(".md"), new MarkdownReport(results, picture.getFileName().toString()).text());
    }

    private Path beside(String ending) {
        String name = json.getFileName().toString();
        return json.resolveSibling(name.substring(0, name.length() - ENDING.length()) + ending);
    }

    @Override
    public String toString() {
        return json.toString();
    }
}
