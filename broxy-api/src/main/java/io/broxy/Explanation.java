package io.broxy;

import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Whether a request would be admitted, which part of the configuration decides that, and where the request would go: for operators,
 * and not for clients. Nothing is dialed and no name is looked up for it.
 *
 * <p>Threading: immutable.
 *
 * @param steps what each part says, in the order in which a request meets them; only the last step may refuse. At least one,
 *     unmodifiable
 */
public record Explanation(List<Step> steps) {

    /** A part of the configuration that can decide about a request. */
    public enum Part {
        /** The {@link AccessPolicy} refuses every request of the client's address. */
        CLIENT,
        /** The {@link Authenticator}: a client without an identity is asked for credentials. */
        AUTHENTICATION,
        /** The {@link AccessPolicy}. */
        ACCESS_POLICY,
        /** A {@link RequestFilter}, which may still refuse or change the request. */
        FILTER,
        /** The addresses at which the engine itself listens. */
        OWN_ADDRESS,
        /** The {@link Dialer}: its rules, hops and proxies. */
        ROUTE,
        /** The {@link AddressPolicy}. */
        ADDRESS_POLICY
    }

    /**
     * What one part says.
     *
     * <p>Threading: immutable.
     *
     * @param admits false if the part refuses the request
     * @param text the reason, in one line without a full stop; without secrets
     */
    public record Step(Part part, boolean admits, String text) {

        /** Checks for null. */
        public Step {
            Objects.requireNonNull(part, "part");
            Objects.requireNonNull(text, "text");
        }
    }

    /** Checks the steps, and copies the list. */
    public Explanation {
        steps = List.copyOf(steps);
        if (steps.isEmpty()) {
            throw new IllegalArgumentException("an explanation needs a step");
        }
        if (steps.subList(0, steps.size() - 1).stream().anyMatch(step -> !step.admits())) {
            throw new IllegalArgumentException("nothing comes after a refusal: " + steps);
        }
    }

    /** An explanation with one step that admits. */
    public static Explanation admitted(Part part, String text) {
        return new Explanation(List.of(new Step(part, true, text)));
    }

    /** An explanation with one step that refuses. */
    public static Explanation refused(Part part, String text) {
        return new Explanation(List.of(new Step(part, false, text)));
    }

    /**
     * This explanation, followed by another one.
     *
     * @throws IllegalArgumentException if this one is of a refusal
     */
    public Explanation then(Explanation following) {
        return new Explanation(
                Stream.concat(steps.stream(), following.steps.stream()).toList());
    }

    /** Whether the request would be admitted, as far as that is known without dialing. */
    public boolean isAdmitted() {
        return last().admits();
    }

    /** The part that refuses the request, or that says last where it goes. */
    public Part decidedBy() {
        return last().part();
    }

    private Step last() {
        return steps.get(steps.size() - 1);
    }

    /** One line for each step. */
    @Override
    public String toString() {
        return steps.stream()
                .map(step -> (step.admits() ? "" : "refused: ") + step.text())
                .collect(Collectors.joining("\n"));
    }
}
