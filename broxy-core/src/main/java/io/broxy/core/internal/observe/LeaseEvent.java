package io.broxy.core.internal.observe;

import io.broxy.DialException;
import io.broxy.HostPort;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** The event of a lease. Threading: for one thread at a time. */
@Name("io.broxy.Lease")
@Label("Lease")
@Category("Broxy")
@Description("The wait until a pool leased a connection, or failed to")
@StackTrace(false)
@SuppressWarnings("unused") // the recorder reads the fields
final class LeaseEvent extends Event implements LeaseTrace {
    /** Used only to ask whether such events are enabled. */
    private static final LeaseEvent ANY = new LeaseEvent();

    @Label("Hop")
    @Description("The far end of the connection")
    private @Nullable String hop;

    @Label("Reused")
    @Description("Whether the connection was idle before")
    private boolean reused;

    @Label("Reason")
    @Description("LEASED, or the reason of the failure")
    private @Nullable String reason;

    static boolean isOn() {
        return ANY.isEnabled();
    }

    static LeaseEvent begin(HostPort hop) {
        LeaseEvent event = new LeaseEvent();
        event.hop = hop.toString();
        event.begin();
        return event;
    }

    @Override
    public void leased(boolean wasIdle) {
        reused = wasIdle;
        ended("LEASED");
    }

    @Override
    public void failed(DialException failure) {
        ended(failure.reason().name());
    }

    @Override
    public void cancelled() {
        ended(DialException.Reason.CANCELLED.name());
    }

    private void ended(String why) {
        reason = why;
        commit();
    }
}
