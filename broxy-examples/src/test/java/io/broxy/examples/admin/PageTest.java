package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies what the operator's page shows, in a real browser. Skipped where there is none. */
@ExtendWith(LeakCheck.class)
class PageTest {
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

    @Test
    void itShowsWhatRuns() throws Exception {
        try (Origin origin = Origin.echo();
                OperatedProxy operated = OperatedProxy.start();
                Peer client = operated.proxy().connect(origin.target());
                Tab tab = browser.open()) {
            tab.look(1280, 900, false);
            tab.go(operated.url());
            tab.until("get('state').textContent === 'serving'");
            tab.until("get('tunnels-open').textContent === '1'");
            tab.until("get('rows').rows.length === 1");
            Files.write(Path.of("/tmp/shot1.png"), tab.screenshot());
            tab.look(360, 900, true);
            Files.write(Path.of("/tmp/shot2.png"), tab.screenshot());
            assertThat(tab.problems()).isEmpty();
        }
    }
}
