package io.broxy.examples;

import io.broxy.examples.logging.LogOutput;
import io.broxy.examples.logging.LogSettings;
import io.broxy.examples.logging.Loggers;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log as the options want it, and SIGUSR1, which opens its files anew.
 *
 * <p>Threading: thread-safe; each signal comes on a thread of its own.
 */
final class Logging {
    private static final Logger log = LoggerFactory.getLogger(Logging.class);

    private final LogOutput output;

    private Logging(LogOutput output) {
        this.output = output;
    }

    /**
     * Opens the files, and listens to the signal from now on.
     *
     * @throws IOException if a file cannot be written to, or another provider of SLF4J has been chosen, which writes none
     */
    static void start(LogSettings settings) throws IOException {
        if (!(LoggerFactory.getILoggerFactory() instanceof Loggers own)) {
            if (settings.needsOwnProvider()) {
                throw new IOException("another SLF4J provider is in use, for which the log options have no effect");
            }
            return;
        }
        Logging started = new Logging(own.configure(settings));
        Signals.handle("USR1", "reopen log files", started::reopen);
    }

    private void reopen() {
        if (!output.hasFiles()) {
            log.info("SIGUSR1: nothing to reopen without --log-file or --access-log-file");
            return;
        }
        try {
            output.reopen();
            log.info("SIGUSR1: log files reopened");
        } catch (IOException e) {
            String reason =
                    OneLineErrors.oneLine(String.valueOf(e.getMessage())); // the exception comes with its stack trace
            log.error("SIGUSR1: {}; its old file is in use still", reason);
        }
    }
}
