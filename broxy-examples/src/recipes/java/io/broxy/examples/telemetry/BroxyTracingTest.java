package io.broxy.examples.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessPolicy;
import io.broxy.HostPort;
import io.broxy.RequestDecision;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.WebServer;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the spans of tunnels, forwarded requests and dials, and how traces go on through the proxy. */
@ExtendWith(LeakCheck.class)
class BroxyTracingTest {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String CALLER = "00f067aa0ba902b7";
    private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");

    private final InMemorySpanExporter exporter = InMemorySpanExporter.create();
    private final OpenTelemetrySdk telemetry = OpenTelemetrySdk.builder()
            .setTracerProvider(SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(exporter))
                    .build())
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
            .build();
    private final BroxyTracing tracing = new BroxyTracing(telemetry);

    @AfterEach
    void close() {
        assertThat(tracing.openSpans()).isZero();
        telemetry.close();
    }

    private Proxy proxy() throws Exception {
        return Proxy.start(settings ->
                settings.listener(tracing).requestFilter(tracing.filter(request -> RequestDecision.pass())));
    }

    /** The spans, of which the one that began last is the first to end. */
    private List<SpanData> spans(int count) {
        await().until(() -> exporter.getFinishedSpanItems().size() >= count);
        return exporter.getFinishedSpanItems();
    }

    private static void get(Proxy proxy, WebServer web, String fields) throws Exception {
        try (Peer client = proxy.client()) {
            client.send("GET http://127.0.0.1:" + web.port() + "/bytes/5/1 HTTP/1.1\r\nHost: 127.0.0.1:" + web.port()
                    + "\r\n" + fields + "\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            client.read(5);
        }
    }

    @Test
    void aForwardedRequestContinuesItsClientsTraceToTheOrigin() throws Exception {
        try (WebServer web = WebServer.start();
                Proxy proxy = proxy()) {
            get(proxy, web, "traceparent: 00-" + TRACE + "-" + CALLER + "-01\r\ntracestate: vendor=1\r\n");

            SpanData dial = spans(2).get(0);
            SpanData exchange = spans(2).get(1);
            assertThat(exchange.getName()).isEqualTo("GET");
            assertThat(exchange.getKind()).isEqualTo(SpanKind.SERVER);
            assertThat(exchange.getTraceId()).isEqualTo(TRACE);
            assertThat(exchange.getParentSpanId()).isEqualTo(CALLER);
            assertThat(exchange.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
            assertThat(exchange.getAttributes().asMap())
                    .containsEntry(AttributeKey.stringKey("http.request.method"), "GET")
                    .containsEntry(AttributeKey.longKey("http.response.status_code"), 200L)
                    .containsEntry(AttributeKey.stringKey("server.address"), "127.0.0.1")
                    .containsEntry(AttributeKey.longKey("server.port"), (long) web.port())
                    .containsEntry(AttributeKey.stringKey("client.address"), "127.0.0.1")
                    .containsEntry(AttributeKey.stringKey("broxy.close_reason"), "finished");
            assertThat(dial.getName()).isEqualTo("dial");
            assertThat(dial.getKind()).isEqualTo(SpanKind.CLIENT);
            assertThat(dial.getParentSpanId()).isEqualTo(exchange.getSpanId());
            assertThat(dial.getAttributes().asMap())
                    .containsEntry(AttributeKey.stringKey("network.peer.address"), "127.0.0.1")
                    .containsEntry(AttributeKey.longKey("network.peer.port"), (long) web.port());
            assertThat(dial.getEndEpochNanos()).isGreaterThanOrEqualTo(dial.getStartEpochNanos());

            WebServer.Asked asked = web.asked().get(0);
            assertThat(asked.fields().get("traceparent"))
                    .containsExactly("00-" + TRACE + "-" + exchange.getSpanId() + "-01");
            assertThat(asked.fields().get("tracestate")).containsExactly("vendor=1");
        }
    }

    @Test
    void aRequestWithoutATraceBeginsOne() throws Exception {
        try (WebServer web = WebServer.start();
                Proxy proxy = proxy()) {
            get(proxy, web, "tracestate: alone=1\r\n");

            SpanData exchange = spans(2).get(1);
            assertThat(exchange.getParentSpanContext().isValid()).isFalse();
            WebServer.Asked asked = web.asked().get(0);
            assertThat(asked.fields().get("traceparent"))
                    .singleElement()
                    .asString()
                    .matches("00-" + exchange.getTraceId() + "-" + exchange.getSpanId()
                            + "-0[13]"); // sampled; 2 is "random"
            assertThat(asked.fields()).doesNotContainKey("Tracestate");
        }
    }

    @Test
    void anIdleConnectionIsUsedWithoutADial() throws Exception {
        try (WebServer web = WebServer.start();
                Proxy proxy = proxy()) {
            get(proxy, web, "");
            get(proxy, web, "");

            assertThat(spans(3)).extracting(SpanData::getName).containsExactly("dial", "GET", "GET");
        }
    }

    @Test
    void aTunnelHasASpanWithItsDial() throws Exception {
        try (Origin origin = Origin.start(client -> client.send("hello"));
                Proxy proxy = proxy()) {
            HostPort target = HostPort.of("127.0.0.1", origin.port());
            try (Peer client = proxy.client()) {
                client.send("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\ntraceparent: 00-" + TRACE + "-"
                        + CALLER + "-01\r\n\r\n");
                client.readHead();
                assertThat(client.readAll()).isEqualTo("hello");
            }

            SpanData dial = spans(2).get(0);
            SpanData tunnel = spans(2).get(1);
            assertThat(tunnel.getName()).isEqualTo("CONNECT");
            assertThat(tunnel.getTraceId()).isEqualTo(TRACE);
            assertThat(tunnel.getParentSpanId()).isEqualTo(CALLER);
            assertThat(tunnel.getAttributes().asMap())
                    .containsEntry(AttributeKey.longKey("broxy.bytes_to_client"), 5L)
                    .containsEntry(AttributeKey.stringKey("broxy.close_reason"), "finished");
            assertThat(dial.getParentSpanId()).isEqualTo(tunnel.getSpanId());
        }
    }

    @Test
    void aFailedDialIsAnErrorOfBothSpans() throws Exception {
        try (HeldPort port = HeldPort.open();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(Proxy.connectHead(HostPort.of("127.0.0.1", port.port())));
            assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");

            assertThat(spans(2)).extracting(SpanData::getName).containsExactly("dial", "CONNECT");
            assertThat(spans(2)).allSatisfy(span -> {
                assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
                assertThat(span.getAttributes().get(ERROR)).isEqualTo("refused");
            });
        }
    }

    @Test
    void aRefusalIsASpanToo() throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.listener(tracing)
                        .requestFilter(tracing.filter(request -> RequestDecision.pass()))
                        .accessPolicy(AccessPolicy.ports(443)));
                Peer client = proxy.client()) {
            client.send(Proxy.connectHead(HostPort.of("127.0.0.1", 25)));
            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");

            SpanData refused = spans(1).get(0);
            assertThat(refused.getName()).isEqualTo("CONNECT");
            assertThat(refused.getAttributes().get(AttributeKey.longKey("http.response.status_code")))
                    .isEqualTo(403);
        }
    }

    @Test
    void aMethodThatAClientInventsNamesNoSpan() throws Exception {
        try (WebServer web = WebServer.start();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send("INVENTED http://127.0.0.1:" + web.port() + "/echo HTTP/1.1\r\nHost: a\r\n\r\n");
            client.readHead();

            SpanData exchange = spans(2).get(1);
            assertThat(exchange.getName()).isEqualTo("HTTP");
            assertThat(exchange.getAttributes().asMap())
                    .containsEntry(AttributeKey.stringKey("http.request.method"), "_OTHER")
                    .containsEntry(AttributeKey.stringKey("http.request.method_original"), "INVENTED");
        }
    }
}
