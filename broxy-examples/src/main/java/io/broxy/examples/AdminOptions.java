package io.broxy.examples;

import io.broxy.examples.admin.AdminToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The mini-server's options for operators. Threading: filled in by one thread, and not changed after that.
 */
final class AdminOptions {
    private final Setting<@Nullable ListenAddress> address;
    private final Setting<@Nullable AdminToken> token;
    private final Setting<@Nullable Path> tokenFile;
    private final Setting<List<String>> hosts;

    /** Adds its options. */
    AdminOptions(OptionSet options) {
        address = options.one(
                "--admin",
                "HOST:PORT",
                ListenAddress::parse,
                "The address of the operator's page, of /healthz and of /metrics. Reading needs no password: keep it to the"
                        + " loopback or a network of your own. Default: none");
        token = options.one(
                "--admin-token",
                "TOKEN",
                AdminToken::of,
                "Operators with this token may close tunnels; it has at least 16 characters, and is visible in the process"
                        + " list. Default: the page is read-only");
        tokenFile = options.one(
                "--admin-token-file",
                "FILE",
                new FileConverter(),
                "The file whose only line is the token, read at the start.");
        hosts = options.many(
                "--admin-host",
                "NAME",
                new HostConverter(),
                "Browsers may reach the page of --admin under this name, too, beside the host of --admin, addresses and"
                        + " localhost. May be repeated.");
        options.exclusive(token, tokenFile);
    }

    /**
     * Checks the options together.
     *
     * @throws UsageException if one has no effect
     */
    void refuseContradictions() {
        if (address() == null
                && (token.value() != null
                        || tokenFile.value() != null
                        || !hosts.value().isEmpty())) {
            throw new UsageException("--admin-token, --admin-token-file and --admin-host need --admin");
        }
    }

    /** Where operators are answered, or null for nowhere. */
    @Nullable
    ListenAddress address() {
        return address.value();
    }

    /**
     * What operators need to change something; null if none may.
     *
     * @throws IOException if its file cannot be used
     */
    @Nullable
    AdminToken token() throws IOException {
        Path file = tokenFile.value();
        if (file == null) {
            return token.value();
        }
        Utf8Text content = Utf8Text.of(FileContent.of(file).bytes());
        if (!content.problem().isEmpty()) {
            throw ConfigFileException.of(file, content.problem());
        }
        try {
            return AdminToken.of(content.text().strip());
        } catch (IllegalArgumentException e) {
            throw ConfigFileException.of(file, String.valueOf(e.getMessage()));
        }
    }

    /** The names under which a browser may reach the page, beside {@code localhost}. */
    List<String> hosts() {
        ListenAddress own = address();
        return own == null
                ? hosts.value()
                : Stream.concat(Stream.of(own.host()), hosts.value().stream()).toList();
    }
}
