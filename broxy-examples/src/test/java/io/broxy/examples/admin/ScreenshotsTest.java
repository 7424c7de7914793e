package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Specifies that a proxy at work fits on the page, and makes the pictures in {@code docs}. It runs only when it is asked to:
 * {@code -Dpage.screenshots=../docs}, and takes {@code -Dpage.screenshots.seconds}, ten minutes, to fill the line.
 */
@EnabledIfSystemProperty(named = "page.screenshots", matches = ".+")
class ScreenshotsTest {

    @Test
    void aProxyAtWorkFitsOnThePage(@TempDir Path folder) throws Exception {
        Path pictures = Path.of(System.getProperty("page.screenshots"));
        int seconds = Integer.getInteger("page.screenshots.seconds", 600);
        try (Scene scene = new Scene();
                Browser browser = Browser.start(folder);
                Tab tab = browser.open()) {
            for (int i = 0; i < seconds; i++) {
                scene.second(i);
            }
            tab.look(1_280, 2_400, false);
            tab.go(scene.operated().url());
            tab.until("get('rows').rows.length > 40");
            scene.second(seconds);
            scene.second(seconds + 1);
            shoot(tab, 1_280, 1_400, false, pictures.resolve("mini-server-light.png"));
            shoot(tab, 1_280, 1_400, true, pictures.resolve("mini-server-dark.png"));
            shoot(tab, 360, 2_900, false, pictures.resolve("mini-server-narrow.png"));
            assertThat(tab.problems()).isEmpty();
        }
    }

    private static void shoot(Tab tab, int width, int height, boolean dark, Path file) throws Exception {
        tab.look(width, height, dark);
        tab.until("innerWidth === " + width);
        tab.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
        assertThat(tab.holds("document.documentElement.scrollWidth <= innerWidth"))
                .isTrue();
        Files.write(file, tab.screenshot(width, height));
    }
}
