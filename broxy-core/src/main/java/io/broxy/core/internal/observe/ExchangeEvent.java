package io.broxy.core.internal.observe;

import io.broxy.ExchangeResult;
import io.broxy.ProxyListener;
import java.net.SocketAddress;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** The event of an exchange. Threading: owned by the thread that serves the client. */
@Name("io.broxy.Exchange")
@Label("Exchange")
@Category("Broxy")
@Description(
        "A request that was forwarded or answered by the proxy itself, from the end of its head to the end of the exchange")
@StackTrace(false)
@SuppressWarnings("unused") // the recorder reads the fields
final class ExchangeEvent extends Event {
    /** Used only to ask whether such events are enabled. */
    private static final ExchangeEvent ANY = new ExchangeEvent();

    @Label("Client")
    @Description("The client's address, as a trusted PROXY header announces it if there is one; null if it has none")
    private @Nullable String client;

    @Label("Identity")
    @Description("The client's identity; null if there is none")
    private @Nullable String identity;

    @Label("Method")
    @Description("The method of the request")
    private @Nullable String method;

    @Label("Target")
    @Description("Null if the request was for the proxy itself")
    private @Nullable String target;

    @Label("Peer")
    @Description("The address that the request was sent to")
    private @Nullable String peer;

    @Label("Status")
    @Description("The status of the response; 0 if there was none")
    private int status;

    @Label("Bytes to Origin")
    @Description("The bytes that were passed to the origin, with the head of the request")
    @DataAmount
    private long bytesToOrigin;

    @Label("Bytes to Client")
    @Description("The bytes that were passed to the client, with the head of the response")
    @DataAmount
    private long bytesToClient;

    @Label("Reason")
    @Description("The CloseReason of the end")
    private @Nullable String reason;

    @Label("Error")
    @Description("The kind of failure that caused the end")
    private @Nullable String error;

    static boolean isOn() {
        return ANY.isEnabled();
    }

    void ended(ProxyListener.Request request, @Nullable SocketAddress address, ExchangeResult result) {
        end();
        if (!shouldCommit()) {
            return;
        }
        client = AccessLog.address(request.client().address());
        identity = request.identity();
        method = request.method();
        target = request.target() == null ? null : request.target().toString();
        peer = AccessLog.address(address);
        status = result.status();
        bytesToOrigin = result.bytesToOrigin();
        bytesToClient = result.bytesToClient();
        reason = result.reason().name();
        error = AccessLog.error(result.cause());
        commit();
    }
}
