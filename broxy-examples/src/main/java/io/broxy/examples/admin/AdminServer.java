package io.broxy.examples.admin;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.broxy.Explanation;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What operators and load balancers see of a proxy: the page at {@code /} with its figures, {@code /healthz} and {@code
 * /metrics}.
 *
 * <p>Threading: thread-safe; two threads answer, beside those of {@link EventStream}.
 */
public final class AdminServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AdminServer.class);

    private static final int THREADS = 2;
    private static final long TICK_MILLIS = 1_000;

    /** A client that reads nothing for this long is dropped. */
    private static final long WRITE_MILLIS = 10_000;

    /** A request takes no longer, in seconds; the JDK's server reads this property when it is loaded. */
    private static final String LONGEST_REQUEST = "10";

    private static final Pattern CLOSING = Pattern.compile("/tunnels/([0-9]{1,18})/close");

    private final ExpositionFormats formats = ExpositionFormats.init();
    private final HttpServer server;
    private final ServedProxy proxy;
    private final AdminHosts hosts;
    private final PrometheusRegistry metrics;
    private final TunnelTable tunnels;
    private final WriteLimit limit = new WriteLimit(WRITE_MILLIS);
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS, AdminThreads.named("http"));
    private final EventStream events;

    private AdminServer(HttpServer server, ServedProxy proxy) {
        this.server = server;
        this.proxy = proxy;
        this.hosts = new AdminHosts(proxy.hosts());
        this.metrics = PrometheusMetrics.of(proxy);
        this.tunnels = new TunnelTable(proxy.monitor()::tunnels, proxy.handler()::activeTunnels);
        StatusJson status = new StatusJson(proxy);
        this.events = new EventStream(status::first, status::next, TICK_MILLIS);
    }

    /**
     * Starts to listen.
     *
     * @throws IOException if the address cannot be listened on
     */
    public static AdminServer start(InetSocketAddress address, ServedProxy proxy) throws IOException {
        String property = "sun.net.httpserver.maxReqTime";
        if (System.getProperty(property) == null) {
            System.setProperty(property, LONGEST_REQUEST);
        }
        HttpServer server = HttpServer.create(address, 0);
        AdminServer admin = new AdminServer(server, proxy);
        server.setExecutor(admin.threads);
        server.createContext("/", admin::serve);
        server.start();
        return admin;
    }

    /** Where it listens, with the port that was taken. */
    public InetSocketAddress address() {
        return server.getAddress();
    }

    // ------------------------------------------------------------------ requests

    private void serve(HttpExchange exchange) throws IOException {
        AdminRequest request = new AdminRequest(exchange, limit);
        try {
            respond(request);
        } catch (IOException e) { // the client has gone, or does not read
            request.close();
            throw e;
        }
    }

    private void respond(AdminRequest request) throws IOException {
        try {
            route(request);
        } catch (BadQueryException e) {
            request.text(400, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            log.error("the admin address cannot answer {} {}", request.method(), request.path(), e);
            request.text(500, "internal error");
        }
    }

    private void route(AdminRequest request) throws IOException {
        Matcher closing = CLOSING.matcher(request.path());
        if (closing.matches()) {
            if (isAllowed(request, "POST") && isKnownHost(request) && isOfThisPage(request) && isOperator(request)) {
                close(request, closing.group(1));
            }
        } else if (isAllowed(request, "GET")) {
            answer(request);
        }
    }

    private void answer(AdminRequest request) throws IOException {
        switch (request.path()) {
            case "/healthz" -> {
                boolean serving = proxy.serving().getAsBoolean();
                request.text(serving ? 200 : 503, serving ? "serving" : "draining");
            }
            case "/metrics" -> scrape(request);
            case "/events" -> {
                if (isKnownHost(request) && isOfThisPage(request)) {
                    events.serve(request);
                }
            }
            case "/tunnels" -> {
                if (isKnownHost(request) && isOfThisPage(request)) {
                    request.json(tunnels.page(TunnelQuery.of(request.query())));
                }
            }
            case "/explain" -> {
                if (isKnownHost(request) && isOfThisPage(request)) {
                    explain(request);
                }
            }
            default -> page(request);
        }
    }

    private void explain(AdminRequest request) throws IOException {
        Explanation explanation = proxy.handler().explain(Explain.request(request.query()));
        if (request.list("Accept").contains("application/json")) {
            request.json(Explain.json(explanation));
        } else {
            request.text(200, Explain.text(explanation));
        }
    }

    private void page(AdminRequest request) throws IOException {
        PageFile file = PageFile.at(request.path());
        if (file == null) {
            request.text(404, "there are /, /healthz, /metrics, /events, /tunnels and /explain");
        } else if (isKnownHost(request)) {
            request.answer(200, file.type(), file.bytes());
        }
    }

    private void scrape(AdminRequest request) throws IOException {
        ExpositionFormatWriter writer = formats.findWriter(request.list("Accept"));
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        writer.write(text, metrics.scrape());
        request.answer(200, writer.getContentType(), text.toByteArray());
    }

    private void close(AdminRequest request, String number) throws IOException {
        request.discardBody();
        if (tunnels.close(Long.parseLong(number))) {
            log.info("an operator has closed tunnel {}", number);
            request.text(200, "closed");
        } else {
            request.text(404, "there is no tunnel " + number);
        }
    }

    // ------------------------------------------------------------------ who may ask; each answers if it is false

    private static boolean isAllowed(AdminRequest request, String method) throws IOException {
        boolean head = method.equals("GET") && request.method().equals("HEAD");
        if (head || request.method().equals(method)) {
            return true;
        }
        request.with("Allow", method.equals("GET") ? "GET, HEAD" : method).text(405, "only " + method);
        return false;
    }

    private boolean isKnownHost(AdminRequest request) throws IOException {
        String host = request.field("Host");
        if (host != null && hosts.admits(host)) {
            return true;
        }
        request.text(421, "this name is not known here; --admin-host NAME makes it known");
        return false;
    }

    /** A browser says where a request comes from; other clients do not. */
    private static boolean isOfThisPage(AdminRequest request) throws IOException {
        String origin = request.list("Origin");
        String site = request.list("Sec-Fetch-Site");
        String host = request.list("Host");
        boolean own = origin.isEmpty() || origin.equals("http://" + host) || origin.equals("https://" + host);
        if (own && (site.isEmpty() || site.equals("same-origin") || site.equals("none"))) {
            return true;
        }
        request.text(403, "pages of other sites may not ask");
        return false;
    }

    private boolean isOperator(AdminRequest request) throws IOException {
        AdminToken token = proxy.token();
        if (token == null) {
            request.text(403, "read-only: the proxy runs without --admin-token");
            return false;
        }
        if (token.isIn(request.list("Authorization"))) {
            return true;
        }
        request.with("WWW-Authenticate", "Bearer realm=\"broxy\"").text(401, "the token is missing or wrong");
        return false;
    }

    /** Ends the streams of events, and every other connection. */
    @Override
    public void close() {
        server.stop(0);
        events.close();
        AdminThreads.stop(threads);
        limit.close();
    }
}
