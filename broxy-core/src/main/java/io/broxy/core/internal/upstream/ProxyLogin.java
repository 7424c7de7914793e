package io.broxy.core.internal.upstream;

import io.broxy.DialException;
import io.broxy.ProxyReply;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The login of one request to a proxy: the credentials of its legs. A user's code may take any time for each: the caller keeps the
 * deadline, asks for one thing at a time, and ignores what comes too late.
 *
 * <p>Threading: owned by the event loop of the request, on which every callback runs, possibly before the method returns. A
 * failure is one with {@link DialException.Reason#PROXY_AUTH}.
 */
@FunctionalInterface
public interface ProxyLogin {
    /** The most challenges that are answered for one request; the longest known handshakes have three legs. */
    int MAX_CHALLENGES = 8;

    /**
     * Gets the credentials to send before there is a challenge.
     *
     * @param ready gets null for none
     */
    void first(Consumer<@Nullable String> ready, Consumer<DialException> failed);

    /** Whether a challenge may be answered, and the proxy's acceptance is of interest. */
    default boolean answersChallenges() {
        return false;
    }

    /**
     * Gets the answer to a challenge.
     *
     * @param ready gets null to give up
     */
    default void answer(ProxyReply challenge, Consumer<@Nullable String> ready, Consumer<DialException> failed) {
        ready.accept(null);
    }

    /** Looks at the response of a proxy that has accepted the credentials. */
    default void accepted(ProxyReply reply, Runnable ready, Consumer<DialException> failed) {
        ready.run();
    }
}
