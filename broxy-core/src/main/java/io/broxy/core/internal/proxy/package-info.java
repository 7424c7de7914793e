/**
 * The proxy: a client's life, from its first byte to the result of its connection.
 *
 * <pre>
 *   accepted                by the host server or {@code ProxyServer}, which calls {@link DefaultProxyHandler}
 *      │
 *   counted                 {@link ClientIntake}, {@link ConnectionLimits}; the client is a {@link ClientConnection} from now on,
 *      │                    on one event loop, and one {@link Step} after another works on it
 *   (PROXY header)          {@link ProxyHeaderReader}, if a trusted sender passes the client on
 *      │
 *   (TLS)                   {@link TlsStep}
 *      │
 *   (first byte)            {@link ProtocolStep}, if SOCKS is served too: {@link SocksStep} reads, authenticates and allows its
 *      │                    clients, whose next step is {@link ConnectStep}
 *   request <────────────┐  {@link RequestLoop}, {@link RequestValidator}; or the host server has read a CONNECT; or the port
 *      │                 │  leads to one target, {@link FixedTargetStep}
 *   authenticated        │  {@link AccessStep}, {@link AccessControl}, {@link Authentication}, {@link LoginThrottle}
 *      │                 │
 *   allowed              │  {@link AccessControl}
 *      │                 │
 *   (filtered)           │  {@link FilterStep}, if the embedder has set a filter; requests to the proxy itself go past it
 *      │                 │
 *   step                 │  {@link ConnectStep} for CONNECT, {@link ForwardStep} for plain HTTP, {@link LocalStep} for requests to
 *      │                 │  the proxy itself
 *   answered ────────────┘  by the step, or with a response of {@link Responses}: {@link KeepAliveResponse}, {@link FinalResponse}
 *      │
 *   (by the host server)    {@link HostResponse}, if the host server keeps its client until it has answered: {@link HostClient} is
 *      │                    in its place until then, and {@link OpenedStep} waits for it
 *   (tunnel)                {@link io.broxy.core.internal.relay.Relay}
 *      │
 *   closed and accounted    {@link ClientConnection#ended}, {@link ClientAccount}, {@link Metrics}
 * </pre>
 *
 * <p>How a client is answered depends on its {@link ClientProtocol}; only HTTP knows another request behind an answer.
 *
 * <p>What the steps need of the handler is in {@link HandlerContext}; what can be refused, and how, in {@link
 * io.broxy.core.internal.http.Rejection}.
 */
@NullMarked
package io.broxy.core.internal.proxy;

import org.jspecify.annotations.NullMarked;
