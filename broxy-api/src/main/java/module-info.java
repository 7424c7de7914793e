/** Broxy's public API: dialing, tunneling and the rules they follow. It does no I/O and starts no threads. */
module io.broxy {
    requires static transitive org.jspecify;

    exports io.broxy;
}
