package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
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
        AtomicInteger played = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        try (Scene scene = new Scene();
                Browser browser = Browser.start(folder);
                Tab tab = browser.open()) {
            Thread player = new Thread(() -> play(scene, played, over), "scene");
            player.start();
            await().atMost(Duration.ofSeconds(2L * seconds + 60)).until(() -> played.get() > seconds);
            tab.look(1_280, 2_400, false);
            tab.go(scene.operated().url());
            tab.until("get('rows').rows.length > 40");
            tab.until("ticks > 4");
            shoot(tab, 1_280, 1_400, false, pictures.resolve("mini-server-light.png"));
            shoot(tab, 1_280, 1_400, true, pictures.resolve("mini-server-dark.png"));
            shoot(tab, 360, 2_900, false, pictures.resolve("mini-server-narrow.png"));
            assertThat(tab.problems()).isEmpty();
            over.set(true);
            player.join();
        } finally {
            over.set(true);
        }
    }

    private static void play(Scene scene, AtomicInteger played, AtomicBoolean over) {
        try {
            while (!over.get()) {
                scene.second(played.getAndIncrement());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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
