package io.broxy.examples;

/** The versions of TLS that are served: one and all newer ones. */
enum TlsVersions {
    TLS_1_2("1.2"),
    TLS_1_3("1.3");

    private final String oldest;

    TlsVersions(String oldest) {
        this.oldest = oldest;
    }

    /** As the JDK names them. */
    String[] protocols() {
        return switch (this) {
            case TLS_1_2 -> new String[] {"TLSv1.3", "TLSv1.2"};
            case TLS_1_3 -> new String[] {"TLSv1.3"};
        };
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
