package io.broxy.examples;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * A mapping of a YAML file with the keys that it may have. Whatever is not as asked for is a {@link YamlProblem} at its
 * place, which quotes what is there, unless that is secret.
 *
 * <p>Threading: immutable.
 */
final class YamlMap {
    /** Without leading zeros, which YAML 1.1 takes for an octal number, and without its sexagesimal ones. */
    private static final Pattern WHOLE = Pattern.compile("0|[1-9][0-9]{0,9}");

    private final Node node;
    private final Map<String, Node> values;

    private YamlMap(Node node, Map<String, Node> values) {
        this.node = node;
        this.values = values;
    }

    /** Reads a mapping. */
    static YamlMap of(Node node, String what, String... keys) {
        return of(node, what, false, List.of(keys));
    }

    /** Reads a mapping with secrets, of which no message shows anything. */
    static YamlMap ofSecret(Node node, String what, String... keys) {
        return of(node, what, true, List.of(keys));
    }

    private static YamlMap of(Node node, String what, boolean secret, List<String> keys) {
        if (!(node instanceof MappingNode mapping)) {
            throw new YamlProblem(
                    node, what + " must be a mapping (key: value)" + (secret ? foundKind(node) : found(node)));
        }
        Map<String, Node> values = new LinkedHashMap<>();
        Map<String, Integer> lines = new HashMap<>();
        for (NodeTuple entry : mapping.getValue()) {
            Node keyNode = entry.getKeyNode();
            String key = text(keyNode, "a key");
            if (!keys.contains(key)) {
                // one without a value may be a value without its key
                boolean shown = !secret && !entry.getValueNode().getTag().equals(Tag.NULL);
                throw new YamlProblem(
                        keyNode,
                        "unknown key" + (shown ? " " + Found.name(key) : "") + "; known here: "
                                + String.join(", ", keys));
            }
            Integer earlier = lines.putIfAbsent(key, keyNode.getStartMark().getLine() + 1);
            if (earlier != null) {
                throw new YamlProblem(keyNode, "duplicate key " + Found.name(key) + ", first in line " + earlier);
            }
            values.put(key, entry.getValueNode());
        }
        return new YamlMap(node, values);
    }

    /** The mapping itself, for its place. */
    Node node() {
        return node;
    }

    /** The value of a key, or null without that key. */
    @Nullable
    Node find(String key) {
        return values.get(key);
    }

    /** The value of a key that must be there. */
    Node require(String key) {
        Node value = find(key);
        if (value == null) {
            throw new YamlProblem(node, "missing field \"" + key + "\"");
        }
        return value;
    }

    /** The text of a key that must be there. */
    String requireText(String key) {
        return text(require(key), key);
    }

    /** A text, also one that YAML takes for a number or the like: a password may well be 0123. */
    static String text(Node value, String what) {
        if (!(value instanceof ScalarNode scalar) || scalar.getTag().equals(Tag.NULL)) {
            throw new YamlProblem(value, what + " must be a text" + foundKind(value));
        }
        return scalar.getValue();
    }

    /** A number. */
    static int whole(Node value, String what, int least, int most) {
        if (value instanceof ScalarNode scalar
                && scalar.getTag().equals(Tag.INT)
                && WHOLE.matcher(scalar.getValue()).matches()) {
            long number = Long.parseLong(scalar.getValue());
            if (number >= least && number <= most) {
                return (int) number;
            }
        }
        throw new YamlProblem(value, what + " must be a whole number of " + least + " to " + most + found(value));
    }

    /** What is there instead, for the end of a message: a text is quoted. */
    static String found(Node value) {
        return value instanceof ScalarNode scalar && !scalar.getTag().equals(Tag.NULL)
                ? ", found " + Found.value(scalar.getValue())
                : foundKind(value);
    }

    private static String foundKind(Node value) {
        if (value instanceof MappingNode) {
            return ", found a mapping";
        }
        if (value instanceof SequenceNode) {
            return ", found a list";
        }
        return value.getTag().equals(Tag.NULL) ? ", found nothing" : ", found a text";
    }

    /** A list of at least one thing. */
    static List<Node> list(Node value, String what) {
        if (!(value instanceof SequenceNode sequence)) {
            throw new YamlProblem(value, what + " must be a list" + found(value));
        }
        if (sequence.getValue().isEmpty()) {
            throw new YamlProblem(value, what + " must not be empty");
        }
        return sequence.getValue();
    }
}
