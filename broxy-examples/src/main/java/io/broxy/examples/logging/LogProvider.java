package io.broxy.examples.logging;

import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.event.Level;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * Makes {@link Loggers} what SLF4J logs with. Markers and the diagnostic context of threads are not logged.
 *
 * <p>Threading: thread-safe.
 */
public final class LogProvider implements SLF4JServiceProvider {
    /** Names a provider, so that SLF4J need not look for one on the class path. */
    private static final String PROPERTY = "slf4j.provider";

    /** Keeps SLF4J from reporting on standard error that it does what the property says. */
    private static final String VERBOSITY = "slf4j.internal.verbosity";

    private static final String API_VERSION = "2.0.99";

    private final Loggers loggers = new Loggers();
    private final IMarkerFactory markers = new BasicMarkerFactory();
    private final MDCAdapter context = new NOPMDCAdapter();

    /** Is called by SLF4J. */
    public LogProvider() {}

    /** Makes SLF4J take this provider, unless another one is named; before the first logger is asked for. */
    public static void install() {
        setUnlessSet(PROPERTY, LogProvider.class.getName());
        setUnlessSet(VERBOSITY, Level.WARN.name());
    }

    private static void setUnlessSet(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    @Override
    public ILoggerFactory getLoggerFactory() {
        return loggers;
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return markers;
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return context;
    }

    @Override
    public String getRequestedApiVersion() {
        return API_VERSION;
    }

    @Override
    public void initialize() {}
}
