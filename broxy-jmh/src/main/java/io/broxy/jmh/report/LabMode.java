package io.broxy.jmh.report;

import java.util.List;

/**
 * A kind of load with its concurrency, such as {@code connect32}: what the lab calls a mode.
 *
 * <p>Threading: immutable.
 *
 * @param name the lab's name of it
 */
record LabMode(String name) {
    private static final List<String> BULK = List.of("bulk", "up");

    /** The name without its number. */
    private String kind() {
        return name.replaceFirst("\\d+$", "");
    }

    private String concurrency() {
        return name.substring(kind().length());
    }

    /** Whether a unit is a GiB, which has no latency. */
    boolean isBulk() {
        return BULK.contains(kind());
    }

    /** The unit of its processor time. */
    String unit() {
        return switch (kind()) {
            case "bulk", "up" -> "ms/GiB";
            case "ping" -> "µs/message";
            case "http" -> "µs/request";
            default -> "µs/connection";
        };
    }

    /** Explains the load in a sentence without an end. */
    String explanation() {
        String text = switch (kind()) {
            case "connect" -> "CONNECT, 15,360 bytes to the origin and back, close; %s at once";
            case "full" -> "a full handshake, CONNECT, 64 bytes to the origin and back, close; %s at once";
            case "resumed" -> "the same with a resumed session; %s at once";
            case "ping" -> "a small message and its echo; %s tunnels, each with one message under way";
            case "bulk" -> "1 GiB from the origin to the client; tunnels: %s";
            case "up" -> "1 GiB from the client to the origin; tunnels: %s";
            case "http" -> "a plain HTTP request on a kept connection, with two bytes as the response; connections: %s";
            default -> "%s";
        };
        return String.format(text, concurrency());
    }
}
