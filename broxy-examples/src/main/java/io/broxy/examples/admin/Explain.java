package io.broxy.examples.admin;

import io.broxy.AccessRequest;
import io.broxy.Explanation;
import io.broxy.HostPort;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Which part of the configuration would decide about a request, as text and as JSON. Threading: stateless. */
public final class Explain {
    private static final List<String> NAMES = List.of("target", "identity", "client", "method");

    private Explain() {}

    /**
     * Reads the parameters of a query: {@code target}, and optionally {@code identity}, {@code client} and {@code method}.
     *
     * @throws BadQueryException if one is wrong or unknown, or the target is missing
     */
    static AccessRequest request(Map<String, String> parameters) {
        if (!NAMES.containsAll(parameters.keySet())) {
            throw new BadQueryException("the parameters are " + String.join(", ", NAMES));
        }
        String target = parameters.get("target");
        if (target == null) {
            throw new BadQueryException("target=HOST:PORT is missing");
        }
        String method = parameters.getOrDefault("method", "CONNECT");
        if (!method.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+")) {
            throw new BadQueryException("method is not a token (RFC 9110 section 5.6.2)");
        }
        try {
            return new AccessRequest(
                    client(parameters.get("client")), method, HostPort.parse(target), parameters.get("identity"));
        } catch (IllegalArgumentException e) {
            throw new BadQueryException(String.valueOf(e.getMessage()));
        }
    }

    private static @Nullable InetAddress client(@Nullable String text) {
        if (text == null) {
            return null;
        }
        InetAddress address = HostPort.of(text, 1).address();
        if (address == null) {
            throw new BadQueryException("client is an IP address");
        }
        return address;
    }

    /** One line for each part that was asked, and one for the outcome. */
    public static String text(Explanation explanation) {
        Stream<String> steps = explanation.steps().stream().map(step -> name(step.part()) + ": " + step.text());
        String outcome = explanation.isAdmitted() ? "admitted" : "refused";
        return Stream.concat(steps, Stream.of(outcome)).collect(Collectors.joining("\n"));
    }

    static String json(Explanation explanation) {
        return Json.text(json -> {
            json.beginObject();
            json.name("admitted").value(explanation.isAdmitted());
            json.name("decidedBy").value(name(explanation.decidedBy()));
            json.name("steps").beginArray();
            for (Explanation.Step step : explanation.steps()) {
                json.beginObject();
                json.name("part").value(name(step.part()));
                json.name("admits").value(step.admits());
                json.name("text").value(step.text());
                json.endObject();
            }
            json.endArray().endObject();
        });
    }

    private static String name(Explanation.Part part) {
        return part.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
