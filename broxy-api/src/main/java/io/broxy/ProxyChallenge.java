package io.broxy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One challenge of a proxy (RFC 9110 section 11.3): a scheme with either a token or parameters.
 *
 * <p>Threading: immutable.
 *
 * @param scheme as received; schemes are compared without regard to case
 * @param token68 the base64 text behind the scheme, as NTLM and Negotiate have it, or null for none
 * @param parameters by their names in lower case, in their order and without quotes; unmodifiable
 */
public record ProxyChallenge(String scheme, @Nullable String token68, Map<String, String> parameters) {

    /** Checks for null. */
    public ProxyChallenge {
        Objects.requireNonNull(scheme, "scheme");
        Objects.requireNonNull(parameters, "parameters");
    }

    /**
     * Reads all {@code Proxy-Authenticate} fields of a response: one line may have several challenges, and there may be
     * several lines. A malformed challenge is left out, with what follows it in its line.
     *
     * @return the challenges in their order; unmodifiable
     */
    public static List<ProxyChallenge> of(ProxyReply reply) {
        List<ProxyChallenge> all = new ArrayList<>();
        for (ConnectRequest.Field field : reply.fields()) {
            if (field.name().equalsIgnoreCase("Proxy-Authenticate")) {
                new ChallengeParser(field.value()).addTo(all);
            }
        }
        return List.copyOf(all);
    }

    /** Whether it has this scheme. */
    public boolean is(String name) {
        return scheme.equalsIgnoreCase(name);
    }

    /** The value of a parameter, or null if it is not there. */
    public @Nullable String parameter(String name) {
        return parameters.get(FieldSyntax.lowerCase(name));
    }

    /** Names the scheme only: the rest may serve to find the password. */
    @Override
    public String toString() {
        return "ProxyChallenge[" + Printable.quote(scheme) + "]";
    }
}
