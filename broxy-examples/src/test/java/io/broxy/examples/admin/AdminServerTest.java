package io.broxy.examples.admin;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies what the admin address answers, and whom. */
@ExtendWith(LeakCheck.class)
class AdminServerTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private static long numberOfTheOnlyTunnel(OperatedProxy operated) throws IOException {
        return operated.tunnel("").get("number").getAsLong();
    }

    // ------------------------------------------------------------------ reading

    @ParameterizedTest
    @CsvSource({
        "/, text/html; charset=utf-8",
        "/style.css, text/css; charset=utf-8",
        "/script.js, text/javascript; charset=utf-8",
        "/icon.svg, image/svg+xml"
    })
    void theFilesOfThePageAreServed(String path, String type) throws Exception {
        try (OperatedProxy operated = OperatedProxy.start();
                InputStream file =
                        AdminServer.class.getResourceAsStream(path.equals("/") ? "index.html" : path.substring(1))) {
            assertThat(file).isNotNull();
            Http.Message response = operated.ask("GET", path);

            assertThat(response.status()).isEqualTo(200);
            assertThat(response.head()).containsIgnoringCase("\r\nContent-Type: " + type + "\r\n");
            // The test kit reads a byte as a character.
            assertThat(response.body().getBytes(ISO_8859_1)).isEqualTo(file.readAllBytes());
            assertThat(operated.ask("HEAD", path).status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/tunnels", "/healthz", "/metrics", "/nothing", "/tunnels/1/close"})
    void everyResponseForbidsWhatThePageDoesNotNeed(String path) throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            assertThat(operated.ask("GET", path).head())
                    .containsIgnoringCase(
                            "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self';"
                                    + " img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
                                    + " frame-ancestors 'none'\r\n")
                    .containsIgnoringCase("\r\nX-Content-Type-Options: nosniff\r\n")
                    .containsIgnoringCase("\r\nReferrer-Policy: no-referrer\r\n")
                    .containsIgnoringCase("\r\nCross-Origin-Resource-Policy: same-origin\r\n")
                    .containsIgnoringCase("\r\nCache-Control: no-store\r\n");
        }
    }

    @Test
    void otherMethodsAndPathsAreRefused() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            Http.Message posted = operated.ask("POST", "/metrics");
            assertThat(posted.status()).isEqualTo(405);
            assertThat(posted.head()).containsIgnoringCase("\r\nAllow: GET, HEAD\r\n");
            Http.Message read = operated.ask("GET", "/tunnels/7/close");
            assertThat(read.status()).isEqualTo(405);
            assertThat(read.head()).containsIgnoringCase("\r\nAllow: POST\r\n");
            for (String path : List.of("/index.html", "/healthz/x", "/../healthz", "/tunnels/x/close", "*")) {
                assertThat(operated.ask("GET", path).status()).as(path).isEqualTo(404);
            }
        }
    }

    @Test
    void healthFollowsTheProxy() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            assertThat(operated.ask("GET", "/healthz").body()).isEqualTo("serving\n");
            operated.serving().set(false);
            Http.Message draining = operated.ask("GET", "/healthz");
            assertThat(draining.status()).isEqualTo(503);
            assertThat(draining.body()).isEqualTo("draining\n");
        }
    }

    @Test
    void eventsBeginAtOnceAndFollowEachSecond() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start();
                Peer page = Peer.connect(operated.port())) {
            page.send("GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n");
            assertThat(page.readHead()).containsIgnoringCase("\r\nContent-Type: text/event-stream; charset=utf-8\r\n");
            JsonObject first = event(page);
            assertThat(first.get("first").getAsBoolean()).isTrue();
            assertThat(first.get("version").getAsString()).isEqualTo("0.1.0");
            assertThat(first.get("closable").getAsBoolean()).isTrue();
            try (Peer client = operated.proxy().client()) {
                JsonObject next = event(page);
                assertThat(next.has("first")).isFalse();
                assertThat(next.get("serving").getAsBoolean()).isTrue();
                await().atMost(PATIENCE)
                        .until(() -> event(page)
                                        .getAsJsonObject("connections")
                                        .get("open")
                                        .getAsInt()
                                == 1);
                assertThat(client.socket().isConnected()).isTrue();
            }
        }
    }

    /** The next one. */
    private static JsonObject event(Peer page) throws IOException {
        StringBuilder line = new StringBuilder();
        while (true) {
            char next = page.readText(1).charAt(0);
            if (next != '\n') {
                line.append(next);
            } else if (line.indexOf("data: ") == 0) {
                return JsonParser.parseString(line.substring("data: ".length())).getAsJsonObject();
            } else {
                line.setLength(0);
            }
        }
    }

    @Test
    void whatWouldDecideIsExplainedWithoutADial() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start(
                null,
                settings -> settings.accessPolicy(request -> request.identity() == null && request.client() == null))) {
            String target = "/explain?target=no-such-host.invalid:443";
            Http.Message text = operated.ask("GET", target);
            assertThat(text.status()).isEqualTo(200);
            assertThat(text.body()).startsWith("access policy: ").endsWith("\nadmitted\n");
            assertThat(operated.ask("GET", target + "&identity=alice&method=GET")
                            .body())
                    .endsWith("\nrefused\n");
            JsonObject json = JsonParser.parseString(
                            operated.ask("GET", target + "&client=2001:db8::1", "Accept: application/json")
                                    .body())
                    .getAsJsonObject();
            assertThat(json.get("admitted").getAsBoolean()).isFalse();
            assertThat(json.get("decidedBy").getAsString()).isEqualTo("access policy");
            assertThat(json.getAsJsonArray("steps")).hasSize(1);
            assertThat(operated.proxy().handler().stats().totalConnections()).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'', target=HOST:PORT is missing",
        "target=, not a target",
        "target=a.example, the port is missing",
        "target=a.example:443&client=b.example, client is an IP address",
        "target=a.example:443&method=G%20T, method is not a token",
        "target=a.example:443&user=alice, 'the parameters are target, identity, client, method'",
        "target=a.example:443&target=b.example:443, a parameter is there twice"
    })
    void aQuestionThatMakesNoSenseIsRefused(String query, String reason) throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            Http.Message response = operated.ask("GET", "/explain?" + query);

            assertThat(response.status()).isEqualTo(400);
            assertThat(response.body()).contains(reason).hasLineCount(1);
        }
    }

    // ------------------------------------------------------------------ browsers of other sites

    @ParameterizedTest
    @ValueSource(strings = {"/", "/script.js", "/tunnels", "/events", "/explain"})
    void aNameThatIsNotKnownIsRefused(String path) throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            for (String host : List.of("attacker.test", "attacker.test:9090", "localhost.attacker.test", "", "a b")) {
                assertThat(operated.askHost(host, "GET", path).status())
                        .as(host)
                        .isEqualTo(421);
            }
        }
    }

    @Test
    void knownNamesAndAddressesAreServed() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            for (String host : List.of(
                    "localhost",
                    "LOCALHOST:9090",
                    "127.0.0.1",
                    "192.0.2.1:80",
                    "[::1]",
                    "[2001:db8::1]:9090",
                    "proxy.test:9090")) {
                assertThat(operated.askHost(host, "GET", "/tunnels").status())
                        .as(host)
                        .isEqualTo(200);
            }
            assertThat(operated.askHost("any.name.test", "GET", "/healthz").status())
                    .isEqualTo(200);
            assertThat(operated.askHost("any.name.test", "GET", "/metrics").status())
                    .isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Origin: http://attacker.test",
                "Origin: null",
                "Origin: http://127.0.0.1:1",
                "Sec-Fetch-Site: cross-site",
                "Sec-Fetch-Site: same-site"
            })
    void pagesOfOtherSitesAreRefused(String field) throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Peer client = operated.proxy().connect(origin.target())) {
            long number = numberOfTheOnlyTunnel(operated);
            assertThat(operated.ask("GET", "/tunnels", field).status()).isEqualTo(403);
            assertThat(operated.ask("GET", "/events", field).status()).isEqualTo(403);
            assertThat(operated.ask("POST", "/tunnels/" + number + "/close", operated.bearer(), field)
                            .status())
                    .isEqualTo(403);

            client.send("x");
            assertThat(client.readText(1)).isEqualTo("x");
        }
    }

    // ------------------------------------------------------------------ closing a tunnel

    @Test
    void anOperatorClosesATunnel() throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Peer client = operated.proxy().connect(origin.target());
                Peer other = operated.proxy().connect(origin.target())) {
            JsonObject row = operated.tunnel(":" + client.socket().getLocalPort());
            String path = "/tunnels/" + row.get("number").getAsLong() + "/close";
            assertThat(operated.ask("POST", path, operated.bearer(), "Origin: http://127.0.0.1:" + operated.port())
                            .status())
                    .isEqualTo(200);

            client.expectReset();
            other.send("x");
            assertThat(other.readText(1)).isEqualTo("x");
            await().atMost(PATIENCE)
                    .until(() -> operated.ask("POST", path, operated.bearer()).status() == 404);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "X-Nothing: 1",
                "Authorization: Bearer an-operators-toke",
                "Authorization: Bearer an-operators-token2",
                "Authorization: Bearer",
                "Authorization: Basic an-operators-token",
                "Authorization: an-operators-token"
            })
    void withoutTheTokenNothingIsClosed(String field) throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Peer client = operated.proxy().connect(origin.target())) {
            Http.Message response =
                    operated.ask("POST", "/tunnels/" + numberOfTheOnlyTunnel(operated) + "/close", field);
            assertThat(response.status()).isEqualTo(401);
            assertThat(response.head()).containsIgnoringCase("\r\nWWW-Authenticate: Bearer realm=\"broxy\"\r\n");

            client.send("x");
            assertThat(client.readText(1)).isEqualTo("x");
        }
    }

    @Test
    void aProxyWithoutATokenIsReadOnly() throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start(null, settings -> {});
                Peer client = operated.proxy().connect(origin.target())) {
            Http.Message response =
                    operated.ask("POST", "/tunnels/" + numberOfTheOnlyTunnel(operated) + "/close", operated.bearer());
            assertThat(response.status()).isEqualTo(403);
            assertThat(response.body()).startsWith("read-only");

            client.send("x");
            assertThat(client.readText(1)).isEqualTo("x");
        }
    }

    @Test
    void theConnectionServesAnotherRequestBehindABody() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start();
                Peer client = Peer.connect(operated.port())) {
            String head = "POST /tunnels/1/close HTTP/1.1\r\nHost: localhost\r\n" + operated.bearer()
                    + "\r\nContent-Length: 3\r\n\r\n";
            for (int i = 0; i < 2; i++) {
                client.send(head + "abc");
                assertThat(client.readHead()).startsWith("HTTP/1.1 404 ");
                assertThat(client.readText("there is no tunnel 1\n".length())).endsWith("\n");
            }
        }
    }

    // ------------------------------------------------------------------ the table

    @Test
    void theTableShowsWhatTheClientsDid() throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Peer client = operated.proxy().connect(origin.target())) {
            client.send("12345");
            assertThat(client.readText(5)).isEqualTo("12345");
            await().atMost(PATIENCE).untilAsserted(() -> {
                JsonObject row = operated.tunnel("");
                assertThat(row.get("client").getAsString())
                        .isEqualTo("127.0.0.1:" + client.socket().getLocalPort());
                assertThat(row.get("identity").isJsonNull()).isTrue();
                assertThat(row.get("target").getAsString())
                        .isEqualTo(origin.target().toString());
                assertThat(row.get("toOrigin").getAsLong()).isEqualTo(5);
                assertThat(row.get("toClient").getAsLong()).isEqualTo(5);
            });
        }
    }

    @Test
    void aMalformedTargetIsRefused() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            for (String target : List.of("/tunnels?filter=%zz", "/tunnels?filter=%", "//", "/\\")) {
                assertThat(operated.ask("GET", target).status()).as(target).isEqualTo(400);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sort=size",
                "order=up",
                "offset=-1",
                "limit=501",
                "limit=x",
                "offset=99999999999",
                "colour=blue",
                "sort",
                "=",
                "sort=age&sort=age"
            })
    void aWrongQueryIsRefused(String query) throws Exception {
        try (OperatedProxy operated = OperatedProxy.start()) {
            Http.Message response = operated.ask("GET", "/tunnels?" + query);

            assertThat(response.status()).isEqualTo(400);
            assertThat(response.body()).endsWith("\n").hasLineCount(1);
        }
    }
}
