package io.broxy.core;

import java.net.SocketException;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.SocketFactory;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Sockets that are registered by a name; {@link SocketsBuilder#register(String)} makes one.
 *
 * <p>Threading: thread-safe.
 */
public final class SocketRegistration implements AutoCloseable {
    private static final String DEFAULT = "default";

    private static final Map<String, SocketRegistration> ALL = new ConcurrentHashMap<>();

    private final String name;
    private final SocketFactory plain;
    private final Supplier<SSLSocketFactory> tls;
    private final Consumer<SocketRegistration> onClose;

    private SocketRegistration(
            String name, SocketFactory plain, Supplier<SSLSocketFactory> tls, Consumer<SocketRegistration> onClose) {
        this.name = name;
        this.plain = plain;
        this.tls = tls;
        this.onClose = onClose;
    }

    static SocketRegistration of(
            String name, SocketFactory plain, Supplier<SSLSocketFactory> tls, Consumer<SocketRegistration> onClose) {
        if (name.isBlank()) {
            throw new IllegalArgumentException("a registration needs a name that is not blank");
        }
        SocketRegistration registration = new SocketRegistration(name, plain, tls, onClose);
        if (ALL.putIfAbsent(name, registration) != null) {
            throw new IllegalStateException("the name \"" + name + "\" is taken by other sockets");
        }
        return registration;
    }

    /**
     * Finds a registration.
     *
     * @param name null for the one named {@code default}, or the only one
     * @throws SocketException if there is none
     */
    static SocketRegistration find(@Nullable String name) throws SocketException {
        SocketRegistration found = ALL.get(name == null ? DEFAULT : name);
        if (found == null && name == null) {
            found = only();
        }
        if (found == null) {
            TreeSet<String> names = new TreeSet<>(ALL.keySet());
            throw new SocketException((name == null
                            ? "no sockets are registered as \"" + DEFAULT + "\", nor exactly one registration"
                            : "no sockets are registered as \"" + name + "\"")
                    + "; registered: " + (names.isEmpty() ? "none" : String.join(", ", names)));
        }
        return found;
    }

    private static @Nullable SocketRegistration only() {
        SocketRegistration only = null;
        for (SocketRegistration each : ALL.values()) {
            if (only != null) {
                return null;
            }
            only = each;
        }
        return only;
    }

    /** The name of the registration. */
    public String name() {
        return name;
    }

    SocketFactory plain() {
        return plain;
    }

    /**
     * The factory of TLS sockets.
     *
     * @throws SocketException if it needs the JVM's default TLS context, and there is none
     */
    SSLSocketFactory tls() throws SocketException {
        try {
            return tls.get();
        } catch (IllegalStateException e) {
            SocketException failure = new SocketException(e.getMessage());
            failure.initCause(e);
            throw failure;
        }
    }

    /** Ends the registration and frees its name; sockets that were made stay open. Repeated calls have no effect. */
    @Override
    public void close() {
        ALL.remove(name, this);
        onClose.accept(this);
    }
}
