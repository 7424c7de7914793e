package io.broxy.examples;

import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * A block of Java statements in a page of Markdown. If the line above it links to a recipe, the block is a quote from there.
 *
 * <p>Threading: immutable.
 *
 * @param page the file
 * @param firstLine the number of the block's first line in the file, from 1
 * @param lines the block without its fences
 * @param recipe the file that the block is quoted from, which another build compiles and tests
 */
record Snippet(
        Path page,
        int firstLine,
        List<String> lines,
        @Nullable Path recipe) {
    private static final Pattern RECIPE = Pattern.compile("\\]\\(([^)]*/src/recipes/[^)]*\\.java)\\)");

    /** What a snippet may use without declaring it; a variable that it declares hides the field. */
    private static final String HEAD = """
            import io.broxy.*;
            import io.broxy.core.*;
            import java.io.*;
            import java.net.*;
            import java.nio.*;
            import java.nio.channels.*;
            import java.time.*;
            import java.util.*;
            import java.util.concurrent.*;
            import javax.net.*;
            import javax.net.ssl.*;
            import org.slf4j.*;
            class Wrapper {
                Broxy broxy;
                ProxyHandler handler;
                ConnPool pool;
                Dialer dialer;
                DirectDialer direct;
                HttpProxyDialer corporate;
                HostPort target;
                Socket socket;
                SSLContext sslContext;
                Connection client, origin;
                ReadableByteChannel source;
                WritableByteChannel sink;
                ByteBuffer buffer;
                byte[] request;
                String secret, pac;
                Logger log;
                void snippet() throws Exception {
            """.replace('\n', ' ');

    /** The blocks of a page in their order. */
    static List<Snippet> of(Path page) {
        List<Snippet> snippets = new ArrayList<>();
        List<String> all = read(page);
        int number = 0;
        String above = "";
        while (number < all.size()) {
            String fence = all.get(number++).strip();
            if (!fence.startsWith("```")) {
                above = fence.isEmpty() ? above : fence;
                continue;
            }
            int first = number;
            while (number < all.size() && !all.get(number).strip().equals("```")) {
                number++;
            }
            if (number == all.size()) {
                throw new AssertionError(page + ":" + first + ": this block does not end");
            }
            if (fence.equals("```java")) {
                List<String> lines = List.copyOf(all.subList(first, number));
                Matcher link = RECIPE.matcher(above);
                snippets.add(
                        new Snippet(page, first + 1, lines, link.find() ? page.resolveSibling(link.group(1)) : null));
            }
            above = "";
            number++;
        }
        return snippets;
    }

    private static List<String> read(Path page) {
        try {
            return Files.readAllLines(page);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Finds a quote in its recipe; compiles any other block against the class path of the tests, and keeps nothing.
     *
     * @throws AssertionError if it is not there or does not compile; names the file and the line of each error
     */
    void check() throws IOException {
        if (recipe != null) {
            find(recipe);
        } else {
            compile();
        }
    }

    private void find(Path source) throws IOException {
        List<String> quoted = lines.stream().map(String::strip).toList();
        List<String> all =
                Files.readAllLines(source).stream().map(String::strip).toList();
        if (Collections.indexOfSubList(all, quoted) < 0) {
            throw new AssertionError(page + ":" + firstLine + ": this block is not in " + source);
        }
    }

    private void compile() throws IOException {
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        List<String> options = List.of("--release", "17", "-proc:none", "-cp", System.getProperty("java.class.path"));
        JavacTask task = (JavacTask) ToolProvider.getSystemJavaCompiler()
                .getTask(new StringWriter(), null, diagnostics, options, null, List.of(source()));
        task.analyze();
        String errors = diagnostics.getDiagnostics().stream()
                .filter(each -> each.getKind() == Diagnostic.Kind.ERROR)
                .map(this::describe)
                .collect(Collectors.joining("\n"));
        if (!errors.isEmpty()) {
            throw new AssertionError(errors);
        }
    }

    /** The wrapper's first line is before the snippet's first one. An error behind the snippet belongs to its last line. */
    private String describe(Diagnostic<? extends JavaFileObject> error) {
        long line = Math.min(firstLine + error.getLineNumber() - 2, firstLine + lines.size() - 1L);
        return page + ":" + line + ": " + error.getMessage(Locale.ROOT);
    }

    private JavaFileObject source() {
        String wrapped = HEAD + "\n" + String.join("\n", lines) + "\n}}";
        return new SimpleJavaFileObject(URI.create("string:///Wrapper.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return wrapped;
            }
        };
    }

    @Override
    public String toString() {
        return page.getFileName() + ":" + firstLine;
    }
}
