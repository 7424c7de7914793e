package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Specifies that the operator's page shows thousands of tunnels with a bounded effort. It prints what the page costs;
 * {@code -Dpage.seconds=60} measures for longer.
 */
@ExtendWith(LeakCheck.class)
@Tag("slow")
class PageLoadTest {
    private static final int TUNNELS = 2_000;
    private static final int MESSAGE = 100;

    /** For an event, or a page of the table, with some room. */
    private static final int MOST_BYTES = 16 * 1024;

    private final Path folder;

    PageLoadTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void thousandsOfTunnelsAreShownWithABoundedEffort() throws Exception {
        List<Peer> clients = new ArrayList<>();
        try (EchoServer origin = new EchoServer();
                OperatedProxy operated = OperatedProxy.start();
                Browser browser = Browser.start(folder);
                Tab tab = browser.open()) {
            HostPort target = HostPort.of("127.0.0.1", origin.port());
            for (int i = 0; i < TUNNELS; i++) {
                clients.add(operated.proxy().connect(target));
            }
            talk(clients);
            tab.look(1280, 2_400, false);
            tab.go(operated.url());
            tab.until("get('tunnels-open').textContent === '2\u202f000'");
            tab.until("get('range').textContent === '1–50 of 2\u202f000'");
            tab.until("get('origin-total').textContent === '200\u202fkB'");
            tab.until("get('client-total').textContent === '200\u202fkB'");
            tab.until("get('targets').rows[0].cells[1].textContent === '2\u202f000'");
            assertThat(tab.number("get('rows').rows.length")).isEqualTo(50);
            assertThat(tab.number("document.querySelectorAll('*').length")).isLessThan(1_500);
            assertThat(operated.ask("GET", "/tunnels?limit=50").body().length()).isLessThan(MOST_BYTES);
            tab.value("window.longest = 0; source.addEventListener('message',"
                    + " event => { longest = Math.max(longest, event.data.length); })");
            measure(browser, tab, clients);
            assertThat(tab.number("longest")).isPositive().isLessThan(MOST_BYTES);
            assertThat(tab.number("get('rows').rows.length")).isEqualTo(50);
            assertThat(tab.problems()).isEmpty();
        } finally {
            for (Peer client : clients) {
                client.close();
            }
        }
    }

    /** Each tunnel passes a message on and back. */
    private static void talk(List<Peer> clients) throws Exception {
        for (Peer client : clients) {
            client.send(new byte[MESSAGE]);
        }
        for (Peer client : clients) {
            assertThat(client.read(MESSAGE)).hasSize(MESSAGE);
        }
    }

    private static void measure(Browser browser, Tab tab, List<Peer> clients) throws Exception {
        int seconds = Integer.getInteger("page.seconds", 3);
        Map<String, Double> before = browser.cpuSeconds();
        double serverBefore = serverSeconds();
        long start = System.nanoTime();
        for (int i = 0; i < seconds; i++) {
            talk(clients.subList(0, 200)); // so that rows change
            tab.value("new Promise(next => source.addEventListener('message', () => next(1), { once: true }))");
        }
        double passed = (System.nanoTime() - start) / 1e9;
        Map<String, Double> after = browser.cpuSeconds();
        System.out.printf(
                "page with %d tunnels, CPU of a core over %.0f s: server %.1f %%, renderer %.1f %%, all of the browser %.1f %%%n",
                TUNNELS,
                passed,
                100 * (serverSeconds() - serverBefore) / passed,
                100 * (after.getOrDefault("renderer", 0.0) - before.getOrDefault("renderer", 0.0)) / passed,
                100 * (sum(after) - sum(before)) / passed);
    }

    private static double sum(Map<String, Double> seconds) {
        return seconds.values().stream().mapToDouble(Double::doubleValue).sum();
    }

    /** The CPU time of what samples, and of what answers the page. */
    private static double serverSeconds() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        Predicate<String> ours = name -> name.startsWith("broxy-mini-server-admin")
                || name.startsWith("broxy-monitor")
                || name.startsWith("HTTP-");
        long nanos = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> ours.test(thread.getName()))
                .mapToLong(thread -> Math.max(0, threads.getThreadCpuTime(thread.getId())))
                .sum();
        return nanos / 1e9;
    }
}
