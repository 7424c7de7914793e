package io.broxy.core.internal.observe;

import io.broxy.DialException;
import io.broxy.HostPort;
import java.net.SocketAddress;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** The event of a dial. Threading: for one thread at a time. */
@Name("io.broxy.Dial")
@Label("Dial")
@Category("Broxy")
@Description(
        "The establishment of a connection, directly or through a proxy; the connection to the proxy is a separate dial")
@StackTrace(false)
@SuppressWarnings("unused") // the recorder reads the fields
final class DialEvent extends Event implements DialTrace {
    /** Used only to ask whether such events are enabled. */
    private static final DialEvent ANY = new DialEvent();

    @Label("Target")
    @Description("The host and port to connect to")
    private @Nullable String target;

    @Label("Via")
    @Description("The proxy; null for a direct dial")
    private @Nullable String via;

    @Label("Peer")
    @Description("The address that the socket is connected to; null if there is none")
    private @Nullable String peer;

    @Label("Reason")
    @Description("CONNECTED, or the reason of the failure")
    private @Nullable String reason;

    @Label("Failed Addresses")
    @Description("The number of addresses, or of hops, that were tried in vain")
    private int failedAddresses;

    static boolean isOn() {
        return ANY.isEnabled();
    }

    static DialEvent begin(HostPort target, @Nullable HostPort via) {
        DialEvent event = new DialEvent();
        event.target = target.toString();
        event.via = via == null ? null : via.toString();
        event.begin();
        return event;
    }

    @Override
    public void connected(@Nullable SocketAddress address) {
        peer = AccessLog.address(address);
        ended("CONNECTED");
    }

    @Override
    public void failed(DialException failure) {
        failedAddresses = failure.attempts().size();
        ended(failure.reason().name());
    }

    @Override
    public void cancelled() {
        ended(DialException.Reason.CANCELLED.name());
    }

    private void ended(String why) {
        if (reason == null) {
            reason = why;
            commit();
        }
    }
}
