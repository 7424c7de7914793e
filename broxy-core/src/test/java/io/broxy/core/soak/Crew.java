package io.broxy.core.soak;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * The threads that play the clients, one after another on each. Which clients a thread plays, and what each does, follows from
 * the seed; what happens at the same time does not.
 *
 * <p>Threading: for one thread.
 */
final class Crew {
    private static final int BRISK = 30;
    private static final int PATIENT = 12;
    private static final int NUMBERS = 1 << 16;

    /** The longest that a client has to do when the soak wants to end. */
    private static final long END_MILLIS = TimeUnit.SECONDS.toMillis(60);

    private final Scene scene;
    private final long seed;
    private final List<Role> brisk;
    private final List<Role> patient;
    private final int[] played = new int[BRISK + PATIENT];
    private final Map<Role, LongAdder> counts = new EnumMap<>(Role.class);

    Crew(Scene scene, long seed, List<Role> roles) {
        this.scene = scene;
        this.seed = seed;
        this.brisk = roles.stream().filter(role -> !role.isPatient()).toList();
        this.patient = roles.stream().filter(Role::isPatient).toList();
        roles.forEach(role -> counts.put(role, new LongAdder()));
    }

    /** Runs for a duration, and then until the started clients have finished. */
    void play(long millis) throws InterruptedException {
        CountDownLatch stop = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        for (int worker = 0; worker < played.length; worker++) {
            List<Role> roles = worker < BRISK ? brisk : patient;
            if (!roles.isEmpty()) {
                int number = worker;
                Thread thread = new Thread(() -> work(number, roles, stop), "soak-" + worker);
                thread.start();
                threads.add(thread);
            }
        }
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (System.nanoTime() - end < 0 && scene.ledger().faults().isEmpty()) {
            stop.await(Math.min(100, millis), TimeUnit.MILLISECONDS);
        }
        stop.countDown();
        long patience = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(END_MILLIS);
        for (Thread thread : threads) {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(patience - System.nanoTime())));
            if (thread.isAlive()) {
                scene.ledger().fault(thread.getName() + " has not come to its end: " + List.of(thread.getStackTrace()));
            }
        }
    }

    private void work(int worker, List<Role> roles, CountDownLatch stop) {
        while (stop.getCount() > 0) {
            int turn = played[worker]++;
            Random random = new Random(seed * 31 + ((long) worker << 32 | turn));
            random.nextInt(); // neighbours' first ones are much alike
            Role role = Role.choose(roles, random);
            play(role, worker << 16 | turn % NUMBERS, worker + "." + turn + " as " + role, random, stop);
            count(role).increment();
        }
    }

    private void play(Role role, int number, String name, Random random, CountDownLatch stop) {
        try (Client client = new Client(number, name, scene, random, stop)) {
            role.play(client);
        } catch (Throwable e) {
            scene.ledger().fault(name + ": " + e + at(e));
        }
    }

    /** Where in a role it failed. */
    private static String at(Throwable e) {
        StringBuilder places = new StringBuilder();
        for (StackTraceElement place : e.getStackTrace()) {
            if (place.getClassName().startsWith(Crew.class.getPackageName())) {
                places.append(" at ").append(place.getFileName()).append(':').append(place.getLineNumber());
            }
        }
        return e.getCause() == null ? places.toString() : places + " because of " + e.getCause();
    }

    private LongAdder count(Role role) {
        LongAdder count = counts.get(role);
        if (count == null) {
            throw new IllegalArgumentException("no client plays " + role);
        }
        return count;
    }

    /** How many there were of each role. */
    String counts() {
        StringBuilder text = new StringBuilder();
        counts.forEach((role, count) -> text.append(String.format("  %-22s %,12d%n", role, count.sum())));
        return text.toString();
    }

    /** How many there were. */
    long played() {
        return counts.values().stream().mapToLong(LongAdder::sum).sum();
    }
}
