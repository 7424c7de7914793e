package io.broxy.examples;

import io.broxy.core.Broxy;
import io.broxy.core.BroxyBuilder;
import io.broxy.core.TransportMode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The options of the command line that are settings of the engine. Threading: for one thread. */
final class EngineOptions {
    private final Setting<@Nullable Integer> eventLoops;
    private final Setting<TransportMode> transport;

    EngineOptions(OptionSet options) {
        eventLoops = options.one(
                "--event-loops",
                "N",
                new CountConverter.Threads(),
                "The number of event loops. Default: one for each processor");
        transport = options.one(
                "--transport",
                "auto|nio",
                EngineOptions::transport,
                TransportMode.NIO,
                "Which sockets serve clients: NIO channels, or epoll where it is possible, on Linux and Java 22 or newer."
                        + " Default: nio");
    }

    private static TransportMode transport(String text) {
        for (TransportMode mode : TransportMode.values()) {
            if (mode.name().toLowerCase(Locale.ROOT).equals(text)) {
                return mode;
            }
        }
        throw new IllegalArgumentException(Found.value(text) + " is neither auto nor nio");
    }

    /** How many event loops, or null for the library's default. */
    @Nullable
    Integer eventLoops() {
        return eventLoops.value();
    }

    TransportMode transport() {
        return transport.value();
    }

    /** An engine with these settings. */
    Broxy start() {
        BroxyBuilder builder = Broxy.builder().transport(transport());
        Integer loops = eventLoops();
        if (loops != null) {
            builder.eventLoops(loops);
        }
        return builder.build();
    }
}
