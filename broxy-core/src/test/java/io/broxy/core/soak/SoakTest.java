package io.broxy.core.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.core.testkit.LeakCheck;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Specifies that nothing is left of good and hostile clients of every kind at once, and that every byte is accounted for.
 *
 * <p>It lasts {@code -Dsoak.seconds}; in an ordinary build two, to keep it working. {@code -Dsoak.seed} repeats the clients
 * of another run, {@code -Dsoak.roles=TALK,FLOOD} runs some kinds only, {@code -Dsoak.roles=-TALK,-FLOOD} all but some.
 */
@Tag("soak")
@ExtendWith(LeakCheck.class)
class SoakTest {
    private static final long SECONDS = Long.getLong("soak.seconds", 2);
    private static final long SEED = Long.getLong("soak.seed", new Random().nextInt());
    private static final String ROLES = System.getProperty("soak.roles", "");

    /** From there on it is worth looking whether memory grows. */
    private static final long LONG_SECONDS = 60;

    private static final int ROUNDS = 6;

    /** Slow peers are waited for, with the timeouts of {@link Scene}. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Test
    void nothingIsLeftOfAnybodyAndEveryByteIsAccountedFor() throws Exception {
        assumeTrue(clientsHaveAddresses(), "clients cannot have addresses of their own here");
        System.out.printf("soak.seconds=%d soak.seed=%d%n", SECONDS, SEED);
        int rounds = SECONDS < LONG_SECONDS ? 1 : ROUNDS;
        List<Sample> samples = new ArrayList<>();
        List<String> faults = new ArrayList<>();
        int threadsBefore = threads().size();
        try (Scene scene = new Scene()) {
            Crew crew = new Crew(scene, SEED, Role.named(ROLES));
            int before = LeakCheck.descriptors().size();
            for (int round = 0; round < rounds && scene.ledger().faults().isEmpty(); round++) {
                crew.play(TimeUnit.SECONDS.toMillis(SECONDS) / rounds);
                awaitQuiet(scene);
                samples.add(Sample.take(scene, crew));
            }
            faults.addAll(scene.drain(Duration.ofSeconds(5)) ? List.of() : List.of("a client was served to the last"));
            faults.addAll(scene.faults());
            show(scene, crew, samples);
            assertThat(faults).as("faults, with soak.seed=%s", SEED).isEmpty();
            assertNothingIsLeft(before, samples);
            assertThat(crew.played()).isPositive();
        }
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(threads()).as("threads").hasSizeLessThanOrEqualTo(threadsBefore));
    }

    /** By name; those of the JVM itself, and the one that asks, aside. */
    private static List<String> threads() {
        Thread[] threads = new Thread[Thread.activeCount() + 100];
        int count = Thread.enumerate(threads);
        return Arrays.stream(threads, 0, count)
                .map(Thread::getName)
                .filter(name -> !name.startsWith("awaitility"))
                .toList();
    }

    /** Otherwise the faults name the remaining clients. */
    private static void awaitQuiet(Scene scene) {
        if (scene.ledger().faults().isEmpty()) {
            try {
                await().pollInterval(Duration.ofMillis(10)).atMost(PATIENCE).until(scene::isQuiet);
            } catch (ConditionTimeoutException e) {
                scene.ledger().fault("a client was left when all had gone: " + scene.stats());
            }
        }
    }

    private static void assertNothingIsLeft(int descriptorsBefore, List<Sample> samples) {
        Sample first = samples.get(0);
        Sample last = samples.get(samples.size() - 1);
        assertThat(last.held()).as("bytes that are held for slow peers").isZero();
        assertThat(last.descriptors()).as("sockets and selectors").isLessThanOrEqualTo(descriptorsBefore);
        if (SECONDS >= LONG_SECONDS) {
            assertThat(last.growthSince(first)).as("what has grown").isEmpty();
        }
    }

    private static void show(Scene scene, Crew crew, List<Sample> samples) {
        StringBuilder table = new StringBuilder();
        table.append(String.format("%s%nclients, by role:%n%s", System.getProperty("java.vm.version"), crew.counts()));
        table.append(
                String.format("what they have counted: %s%n", scene.ledger().clients()));
        table.append(String.format("at rest, one round after another:%n%s", Sample.heading()));
        samples.forEach(sample -> table.append(sample.line()));
        System.out.print(table);
    }

    /** Linux has all of 127/8; elsewhere it may be one address. */
    private static boolean clientsHaveAddresses() {
        try (ServerSocket probe = new ServerSocket()) {
            probe.bind(new InetSocketAddress(InetAddress.getByAddress(Ledger.address(1)), 0));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
