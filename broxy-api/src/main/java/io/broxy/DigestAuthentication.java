package io.broxy;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Answers Digest challenges (RFC 7616), and remembers for each proxy the nonce that it accepted last.
 *
 * <p>Threading: thread-safe.
 */
final class DigestAuthentication implements ProxyAuthentication {
    /** A nonce may expire between the challenge and its answer, though hardly twice. */
    private static final int MAX_STALE = 2;

    private static final int CNONCE_BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Credentials credentials;
    private final Supplier<String> cnonces;
    private final Map<HostPort, DigestNonce> accepted = new ConcurrentHashMap<>();

    DigestAuthentication(Credentials credentials) {
        this(credentials, DigestAuthentication::randomCnonce);
    }

    /**
     * Creates one.
     *
     * @param cnonces gives the client's nonces, each without characters that quotes would have to escape
     */
    DigestAuthentication(Credentials credentials, Supplier<String> cnonces) {
        this.credentials = credentials;
        this.cnonces = cnonces;
    }

    private static String randomCnonce() {
        byte[] bytes = new byte[CNONCE_BYTES];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    @Override
    public Session begin(Request request) {
        return new DigestSession(request);
    }

    /** Shows the user, but not the password. */
    @Override
    public String toString() {
        return "Digest[" + credentials + "]";
    }

    /** Threading: as a {@link ProxyAuthentication.Session}. */
    private final class DigestSession implements Session {
        private final Request request;
        private @Nullable DigestNonce used;

        /** The credentials have been computed for a challenge of this session, so that another one refuses them. */
        private boolean answered;

        private int stale;

        DigestSession(Request request) {
            this.request = request;
        }

        @Override
        public @Nullable String first() {
            used = accepted.get(request.proxy());
            return used == null ? null : used.authorize(request);
        }

        @Override
        public @Nullable String answer(ProxyReply reply) {
            if (used != null) {
                accepted.remove(request.proxy(), used);
            }
            ProxyChallenge challenge = strongest(reply);
            if (challenge == null || (answered && !(isStale(challenge) && ++stale <= MAX_STALE))) {
                return null;
            }
            answered = true;
            DigestNonce next = DigestNonce.of(challenge, credentials, cnonces.get());
            used = next;
            return next.authorize(request);
        }

        private @Nullable ProxyChallenge strongest(ProxyReply reply) {
            ProxyChallenge best = null;
            int strength = 0;
            for (ProxyChallenge challenge : ProxyChallenge.of(reply)) {
                int found = DigestNonce.strength(challenge);
                if (found > strength) { // of equals the first, which the proxy prefers
                    best = challenge;
                    strength = found;
                }
            }
            return best;
        }

        private static boolean isStale(ProxyChallenge challenge) {
            return "true".equalsIgnoreCase(challenge.parameter("stale"));
        }

        @Override
        public void accepted(ProxyReply reply) {
            DigestNonce current = used;
            if (current == null) {
                return; // the proxy wants no credentials
            }
            String next = nextNonce(reply);
            if (next != null) {
                accepted.put(request.proxy(), current.followedBy(next, credentials, cnonces.get()));
            } else if (answered) {
                accepted.put(request.proxy(), current);
            }
        }

        /** The field is a list of parameters (RFC 7616 section 3.5), which are read as those of a challenge. */
        private static @Nullable String nextNonce(ProxyReply reply) {
            for (ConnectRequest.Field field : reply.fields()) {
                if (field.name().equalsIgnoreCase("Proxy-Authentication-Info")) {
                    return ChallengeParser.parameters(field.value()).get("nextnonce");
                }
            }
            return null;
        }
    }
}
