package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.broxy.HostPort;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Program;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies the metrics, in both formats, and that Prometheus and its tools understand them. */
@ExtendWith(LeakCheck.class)
class MetricsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    private static final Pattern NAME = Pattern.compile("\\b(?:broxy|jvm)_[a-z0-9_]+");

    private final Path folder;

    MetricsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    /** A tunnel with five bytes each way, a forwarded request, a target that cannot be dialed, and a refusal. */
    private static void use(OperatedProxy operated) throws IOException {
        try (Origin echo = Origin.echo();
                Origin web = Http.echo();
                Peer tunnel = operated.proxy().connect(echo.target());
                Peer client = operated.proxy().client();
                Peer unlucky = operated.proxy().client();
                Peer wrong = operated.proxy().client()) {
            tunnel.send("12345").shutdownOutput();
            assertThat(tunnel.readAll()).isEqualTo("12345");
            assertThat(Http.read(client.send(Http.get(web.target(), "/"))).status())
                    .isEqualTo(200);
            unlucky.send(Proxy.connectHead(HostPort.of("no-such-host.invalid", 1)));
            assertThat(Http.read(unlucky).status()).isEqualTo(502);
            assertThat(Http.read(wrong.send("nonsense\r\n\r\n")).status()).isEqualTo(400);
        }
    }

    private static String metrics(OperatedProxy operated, String... fields) throws IOException {
        Http.Message response = operated.ask("GET", "/metrics", fields);
        assertThat(response.status()).isEqualTo(200);
        return response.body();
    }

    @Test
    void theyCountWhatHappened() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            use(operated);
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(metrics(operated))
                            .contains(
                                    "# TYPE broxy_dial_duration_seconds histogram\n",
                                    "broxy_dial_duration_seconds_bucket{le=\"0.001\"} ",
                                    "broxy_dial_duration_seconds_bucket{le=\"60.0\"} 2\n",
                                    "broxy_dial_duration_seconds_bucket{le=\"+Inf\"} 2\n",
                                    "broxy_dial_duration_seconds_count 2\n",
                                    "broxy_response_duration_seconds_count 1\n",
                                    "broxy_tunnel_duration_seconds_bucket{le=\"100000.0\"} 1\n",
                                    "broxy_tunnel_duration_seconds_count 1\n",
                                    "broxy_tunnels_established_total 1.0\n",
                                    "broxy_dial_failures_total{reason=\"resolve\"} 1.0\n",
                                    "broxy_requests_refused_total{reason=\"bad_request\"} 1.0\n",
                                    "broxy_event_loop_clients{loop=\"",
                                    "broxy_event_loop_busy_seconds_total{loop=\"",
                                    "broxy_buffer_bytes{kind=\"held\"} 0.0\n",
                                    "jvm_memory_used_bytes{area=\"heap\"} ",
                                    "jvm_buffer_pool_used_bytes{pool=\"direct\"} "));
        }
    }

    @Test
    void theFormatIsWhatTheScraperAccepts() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            assertThat(operated.ask("GET", "/metrics").head())
                    .containsIgnoringCase("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
            Http.Message open = operated.ask("GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0");
            assertThat(open.head()).containsIgnoringCase("\r\nContent-Type: " + OPEN_METRICS + "\r\n");
            assertThat(open.body())
                    .contains("# TYPE broxy_connections counter\n", "\nbroxy_connections_total 0.0\n")
                    .endsWith("# EOF\n");
            assertThat(operated.ask("HEAD", "/metrics").status()).isEqualTo(200);
        }
    }

    @Test
    void promtoolFindsNothing() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            use(operated);
            Files.writeString(folder.resolve("metrics"), metrics(operated));
            String command = Daemon.program("promtool") + " check metrics < metrics";
            Program check = Program.run(folder, "sh", "-c", command);

            assertThat(check).isEqualTo(new Program(0, ""));
        }
    }

    @Test
    void prometheusScrapesThem() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            Path config = Files.writeString(
                    folder.resolve("prometheus.yml"),
                    "global: { scrape_interval: 1s, scrape_timeout: 1s }\n"
                            + "scrape_configs: [ { job_name: broxy, static_configs: [ { targets: [ '127.0.0.1:"
                            + operated.port() + "' ] } ] } ]\n");
            String program = Daemon.program("prometheus");
            try (Daemon prometheus = Daemon.start(
                    folder.resolve("prometheus.log"),
                    port -> List.of(
                            program,
                            "--config.file=" + config,
                            "--storage.tsdb.path=" + folder.resolve("data"),
                            "--web.listen-address=127.0.0.1:" + port))) {
                use(operated);
                await().atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(query(prometheus, "broxy_tunnels_established_total"))
                                .isEqualTo("1"));
                assertThat(query(prometheus, "broxy_bytes_total{direction=\"to_client\"} >= bool 5"))
                        .isEqualTo("1");
                assertThat(query(prometheus, "broxy_dial_duration_seconds_count"))
                        .isEqualTo("2");
                assertThat(query(prometheus, "histogram_quantile(0.5, broxy_dial_duration_seconds_bucket) < bool 60"))
                        .isEqualTo("1");
                assertThat(query(prometheus, "up")).isEqualTo("1");
            }
        }
    }

    /** The value of the only series, or what else came. */
    private static String query(Daemon prometheus, String expression) throws IOException {
        String path = "/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8);
        try (Peer client = Peer.connect(prometheus.target().port())) {
            client.send("GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
            String head = client.readHead();
            String body = client.readAll();
            assertThat(head).as(body).startsWith("HTTP/1.0 200 ");
            JsonObject answer = JsonParser.parseString(body).getAsJsonObject();
            JsonArray series = answer.getAsJsonObject("data").getAsJsonArray("result");
            return series.size() == 1
                    ? series.get(0)
                            .getAsJsonObject()
                            .getAsJsonArray("value")
                            .get(1)
                            .getAsString()
                    : series.toString();
        }
    }

    @Test
    void theDashboardAsksForMetricsThatAreThere() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            use(operated);
            Set<String> published = names(metrics(operated));
            JsonObject dashboard = JsonParser.parseString(Files.readString(Path.of("../docs/grafana-dashboard.json")))
                    .getAsJsonObject();
            Set<String> asked = new TreeSet<>();
            for (JsonElement panel : dashboard.getAsJsonArray("panels")) {
                JsonArray targets = panel.getAsJsonObject().getAsJsonArray("targets");
                for (JsonElement target : targets == null ? new JsonArray() : targets) {
                    asked.addAll(names(target.getAsJsonObject().get("expr").getAsString()));
                }
            }

            assertThat(asked).hasSizeGreaterThan(10);
            asked.removeAll(published);
            // A proxy without upstreams has no series of them.
            assertThat(asked)
                    .allMatch(name -> name.startsWith("broxy_upstream_"))
                    .allMatch(name -> published.contains("broxy_bytes_total"));
        }
    }

    private static Set<String> names(String text) {
        Set<String> names = new TreeSet<>();
        Matcher matcher = NAME.matcher(text);
        while (matcher.find()) {
            names.add(matcher.group());
        }
        return names;
    }
}
