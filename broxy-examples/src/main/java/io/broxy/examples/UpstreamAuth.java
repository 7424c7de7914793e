package io.broxy.examples;

import io.broxy.Credentials;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyAuthentication;
import io.broxy.ProxyUri;
import io.broxy.core.Negotiate;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The scheme by which an upstream HTTP proxy is told who uses it. */
enum UpstreamAuth {
    /** The credentials are sent with each request, if there are some. */
    BASIC,
    DIGEST,
    /** Kerberos, with the ticket that this process finds. */
    NEGOTIATE;

    /** Reads a name. */
    static UpstreamAuth parse(String text) {
        for (UpstreamAuth scheme : values()) {
            if (scheme.toString().equals(text)) {
                return scheme;
            }
        }
        throw new IllegalArgumentException(Found.value(text) + " is neither basic, digest nor negotiate");
    }

    /**
     * Checks that a proxy can be told so.
     *
     * @throws IllegalArgumentException if it speaks SOCKS5, or its credentials are missing or of no use
     */
    void check(ProxyUri proxy) {
        if (this != BASIC && proxy.scheme() == ProxyUri.Scheme.SOCKS5) {
            throw new IllegalArgumentException(this + " is for HTTP proxies, and not for socks5");
        }
        if (this == DIGEST && proxy.credentials() == null) {
            throw new IllegalArgumentException("digest needs a user name and a password");
        }
        if (this == NEGOTIATE && proxy.credentials() != null) {
            throw new IllegalArgumentException("negotiate takes a Kerberos ticket, and no user name and password");
        }
    }

    /** Has a dialer authenticate. */
    void apply(HttpProxyDialer.Builder dialer, @Nullable Credentials credentials) {
        switch (this) {
            case BASIC -> {
                if (credentials != null) {
                    dialer.credentials(credentials);
                }
            }
            case DIGEST ->
                dialer.authentication(ProxyAuthentication.digest(Objects.requireNonNull(credentials, "checked")));
            case NEGOTIATE -> dialer.authentication(Negotiate.create());
        }
    }

    /** As in options and files. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
