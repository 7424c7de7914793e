package io.broxy.examples.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import io.broxy.Authenticator;
import io.broxy.HostPort;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies what the operator's page shows and does, in a real browser. Skipped where there is none. */
@ExtendWith(LeakCheck.class)
class PageTest {
    private static final String AXE = "/META-INF/resources/webjars/axe-core/4.6.3/axe.min.js";

    private static Browser browser;

    @BeforeAll
    static void startBrowser(@TempDir Path folder) throws Exception {
        browser = Browser.start(folder);
    }

    @AfterAll
    static void endBrowser() {
        if (browser != null) {
            browser.close();
        }
    }

    /** A page that has shown its first figures. */
    private static Tab open(OperatedProxy operated) throws Exception {
        Tab tab = browser.open();
        tab.look(1280, 2_000, false);
        tab.go(operated.url());
        tab.until("get('state').textContent === 'serving'");
        return tab;
    }

    /** The texts of a column of the table of tunnels. */
    private static List<String> column(Tab tab, String name) throws Exception {
        JsonArray texts = tab.value("[...document.querySelectorAll('#rows ." + name + "')].map(e => e.textContent)")
                .getAsJsonArray();
        List<String> list = new ArrayList<>();
        texts.forEach(text -> list.add(text.getAsString()));
        return list;
    }

    // ------------------------------------------------------------------ figures

    @Test
    void theFiguresAgreeWithWhatClientsDid() throws Exception {
        try (Origin origin = Origin.echo();
                Origin web = Http.echo();
                OperatedProxy operated = OperatedProxy.start();
                Tab tab = open(operated);
                Peer tunnel = operated.proxy().connect(origin.target());
                Peer client = operated.proxy().client();
                Peer unlucky = operated.proxy().client();
                Peer wrong = operated.proxy().client()) {
            tunnel.send(new byte[100_000]);
            assertThat(tunnel.read(100_000)).hasSize(100_000);
            assertThat(Http.read(client.send(Http.get(web.target(), "/"))).status())
                    .isEqualTo(200);
            unlucky.send(Proxy.connectHead(HostPort.of("no-such-host.invalid", 1)));
            assertThat(Http.read(unlucky).status()).isEqualTo(502);
            assertThat(Http.read(wrong.send("nonsense\r\n\r\n")).status()).isEqualTo(400);

            tab.until("get('connections-total').textContent === '4'");
            tab.until("get('tunnels-open').textContent === '1' && get('tunnels-total').textContent === '1'");
            tab.until("get('exchanges-open').textContent === '0' && get('exchanges-total').textContent === '1'");
            tab.until("get('failures').textContent.includes('dial: resolve1')");
            tab.until("get('refused').textContent.includes('refused: bad request1')");
            tab.until("get('failures-total').textContent === '1' && get('refused-total').textContent === '1'");
            tab.until("get('origin-total').textContent === '100\u202fkB'");
            tab.until("get('client-peak').textContent !== '0\u202fB/s' && get('client-line').getAttribute('d') !== ''");
            tab.until("get('times').rows[0].textContent.startsWith('Dials2')");
            tab.until("get('tile-p50').textContent.endsWith('s')");
            tab.until("get('targets').rows[0].cells[0].textContent === '" + origin.target() + "'"
                    + " && get('targets').rows[0].cells[2].textContent === '200\u202fkB'");
            tab.until("get('targets').rows[1].cells[0].textContent === '" + web.target() + "'");
            tab.until("get('loops').rows.length === 2");
            tab.until("get('memory').rows[0].textContent.startsWith('Heap')");
            tab.until("get('pools').rows[0].cells[5].textContent === '1'");
            tab.until("get('rows').rows.length === 1");
            assertThat(column(tab, "client"))
                    .containsExactly("127.0.0.1:" + tunnel.socket().getLocalPort());
            assertThat(column(tab, "target")).containsExactly(origin.target().toString());
            assertThat(column(tab, "toOrigin")).containsExactly("100\u202fkB");
            tunnel.send(new byte[100_000]);
            assertThat(tunnel.read(100_000)).hasSize(100_000);
            tab.until("document.querySelector('#rows .toClient').textContent === '200\u202fkB'");
            tunnel.shutdownOutput().expectEnd();
            tab.until("get('rows').rows.length === 0 && !get('none').hidden");
            assertThat(tab.problems()).isEmpty();
        }
    }

    @Test
    void upstreamsAreShownWithTheirState() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy upstream = Proxy.start();
                OperatedRules operated = OperatedRules.start(upstream.address().getPort());
                Tab tab = open(operated.operated());
                Peer tunnel = operated.operated().proxy().connect(origin.target())) {
            assertThat(tunnel.socket().isConnected()).isTrue();
            tab.until("get('upstreams').rows.length >= 2");
            tab.until("[...get('upstreams').rows].some(row => row.textContent.startsWith('spareup1'))");
            tab.until("[...get('upstreams').rows].some(row => row.textContent.startsWith('brokentried last for ')"
                    + " && row.cells[3].textContent === '1' && row.cells[4].textContent.includes(' ago: '))");
            tab.until("get('pools').rows.length === 2");
            assertThat(tab.problems()).isEmpty();
        }
    }

    @Test
    void aDrainAndALostConnectionAreShown() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start();
                Tab tab = open(operated)) {
            operated.serving().set(false);
            tab.until("get('state').textContent === 'draining'");
            operated.admin().close();
            tab.until("get('state').textContent === 'connection lost'");
        }
    }

    // ------------------------------------------------------------------ the table

    @Test
    void theTableSortsAndFilters() throws Exception {
        List<Peer> clients = new ArrayList<>();
        try (Origin first = Origin.echo();
                Origin second = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Tab tab = open(operated)) {
            for (int i = 1; i <= 3; i++) {
                Peer client = operated.proxy().connect((i == 2 ? second : first).target());
                client.send(new byte[i * 1_000]);
                assertThat(client.read(i * 1_000)).isNotEmpty();
                clients.add(client);
            }
            tab.until("get('rows').rows.length === 3");
            tab.click("[data-sort=to_client]");
            tab.until("[...document.querySelectorAll('#rows .toClient')].map(e => e.textContent).join()"
                    + " === '3.0\u202fkB,2.0\u202fkB,1.0\u202fkB'");
            assertThat(tab.text("document.querySelector('[data-sort=to_client]').parentNode.ariaSort"))
                    .isEqualTo("descending");
            assertThat(tab.number("document.querySelectorAll('[aria-sort]').length"))
                    .isEqualTo(1);
            tab.click("[data-sort=to_client]");
            tab.until("document.querySelector('#rows .toClient').textContent === '1.0\u202fkB'");
            tab.value("get('filter').focus()");
            tab.type(":" + second.port());
            tab.until("get('rows').rows.length === 1 && get('range').textContent === '1–1 of 1 (3 in all)'");
            assertThat(column(tab, "toOrigin")).containsExactly("2.0\u202fkB");
            tab.type("x");
            tab.until("get('rows').rows.length === 0 && !get('none').hidden");
            assertThat(tab.problems()).isEmpty();
        } finally {
            for (Peer client : clients) {
                client.close();
            }
        }
    }

    @Test
    void theTableHasPages() throws Exception {
        List<Peer> clients = new ArrayList<>();
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Tab tab = open(operated)) {
            for (int i = 0; i < 60; i++) {
                clients.add(operated.proxy().connect(origin.target()));
            }
            tab.until("get('range').textContent === '1–50 of 60'");
            assertThat(tab.holds("get('previous').disabled && !get('next').disabled"))
                    .isTrue();
            tab.click("#next");
            tab.until("get('range').textContent === '51–60 of 60' && get('rows').rows.length === 10");
            for (Peer client : clients) {
                client.close();
            }
            tab.until("get('rows').rows.length === 0 && get('previous').disabled");
            assertThat(tab.problems()).isEmpty();
        } finally {
            for (Peer client : clients) {
                client.close();
            }
        }
    }

    // ------------------------------------------------------------------ closing a tunnel

    @Test
    void aTunnelIsClosedWithTheToken() throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Tab tab = open(operated);
                Peer client = operated.proxy().connect(origin.target());
                Peer other = operated.proxy().connect(origin.target())) {
            tab.until("get('rows').rows.length === 2");
            tab.click("[aria-label^=\"Close the tunnel of 127.0.0.1:"
                    + client.socket().getLocalPort() + " \"]");
            tab.until("get('dialog').open && document.activeElement === get('token')");
            assertThat(tab.text("get('dialog-target').textContent"))
                    .isEqualTo(origin.target().toString());
            tab.type("a-wrong-token-123");
            tab.press("Enter");
            tab.until("get('problem').textContent === 'The token is wrong.'");
            tab.value("get('token').value = ''");
            tab.type(OperatedProxy.TOKEN);
            tab.press("Enter");
            tab.until("!get('dialog').open && get('notice').textContent.startsWith('Closed the tunnel to ')");
            client.expectReset();
            tab.until("get('rows').rows.length === 1");
            other.send("x");
            assertThat(other.readText(1)).isEqualTo("x");

            // The browser tells of each 401, and nothing else is wrong.
            assertThat(tab.problems()).hasSize(1).first().asString().contains("401");
            tab.click("#rows button");
            tab.until("get('dialog').open && document.activeElement === get('cancel')");
            assertThat(tab.text("get('token').value")).isEqualTo(OperatedProxy.TOKEN);
            tab.press("Enter");
            tab.until("!get('dialog').open");
            assertThat(tab.number("localStorage.length")).isZero();
        }
    }

    @Test
    void withoutATokenThePageIsReadOnlyAndSaysSo() throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start(null, settings -> {});
                Tab tab = open(operated);
                Peer client = operated.proxy().connect(origin.target())) {
            assertThat(client.socket().isConnected()).isTrue();
            tab.until("get('rows').rows.length === 1");
            assertThat(tab.number("document.querySelectorAll('#rows button').length"))
                    .isZero();
            assertThat(tab.text("get('access').textContent")).startsWith("read-only");
        }
    }

    // ------------------------------------------------------------------ what clients send

    @Test
    void whatClientsSendIsText() throws Exception {
        String hostile = "<img src=x onerror=\"document.title='taken'\"></td><script>document.title='taken'</script>";
        String login = "Proxy-Authorization: Basic "
                + Base64.getEncoder().encodeToString((hostile + ":x").getBytes(UTF_8)) + "\r\n\r\n";
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start(
                        AdminToken.of(OperatedProxy.TOKEN),
                        settings -> settings.authenticator(Authenticator.basic("test", (user, password) -> true)));
                Tab tab = open(operated);
                Peer client = operated.proxy().client()) {
            String head = Proxy.connectHead(origin.target());
            client.send(head.substring(0, head.length() - 2) + login);
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            client.send("x");
            assertThat(client.readText(1)).isEqualTo("x");

            tab.until("get('rows').rows.length === 1");
            assertThat(column(tab, "identity")).containsExactly(hostile);
            tab.until("get('identities').rows[0].cells[0].textContent.startsWith('<img src=x')");
            tab.click("#rows button");
            tab.until("get('dialog-identity').textContent.startsWith('<img src=x')");
            assertThat(tab.number("document.querySelectorAll('#rows img, #rows script, main img, dialog img').length"))
                    .isZero();
            assertThat(tab.text("document.title")).isEqualTo("Broxy");
            assertThat(tab.problems()).isEmpty();
        }
    }

    @Test
    void aPageOfAnotherNameSeesNothing() throws Exception {
        try (OperatedProxy operated = OperatedProxy.start();
                Tab tab = browser.open()) {
            tab.go("http://attacker.test:" + operated.port() + "/");
            assertThat(tab.text("document.body.textContent")).startsWith("this name is not known here");
            tab.go("http://proxy.test:" + operated.port() + "/");
            tab.until("document.getElementById('state').textContent === 'serving'");
        }
    }

    // ------------------------------------------------------------------ access for all

    @ParameterizedTest
    @CsvSource({"1280, false", "1280, true", "360, false", "360, true"})
    void axeFindsNothingAndThePageFits(int width, boolean dark) throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Tab tab = open(operated);
                Peer client = operated.proxy().connect(origin.target());
                InputStream axe = PageTest.class.getResourceAsStream(AXE)) {
            assertThat(client.socket().isConnected()).isTrue();
            assertThat(axe).isNotNull();
            tab.look(width, 900, dark);
            tab.value("get('tunnels').scrollIntoView()");
            tab.until("get('rows').rows.length === 1");
            tab.value(new String(axe.readAllBytes(), UTF_8) + "; true");
            assertThat(violations(tab)).isEmpty();
            assertThat(tab.holds("document.documentElement.scrollWidth <= innerWidth"))
                    .as("no horizontal scrolling")
                    .isTrue();
            assertThat(tab.number("[...document.querySelectorAll('.card')]"
                            + ".filter(card => card.scrollWidth > card.clientWidth).length"))
                    .as("nothing sticks out of a card")
                    .isZero();
            tab.click("#rows button");
            tab.until("get('dialog').open");
            assertThat(violations(tab)).isEmpty();
            assertThat(tab.holds("document.documentElement.scrollWidth <= innerWidth"))
                    .isTrue();
        }
    }

    private static List<String> violations(Tab tab) throws Exception {
        List<String> found = new ArrayList<>();
        tab.value("axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join()))")
                .getAsJsonArray()
                .forEach(each -> found.add(each.getAsString()));
        return found;
    }

    @Test
    void theKeyboardReachesEverything() throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Tab tab = open(operated);
                Peer client = operated.proxy().connect(origin.target())) {
            assertThat(client.socket().isConnected()).isTrue();
            tab.until("get('rows').rows.length === 1");
            String all = "[...document.querySelectorAll('a, button, input')]"
                    + ".filter(e => !e.disabled && !e.closest('dialog, noscript'))";
            tab.value("window.reached = new Set()");
            int steps = tab.number(all + ".length");
            assertThat(steps).isGreaterThan(10);
            for (int i = 0; i < steps; i++) {
                tab.press("Tab");
                tab.value("reached.add(document.activeElement), 1");
                assertThat(tab.holds("getComputedStyle(document.activeElement).outlineStyle !== 'none'"))
                        .as("the focus is visible")
                        .isTrue();
            }
            assertThat(tab.number(all + ".filter(e => !reached.has(e)).length")).isZero();
        }
    }

    @Test
    void theFocusStaysWhereItIsWhileFiguresChange() throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Tab tab = open(operated);
                Peer quiet = operated.proxy().connect(origin.target());
                Peer busy = operated.proxy().connect(origin.target())) {
            tab.click("[data-sort=to_client]");
            quiet.send("x");
            assertThat(quiet.readText(1)).isEqualTo("x");
            tab.until("get('rows').rows.length === 2 && get('rows').rows[0].cells[0].textContent === '127.0.0.1:"
                    + quiet.socket().getLocalPort() + "'");
            tab.value("get('rows').rows[0].querySelector('button').focus()");
            busy.send("0123456789");
            assertThat(busy.readText(10)).isEqualTo("0123456789");
            tab.until("get('rows').rows[0].cells[0].textContent === '127.0.0.1:"
                    + busy.socket().getLocalPort() + "'");

            assertThat(tab.text("document.activeElement.closest('tr').cells[0].textContent"))
                    .isEqualTo("127.0.0.1:" + quiet.socket().getLocalPort());
        }
    }
}
