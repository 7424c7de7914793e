package io.broxy.examples;

import java.util.HashSet;
import java.util.Set;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.events.CollectionStartEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.events.ScalarEvent;
import org.yaml.snakeyaml.parser.Parser;

/**
 * Stands between SnakeYAML's parser and its composer, and refuses at its place what the composer would refuse without
 * one, or by showing what may be a secret: {@code password: *sesame} is an alias. Tags are refused altogether.
 *
 * <p>Threading: for one thread.
 */
final class YamlEvents implements Parser {
    /** Far more than a file needs; aliased content is never copied anyway. */
    private static final int MOST_ALIASES = 50;

    private final Parser parser;
    private final Set<String> anchors = new HashSet<>();
    private int aliases;
    private Mark last;

    YamlEvents(Parser parser) {
        this.parser = parser;
        this.last = parser.peekEvent().getStartMark();
    }

    /** The place of the event that was given last. */
    Mark last() {
        return last;
    }

    @Override
    public boolean checkEvent(Event.ID choice) {
        return parser.checkEvent(choice);
    }

    @Override
    public Event peekEvent() {
        return parser.peekEvent();
    }

    @Override
    public Event getEvent() {
        Event event = parser.getEvent();
        last = event.getStartMark();
        if (event instanceof AliasEvent alias) {
            check(alias);
        } else if (event instanceof NodeEvent node) {
            check(node);
        }
        return event;
    }

    private void check(AliasEvent alias) {
        if (!anchors.contains(alias.getAnchor())) {
            throw new YamlProblem(last, "an alias (*) without its anchor (&); quote a text that begins with *");
        }
        if (++aliases > MOST_ALIASES) {
            throw new YamlProblem(last, "more than " + MOST_ALIASES + " aliases");
        }
    }

    private void check(NodeEvent node) {
        String anchor = node.getAnchor();
        if (anchor != null) {
            anchors.add(anchor);
        }
        String tag = node instanceof ScalarEvent scalar
                ? scalar.getTag()
                : node instanceof CollectionStartEvent collection ? collection.getTag() : null;
        if (tag != null) {
            throw new YamlProblem(last, "tags are not supported; quote a text that begins with !");
        }
    }
}
