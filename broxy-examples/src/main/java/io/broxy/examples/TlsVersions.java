package io.broxy.examples;

import java.util.List;

/** The versions of TLS that are served: one and all newer ones. */
enum TlsVersions {
    TLS_1_2("1.2", "TLSv1.3", "TLSv1.2"),
    TLS_1_3("1.3", "TLSv1.3");

    private final String oldest;
    private final List<String> protocols;

    TlsVersions(String oldest, String... protocols) {
        this.oldest = oldest;
        this.protocols = List.of(protocols);
    }

    /** As the JDK names them. */
    String[] protocols() {
        return protocols.toArray(String[]::new);
    }

    /** Reads the oldest of them. Threading: immutable. */
    static final class Minimum implements Converter<TlsVersions> {
        @Override
        public TlsVersions convert(String text) {
            for (TlsVersions versions : values()) {
                if (versions.oldest.equals(text)) {
                    return versions;
                }
            }
            throw new IllegalArgumentException(Found.value(text) + " is neither 1.2 nor 1.3");
        }
    }
}
