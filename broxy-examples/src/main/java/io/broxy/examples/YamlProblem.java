package io.broxy.examples;

import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.nodes.Node;

/**
 * An error in a YAML file, thrown as SnakeYAML throws its own, so that both are reported alike.
 *
 * <p>Threading: immutable.
 */
final class YamlProblem extends MarkedYAMLException {
    private static final long serialVersionUID = 1L;

    YamlProblem(Mark mark, String reason) {
        super(null, null, reason, mark);
    }

    YamlProblem(Node node, String reason) {
        this(node.getStartMark(), reason);
    }
}
