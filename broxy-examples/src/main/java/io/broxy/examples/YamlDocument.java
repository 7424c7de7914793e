package io.broxy.examples;

import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * Reads the one document of a YAML file as nodes that know their places. No object is made of them, which is safer than
 * the safest constructor.
 *
 * <p>Threading: stateless.
 */
final class YamlDocument {
    /** A hundred thousand rules. */
    static final int LARGEST = 8 << 20;

    private YamlDocument() {}

    /**
     * The root of the document.
     *
     * @throws MarkedYAMLException if there is none, if there are several, or if it is no YAML
     */
    static Node read(byte[] content) {
        if (content.length > LARGEST) {
            throw new YamlProblem(mark("", 0), "the file is larger than " + (LARGEST >> 20) + " MiB");
        }
        String text = decode(content);
        checkPrintable(text);
        LoaderOptions options = new LoaderOptions();
        options.setCodePointLimit(LARGEST);
        StreamReader reader = new StreamReader(text);
        YamlEvents events = new YamlEvents(new ParserImpl(reader, options));
        try {
            return single(new Composer(events, new Resolver(), options), events);
        } catch (NumberFormatException e) { // SnakeYAML looks for the digits behind the end of the file
            throw new YamlProblem(reader.getMark(), "an escape sequence that is cut off");
        } catch (MarkedYAMLException e) {
            throw e;
        } catch (YAMLException e) { // nested too deep, which has no place of its own
            throw new YamlProblem(events.last(), String.valueOf(e.getMessage()));
        }
    }

    private static Node single(Composer composer, YamlEvents events) {
        if (!composer.checkNode()) {
            throw new YamlProblem(mark("", 0), "the file is empty");
        }
        Node root = composer.getNode();
        if (root.getTag().equals(Tag.NULL)) {
            throw new YamlProblem(root, "the file is empty");
        }
        if (composer.checkNode()) {
            throw new YamlProblem(
                    events.peekEvent().getStartMark(), "a second document begins; the file must have only one");
        }
        return root;
    }

    private static String decode(byte[] content) {
        Utf8Text decoded = Utf8Text.of(content);
        if (!decoded.problem().isEmpty()) {
            throw new YamlProblem(mark(decoded.text(), decoded.text().length()), decoded.problem());
        }
        return decoded.text();
    }

    private static void checkPrintable(String text) {
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            if (!StreamReader.isPrintable(text.codePointAt(i))) {
                throw new YamlProblem(
                        mark(text, i),
                        String.format("the character U+%04X is not allowed in YAML", text.codePointAt(i)));
            }
        }
    }

    private static Mark mark(String text, int index) {
        String before = text.substring(0, index);
        int line = (int) before.chars().filter(c -> c == '\n').count();
        int column = before.codePointCount(before.lastIndexOf('\n') + 1, before.length());
        return new Mark("", index, line, column, new int[0], 0);
    }
}
