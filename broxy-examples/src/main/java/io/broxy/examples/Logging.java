package io.broxy.examples;

/**
 * Sets up slf4j-simple, whose further settings are in {@code simplelogger.properties}. It reads them when the first logger
 * is asked for.
 */
final class Logging {
    private Logging() {}

    static void configure(boolean verbose, boolean accessLog) {
        if (verbose) {
            System.setProperty("org.slf4j.simpleLogger.log.io.broxy", "debug");
            System.setProperty("org.slf4j.simpleLogger.log.io.broxy.examples", "debug");
        }
        if (accessLog) {
            System.setProperty("org.slf4j.simpleLogger.log.io.broxy.access", "info");
        }
    }
}
