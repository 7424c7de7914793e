package io.broxy.examples.admin;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;

/** Writes JSON (RFC 8259) in one line. Threading: stateless. */
final class Json {
    private Json() {}

    /** Writes one value. */
    @FunctionalInterface
    interface Content {
        void write(JsonWriter json) throws IOException;
    }

    static String text(Content content) {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            content.write(json);
        } catch (IOException e) { // a StringWriter throws none
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }
}
