package io.broxy.core.internal.observe;

import io.broxy.ProxyListener;
import io.broxy.TunnelResult;
import java.net.SocketAddress;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/** The event of a tunnel. Threading: owned by the thread that serves the client. */
@Name("io.broxy.Tunnel")
@Label("Tunnel")
@Category("Broxy")
@Description("A tunnel, or the attempt to open one, from the end of the request's head to the end")
@StackTrace(false)
@SuppressWarnings("unused") // the recorder reads the fields
final class TunnelEvent extends Event {
    /** Used only to ask whether such events are enabled. */
    private static final TunnelEvent ANY = new TunnelEvent();

    @Label("Client")
    @Description("The client's address, as a trusted PROXY header announces it if there is one; null if it has none")
    private @Nullable String client;

    @Label("Identity")
    @Description("The client's identity; null if there is none")
    private @Nullable String identity;

    @Label("Protocol")
    @Description("The protocol that the client speaks to the proxy")
    private @Nullable String protocol;

    @Label("Target")
    @Description("The host and port that the tunnel leads to")
    private @Nullable String target;

    @Label("Peer")
    @Description("The address that the proxy connected to")
    private @Nullable String peer;

    @Label("Established")
    @Description("Whether the tunnel was open")
    private boolean established;

    @Label("Bytes to Origin")
    @Description("The bytes that were passed to the origin")
    @DataAmount
    private long bytesToOrigin;

    @Label("Bytes to Client")
    @Description("The bytes that were passed to the client")
    @DataAmount
    private long bytesToClient;

    @Label("Since Hand-over")
    @Description("The time since the client's connection was handed over")
    @Timespan(Timespan.NANOSECONDS)
    private long sinceHandOver;

    @Label("Reason")
    @Description("The CloseReason of the end")
    private @Nullable String reason;

    @Label("Error")
    @Description("The kind of failure that caused the end")
    private @Nullable String error;

    static boolean isOn() {
        return ANY.isEnabled();
    }

    void ended(
            ProxyListener.Request request,
            String spoken,
            @Nullable SocketAddress address,
            boolean wasOpen,
            TunnelResult result) {
        end();
        if (!shouldCommit()) {
            return;
        }
        client = AccessLog.address(request.client().address());
        identity = request.identity();
        protocol = spoken;
        target = String.valueOf(request.target());
        peer = AccessLog.address(address);
        established = wasOpen;
        bytesToOrigin = result.bytesToOrigin();
        bytesToClient = result.bytesToClient();
        sinceHandOver = result.duration().toNanos();
        reason = result.reason().name();
        error = AccessLog.error(result.cause());
        commit();
    }
}
