package io.broxy.examples;

import io.broxy.Rules;
import java.nio.file.Path;
import java.util.Map;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/**
 * What a file of rules says.
 *
 * <p>Threading: immutable.
 *
 * @param listen where to listen, where {@code --listen} does not say it
 * @param proxies each by its name; those of the type {@code direct} are not among them
 * @param rules name the proxies, and direct connections as {@link io.broxy.Route#DIRECT}
 * @param hasDefault whether the file says what becomes of a target that no rule matches; otherwise it is denied
 */
record RuleFile(
        ListenAddress listen, Map<String, Upstream> proxies, Rules rules, boolean hasDefault, PoolSettings pool) {
    /** SnakeYAML shows a tag handle that it does not know, but that may be a password without quotes. */
    private static final String TAG_HANDLE = "found undefined tag handle";

    RuleFile {
        proxies = Map.copyOf(proxies);
    }

    /**
     * Reads the content of a file.
     *
     * @throws ConfigFileException if it is no such file; it says where
     */
    static RuleFile parse(Path file, byte[] content) throws ConfigFileException {
        try {
            return new RuleFileReader().read(YamlDocument.read(content));
        } catch (MarkedYAMLException e) {
            String problem = String.valueOf(e.getProblem());
            String reason = problem.startsWith(TAG_HANDLE) ? TAG_HANDLE : problem;
            String context = e.getContext();
            throw ConfigFileException.at(file, e.getProblemMark(), context == null ? reason : context + ": " + reason);
        }
    }
}
