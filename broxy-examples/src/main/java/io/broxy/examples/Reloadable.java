package io.broxy.examples;

/** What SIGHUP reads again. Threading: thread-safe. */
interface Reloadable {

    /** Reads the files and uses them, whether they have changed or not. What was used before stays if they are of no use. */
    LiveFile.Outcome reload();
}
