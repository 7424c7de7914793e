package io.broxy.examples;

import io.broxy.HostPort;

/**
 * A port or a Unix domain socket that leads to one target.
 *
 * <p>Threading: immutable.
 */
record Forward(ListenPoint listen, HostPort target) {

    /**
     * Reads {@code HOST:PORT=TARGET:PORT} or {@code unix:PATH=TARGET:PORT}.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    static Forward parse(String text) {
        int equals = text.lastIndexOf('='); // a path may have one, and a target has none
        if (equals < 0) {
            throw new IllegalArgumentException("there is no target: " + Found.value(text) + " has no '='");
        }
        return new Forward(ListenPoint.parse(text.substring(0, equals)), HostPort.parse(text.substring(equals + 1)));
    }
}
