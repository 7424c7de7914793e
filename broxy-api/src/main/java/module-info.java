/** Broxy's public API: dialing, tunnelling and the rules they follow. It does no I/O and starts no thread. */
module io.broxy {
    requires static transitive org.jspecify;

    exports io.broxy;
}
