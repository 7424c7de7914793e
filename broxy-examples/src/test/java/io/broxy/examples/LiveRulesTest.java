package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.Route;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies how a running mini-server takes a changed rule file, and keeps the old rules when the file is broken. */
@ExtendWith(LeakCheck.class)
class LiveRulesTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final HostPort TARGET = HostPort.parse("example.org:443");
    private static final String DIRECT = "rules: [{match: default, proxy: direct}]\n";
    private static final String DENY = "rules: [{match: default, proxy: deny}]\n";
    private static final String ONE = "rules: [{match: domain, value: a.example, proxy: direct}]\n";
    private static final String VIA =
            "proxies: [{name: a, type: http, host: a.example, port: 1}]\nrules: [{match: default, proxy: a}]\n";

    private final Path folder;
    private final Path file;

    LiveRulesTest(@TempDir Path folder) {
        this.folder = folder;
        this.file = folder.resolve("rules.yaml");
    }

    private LiveRules start(Broxy broxy, @Nullable ListenAddress listen) throws IOException {
        Dialer direct = broxy.directDialer().build();
        return LiveRules.start(broxy, direct, direct, file, listen, Duration.ofSeconds(10));
    }

    private void write(String content) throws IOException {
        Path next = Files.writeString(folder.resolve("next"), content);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static void awaitRoute(LiveRules rules, Route route) {
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(rules.dialer().rules().route(TARGET)).isEqualTo(route));
    }

    private static void awaitLine(CapturedLog log, String text) {
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(log.lines(text)).isNotEmpty());
    }

    @Test
    void aNewFileReplacesRulesAndProxies() throws IOException {
        write(DIRECT);
        try (CapturedLog log = CapturedLog.start();
                Broxy broxy = Broxy.create();
                LiveRules rules = start(broxy, null)) {
            assertThat(rules.dialer().rules().route(TARGET)).isEqualTo(Route.direct());
            write(VIA);
            awaitRoute(rules, Route.via("a"));
            awaitLine(log, "reloaded");

            assertThat(log.lines("rules.yaml"))
                    .singleElement()
                    .asString()
                    .contains("INFO", "reloaded: Rules[0, otherwise via a], 1 proxies");
        }
    }

    @Test
    void aConfigMapIsFollowed() throws IOException {
        ConfigMap map = ConfigMap.create(folder, DIRECT);
        try (Broxy broxy = Broxy.create();
                LiveRules rules = start(broxy, null)) {
            map.swap(DENY);
            awaitRoute(rules, Route.deny());
            map.swap(VIA);
            awaitRoute(rules, Route.via("a"));
        }
    }

    @Test
    void aBrokenFileKeepsTheOldRulesAndIsToldOnce() throws IOException {
        write(DENY);
        try (CapturedLog log = CapturedLog.start();
                Broxy broxy = Broxy.create();
                LiveRules rules = start(broxy, null)) {
            write("rules:\n  - match: default\n    proxy: nowhere\n");
            awaitLine(log, "old rules stay");
            Files.writeString(folder.resolve("beside"), "an event that says nothing new");
            assertThat(rules.dialer().rules().route(TARGET)).isEqualTo(Route.deny());
            write(DIRECT);
            awaitRoute(rules, Route.direct());

            assertThat(log.lines("WARN"))
                    .singleElement()
                    .asString()
                    .contains(file + ":3:12: unknown proxy \"nowhere\"; the old rules stay");
        }
    }

    @Test
    void aFileThatIsGoneKeepsTheOldRules() throws IOException {
        write(DENY);
        try (CapturedLog log = CapturedLog.start();
                Broxy broxy = Broxy.create();
                LiveRules rules = start(broxy, null)) {
            Files.delete(file);
            awaitLine(log, file + ": no such file; the old rules stay");
            assertThat(rules.dialer().rules().route(TARGET)).isEqualTo(Route.deny());
        }
    }

    @Test
    void listeningElsewhereTakesARestart() throws IOException {
        write("server: {port: 1}\n" + DIRECT);
        try (CapturedLog log = CapturedLog.start();
                Broxy broxy = Broxy.create();
                LiveRules rules = start(broxy, null)) {
            write("server: {port: 2}\n" + DENY);
            awaitRoute(rules, Route.deny());
            awaitLine(log, "WARN");

            assertThat(rules.listen()).hasToString("127.0.0.1:1");
            assertThat(log.lines("WARN"))
                    .singleElement()
                    .asString()
                    .contains(
                            "the listening address is now 127.0.0.1:2, which takes a restart; still listening on 127.0.0.1:1");
        }
    }

    @Test
    void theOptionForListeningHasTheLastWord() throws IOException {
        write("server: {port: 1}\n" + DIRECT);
        try (CapturedLog log = CapturedLog.start();
                Broxy broxy = Broxy.create();
                LiveRules rules = start(broxy, new ListenAddress("::1", 7))) {
            write("server: {port: 2}\n" + DENY);
            awaitRoute(rules, Route.deny());
            write(DIRECT);
            awaitRoute(rules, Route.direct());

            assertThat(rules.listen()).hasToString("[::1]:7");
            assertThat(log.lines("WARN")).isEmpty();
        }
    }

    @Test
    void aFileWithoutADefaultIsWarnedOfAtTheStartAndWhenItIsReloaded() throws IOException {
        String warning =
                "there is no default rule (match: default), so targets that no rule matches are refused with 403";
        write(ONE);
        try (CapturedLog log = CapturedLog.start();
                Broxy broxy = Broxy.create();
                LiveRules rules = start(broxy, null)) {
            assertThat(log.lines("WARN")).singleElement().asString().contains(file + ": " + warning);
            assertThat(rules.dialer().rules().route(TARGET)).isEqualTo(Route.deny());
            write(DIRECT);
            awaitRoute(rules, Route.direct());
            awaitLine(log, "reloaded");
            assertThat(log.lines("WARN")).hasSize(1);
            write(ONE);
            awaitRoute(rules, Route.deny());
            awaitLine(log, "Rules[1, otherwise denied], 0 proxies; " + warning);

            assertThat(log.lines("WARN")).hasSize(2);
            assertThat(log.lines("reloaded")).hasSize(2);
        }
    }

    @Test
    void aReloadReadsTheFileEvenIfNothingHasChanged() throws IOException {
        write(DENY);
        try (Broxy broxy = Broxy.create();
                LiveRules rules = start(broxy, null)) {
            assertThat(rules.live().reload())
                    .isEqualTo(new LiveFile.Outcome(false, file + ": reloaded: Rules[0, otherwise denied], 0 proxies"));
            rules.close(); // so that nothing but the reload reads what is written next

            write(VIA);
            assertThat(rules.live().reload().text()).endsWith(": reloaded: Rules[0, otherwise via a], 1 proxies");
            assertThat(rules.dialer().rules().route(TARGET)).isEqualTo(Route.via("a"));
            write("rules: 5\n");
            assertThat(rules.live().reload())
                    .isEqualTo(new LiveFile.Outcome(
                            true, file + ":1:8: rules must be a list, found '5'; the old rules stay"));
            assertThat(rules.dialer().rules().route(TARGET)).isEqualTo(Route.via("a"));
        }
    }

    @Test
    void aBrokenFileIsNoBeginning() throws IOException {
        write("rules: []\n");
        try (Broxy broxy = Broxy.create()) {
            assertThatThrownBy(() -> start(broxy, null))
                    .isInstanceOf(ConfigFileException.class)
                    .hasMessage(file + ":1:8: rules must not be empty");
        }
    }

    @Test
    void aProxyInBothFilesKeepsItsDialerUnlessThePoolChanges() throws IOException {
        try (Broxy broxy = Broxy.create()) {
            Upstreams first =
                    Upstreams.of(broxy, broxy.directDialer().build(), RuleFile.parse(file, VIA.getBytes(UTF_8)));
            Upstreams same = first.next(RuleFile.parse(file, (VIA + "server: {port: 5}").getBytes(UTF_8)));
            Upstreams pool = same.next(RuleFile.parse(file, (VIA + "pool: {max_idle_total: 5}").getBytes(UTF_8)));

            assertThat(same.pool()).isSameAs(first.pool());
            assertThat(same.hops().get("a")).isSameAs(first.hops().get("a"));
            assertThat(pool.pool()).isNotSameAs(first.pool());
            assertThat(pool.hops().get("a")).isNotSameAs(first.hops().get("a"));
        }
    }
}
