package io.broxy.core.dialing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyReply;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Specifies that each of 10,000 dials over pooled connections to a proxy that refuses them all gets the response to
 * its own target. Twelve dials run at once, each followed by the next without a pause; the responses have bodies of
 * many lengths, by {@code Content-Length} and in chunks, and arrive in segments that are cut anywhere.
 */
@Tag("sweep")
@ExtendWith(LeakCheck.class)
class RefusedDialsStressTest {
    private static final int DIALS = 2_500;
    private static final int CALLERS = 12;
    private static final int[] STATUSES = {403, 404, 407, 502, 503};

    /** The proxy's treatment of its connection after an answer. */
    private enum Habit {
        /** Keeps it. */
        KEEPS,
        /** Closes one in three, and says so or does not. */
        CLOSES,
        /** Sends stray bytes after one answer in ten, immediately or later. */
        SPOILS,
        /** All of these. */
        MIXES
    }

    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger connections = new AtomicInteger();
    private final Map<String, Integer> ends = new ConcurrentHashMap<>();

    @ParameterizedTest
    @EnumSource(Habit.class)
    void everyDialGetsItsAnswer(Habit habit) throws Exception {
        try (Origin proxy =
                        Origin.start(peer -> serve(peer, habit, new SplittableRandom(connections.getAndIncrement())));
                Broxy broxy = Broxy.builder().eventLoops(2).build();
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer dialer =
                    broxy.httpProxyDialer(proxy.target()).pool(pool).build();
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                boolean blocking = i % 2 == 0;
                Thread caller = new Thread(() -> dialAll(dialer, blocking), "caller-" + i);
                caller.start();
                callers.add(caller);
            }
            for (Thread caller : callers) {
                caller.join(TimeUnit.MINUTES.toMillis(2));
                assertThat(caller.isAlive()).isFalse();
            }
            assertThat(ends).containsExactly(Map.entry("answered", DIALS));
            assertThat(pool.stats().reused()).isGreaterThan(DIALS / 10);
            assertThat(pool.stats().leased()).isZero();
        }
    }

    private void dialAll(HttpProxyDialer dialer, boolean blocking) {
        for (int number; (number = begun.incrementAndGet()) <= DIALS; ) {
            HostPort target = HostPort.of("n" + number + ".example", 443);
            ends.merge(dial(dialer, target, blocking), 1, Integer::sum);
        }
    }

    private static String dial(HttpProxyDialer dialer, HostPort target, boolean blocking) {
        try {
            if (blocking) {
                dialer.dial(target).close();
            } else {
                dialer.dialAsync(DialRequest.to(target), Runnable::run).get().close();
            }
            return "a tunnel";
        } catch (DialException e) {
            return told(e, target);
        } catch (ExecutionException e) {
            return e.getCause() instanceof DialException failure ? told(failure, target) : e.toString();
        } catch (IOException | InterruptedException e) {
            return e.toString();
        }
    }

    private static String told(DialException failure, HostPort target) {
        ProxyReply reply = failure.proxyReply();
        if (reply == null) {
            return failure.reason() + " " + failure.getCause();
        }
        boolean own = reply.fields().stream()
                .anyMatch(field -> field.name().equals("X-For") && field.value().equals(target.toString()));
        return own ? "answered" : "the answer to another dial";
    }

    // ------------------------------------------------------------------ the proxy

    private static void serve(Peer peer, Habit habit, SplittableRandom random) throws Exception {
        while (true) {
            String target = peer.readHead().split(" ", 3)[1];
            boolean closes = (habit == Habit.CLOSES || habit == Habit.MIXES) && random.nextInt(3) == 0;
            boolean spoils = (habit == Habit.SPOILS || habit == Habit.MIXES) && random.nextInt(10) == 0;
            byte[] answer =
                    answer(target, closes && random.nextBoolean(), random).getBytes(ISO_8859_1);
            for (int at = 0, segments = random.nextInt(5); at < answer.length; segments--) {
                int end = segments <= 0 ? answer.length : at + 1 + random.nextInt(answer.length - at);
                peer.send(Arrays.copyOfRange(answer, at, end));
                at = end;
                pause(random);
            }
            if (closes) {
                return;
            }
            if (spoils) {
                peer.send(random.nextBoolean() ? "the rest of a body that is longer than said" : "\r\n\r\n");
                pause(random);
                if (random.nextBoolean()) {
                    return;
                }
            }
        }
    }

    /** So that segments stay apart, now and then. */
    private static void pause(SplittableRandom random) throws InterruptedException {
        if (random.nextInt(3) == 0) {
            TimeUnit.MICROSECONDS.sleep(random.nextInt(500));
        }
    }

    private static String answer(String target, boolean close, SplittableRandom random) {
        String body = "b".repeat(random.nextInt(random.nextBoolean() ? 50 : 6_000));
        StringBuilder answer = new StringBuilder("HTTP/1.1 ")
                .append(STATUSES[random.nextInt(STATUSES.length)])
                .append(" No\r\nX-For: ")
                .append(target)
                .append(close ? "\r\nConnection: close\r\n" : "\r\n");
        if (random.nextBoolean()) {
            return answer.append("Content-Length: ")
                    .append(body.length())
                    .append("\r\n\r\n")
                    .append(body)
                    .toString();
        }
        answer.append("Transfer-Encoding: chunked\r\n\r\n");
        for (int at = 0, size; at < body.length(); at += size) {
            size = 1 + random.nextInt(body.length() - at);
            answer.append(Integer.toHexString(size))
                    .append("\r\n")
                    .append(body, at, at + size)
                    .append("\r\n");
        }
        return answer.append("0\r\n\r\n").toString();
    }
}
