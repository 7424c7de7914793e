package io.broxy.examples.telemetry;

import io.broxy.CloseReason;
import io.broxy.DialException;
import io.broxy.DialResult;
import io.broxy.ExchangeResult;
import io.broxy.FilterRequest;
import io.broxy.HostPort;
import io.broxy.ProxyListener;
import io.broxy.RefusedException;
import io.broxy.RequestDecision;
import io.broxy.RequestFilter;
import io.broxy.RequestId;
import io.broxy.TunnelResult;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Spans of OpenTelemetry for what a handler does: one for each tunnel and each forwarded request, and in it one for each dial.
 *
 * <pre>{@code
 * BroxyTracing tracing = new BroxyTracing(openTelemetry);
 * ProxyHandler handler = broxy.proxyHandler()
 *         .listener(tracing)
 *         .requestFilter(tracing.filter(RequestDecision::pass))
 *         .build();
 * }</pre>
 *
 * <p>The filter continues a client's trace: the parent is the client's {@code traceparent}, and a request that is forwarded carries that of its
 * span here to the origin, in place of the client's. What a tunnel carries stays as it is. Without the filter each request begins a trace of its own.
 *
 * <p>Attributes follow the semantic conventions for HTTP servers; Broxy's own begin with {@code broxy.}. Identities, URIs and fields
 * are left out, because they may hold secrets.
 *
 * <p>Threading: thread-safe. One instance serves one handler.
 */
final class BroxyTracing implements ProxyListener {
    /** Beyond it the oldest span ends: a listener may lose events under load, and with them the end of a request. */
    private static final int MAX_OPEN = 50_000;

    private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
    private static final AttributeKey<String> ORIGINAL_METHOD = AttributeKey.stringKey("http.request.method_original");
    private static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");
    private static final AttributeKey<String> SERVER = AttributeKey.stringKey("server.address");
    private static final AttributeKey<Long> SERVER_PORT = AttributeKey.longKey("server.port");
    private static final AttributeKey<String> CLIENT = AttributeKey.stringKey("client.address");
    private static final AttributeKey<Long> CLIENT_PORT = AttributeKey.longKey("client.port");
    private static final AttributeKey<String> PEER = AttributeKey.stringKey("network.peer.address");
    private static final AttributeKey<Long> PEER_PORT = AttributeKey.longKey("network.peer.port");
    private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
    private static final AttributeKey<String> REASON = AttributeKey.stringKey("broxy.close_reason");
    private static final AttributeKey<Long> TO_ORIGIN = AttributeKey.longKey("broxy.bytes_to_origin");
    private static final AttributeKey<Long> TO_CLIENT = AttributeKey.longKey("broxy.bytes_to_client");

    /** The methods that the semantic conventions know; any other is an attribute only, so that clients cannot invent names of spans. */
    private static final Set<String> METHODS =
            Set.of("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY");

    private static final TextMapGetter<FilterRequest> FIELDS = new TextMapGetter<>() {
        @Override
        @SuppressWarnings("deprecation") // but still without a body in the interface
        public Iterable<String> keys(FilterRequest request) {
            return request.fields().stream().map(field -> field.name()).toList();
        }

        @Override
        public @Nullable String get(@Nullable FilterRequest request, String name) {
            return request == null ? null : request.field(name);
        }
    };

    private final Tracer tracer;
    private final TextMapPropagator propagator;
    private final Map<RequestId, Span> open = Collections.synchronizedMap(new OpenSpans());

    BroxyTracing(OpenTelemetry telemetry) {
        tracer = telemetry.getTracer("io.broxy");
        propagator = telemetry.getPropagators().getTextMapPropagator();
    }

    /**
     * The filter that continues traces, around another one that decides.
     *
     * @param other decides; {@code RequestDecision::pass} admits everything
     */
    RequestFilter filter(RequestFilter other) {
        return request -> {
            RequestDecision decision = other.decide(request);
            return decision instanceof RequestDecision.Pass pass ? traced(request, pass) : decision;
        };
    }

    private RequestDecision traced(FilterRequest request, RequestDecision.Pass pass) {
        Context parent = propagator.extract(Context.root(), request, FIELDS);
        Span span = begin(request.id(), request.method(), request.target(), null, parent);
        Map<String, String> fields = new HashMap<>();
        propagator.inject(parent.with(span), fields, (carrier, name, value) -> fields.put(name, value));
        RequestDecision.Pass result = pass;
        if (!request.isTunnel() && span.getSpanContext().isValid()) {
            for (String name : propagator.fields()) {
                String value = fields.get(name);
                result = value == null ? result.remove(name) : result.set(name, value);
            }
        }
        return result;
    }

    private Span begin(
            RequestId id, @Nullable String method, @Nullable HostPort target, @Nullable Instant start, Context parent) {
        return open.computeIfAbsent(id, any -> start(method, target, start, parent));
    }

    private Span start(@Nullable String method, @Nullable HostPort target, @Nullable Instant start, Context parent) {
        boolean known = method != null && METHODS.contains(method);
        var builder = tracer.spanBuilder(known ? method : "HTTP")
                .setSpanKind(SpanKind.SERVER)
                .setParent(parent);
        if (start != null) {
            builder.setStartTimestamp(start);
        }
        builder.setAttribute(METHOD, known ? method : "_OTHER");
        if (!known && method != null) {
            builder.setAttribute(ORIGINAL_METHOD, method);
        }
        if (target != null) {
            builder.setAttribute(SERVER, target.host()).setAttribute(SERVER_PORT, (long) target.port());
        }
        return builder.startSpan();
    }

    /** The open span of a request, which the filter has begun, or else a new one. */
    private Span span(Request request) {
        return begin(request.id(), request.method(), request.target(), request.start(), Context.root());
    }

    @Override
    public void dialSucceeded(Request request, DialResult result) {
        Span span = dial(request, result.start());
        address(span, PEER, PEER_PORT, result.peer());
        span.end(result.start().plus(result.duration()));
    }

    @Override
    public void dialFailed(Request request, DialException failure) {
        Span span = dial(request, request.start());
        fail(span, failure.reason());
        span.end();
    }

    private Span dial(Request request, Instant start) {
        var builder = tracer.spanBuilder("dial")
                .setSpanKind(SpanKind.CLIENT)
                .setParent(Context.root().with(span(request)))
                .setStartTimestamp(start);
        HostPort target = request.target();
        if (target != null) {
            builder.setAttribute(SERVER, target.host()).setAttribute(SERVER_PORT, (long) target.port());
        }
        return builder.startSpan();
    }

    @Override
    public void requestRefused(Request request, RefusedException refusal) {
        Span span = span(request);
        span.setAttribute(STATUS, (long) refusal.status());
        span.setAttribute(ERROR, refusal.reason().name().toLowerCase(Locale.ROOT));
        end(request, span, null);
    }

    @Override
    public void tunnelEnded(Request request, TunnelResult result) {
        Span span = span(request);
        bytes(span, result.reason(), result.bytesToOrigin(), result.bytesToClient());
        if (result.cause() instanceof DialException failure) {
            fail(span, failure.reason());
        } else if (result.cause() != null) {
            fail(span, result.reason());
        }
        end(request, span, request.client().start().plus(result.duration()));
    }

    @Override
    public void exchangeEnded(Request request, ExchangeResult result) {
        Span span = span(request);
        bytes(span, result.reason(), result.bytesToOrigin(), result.bytesToClient());
        if (result.status() > 0) {
            span.setAttribute(STATUS, (long) result.status());
        }
        if (result.cause() instanceof DialException failure) {
            fail(span, failure.reason());
        } else if (result.cause() != null) {
            fail(span, result.reason());
        } else if (result.status() >= 500) {
            span.setAttribute(ERROR, Integer.toString(result.status())).setStatus(StatusCode.ERROR);
        }
        end(request, span, request.start().plus(result.duration()));
    }

    private static void bytes(Span span, CloseReason reason, long toOrigin, long toClient) {
        span.setAttribute(REASON, reason.name().toLowerCase(Locale.ROOT));
        span.setAttribute(TO_ORIGIN, toOrigin);
        span.setAttribute(TO_CLIENT, toClient);
    }

    private static void fail(Span span, Enum<?> reason) {
        span.setAttribute(ERROR, reason.name().toLowerCase(Locale.ROOT)).setStatus(StatusCode.ERROR);
    }

    private void end(Request request, Span span, @Nullable Instant end) {
        address(span, CLIENT, CLIENT_PORT, request.client().address());
        open.remove(request.id());
        if (end == null) {
            span.end();
        } else {
            span.end(end);
        }
    }

    private static void address(
            Span span, AttributeKey<String> name, AttributeKey<Long> port, @Nullable SocketAddress address) {
        if (address instanceof InetSocketAddress inet && inet.getAddress() != null) {
            span.setAttribute(name, inet.getAddress().getHostAddress()).setAttribute(port, (long) inet.getPort());
        }
    }

    /** The spans of requests that have not ended, in the order of their start. Threading: for one thread at a time. */
    @SuppressWarnings("serial") // is not serialized
    private static final class OpenSpans extends LinkedHashMap<RequestId, Span> {
        @Override
        protected boolean removeEldestEntry(Map.Entry<RequestId, Span> eldest) {
            if (size() <= MAX_OPEN) {
                return false;
            }
            eldest.getValue().end();
            return true;
        }
    }

    /** The number of requests whose spans are open. */
    int openSpans() {
        return open.size();
    }
}
