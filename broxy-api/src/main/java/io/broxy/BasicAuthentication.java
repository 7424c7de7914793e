package io.broxy;

import org.jspecify.annotations.Nullable;

/** Sends Basic credentials (RFC 7617) with the first request. Threading: immutable. */
final class BasicAuthentication implements ProxyAuthentication {
    private final Credentials credentials;

    BasicAuthentication(Credentials credentials) {
        this.credentials = credentials;
    }

    @Override
    public Session begin(Request request) {
        return new Session() {
            @Override
            public String first() {
                return credentials.authorization();
            }

            /** The proxy has had the credentials, and does not accept them. */
            @Override
            public @Nullable String answer(ProxyReply reply) {
                return null;
            }
        };
    }

    /** Shows the user, but not the password. */
    @Override
    public String toString() {
        return "Basic[" + credentials + "]";
    }
}
