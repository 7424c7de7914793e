package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how events reach pages that read quickly, slowly and not at all. */
@ExtendWith(LeakCheck.class)
class EventStreamTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final String FIRST = "retry: 2000\n\ndata: \"first\"\n\n";

    /** The test ticks itself. */
    private static final long TICK_MILLIS = Duration.ofHours(1).toMillis();

    /** More than the system buffers between two sockets of the loopback. */
    private static final String LARGE = "\"" + "x".repeat(8 << 20) + "\"";

    /** Enough for an event of some size on a slow machine. */
    private final WriteLimit limit = new WriteLimit(2_000);

    private final WriteLimit longLimit = new WriteLimit(Peer.PATIENCE_MILLIS);
    private final AtomicInteger ticks = new AtomicInteger();
    private final List<Peer> pages = new ArrayList<>();
    private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);

    EventStreamTest() throws IOException {
        server.start();
    }

    private EventStream serve(Supplier<String> next) {
        return serve(next, limit);
    }

    private EventStream serve(Supplier<String> next, WriteLimit limit) {
        EventStream stream = new EventStream(() -> "\"first\"", next, TICK_MILLIS);
        server.createContext("/", exchange -> stream.serve(new AdminRequest(exchange, limit)));
        return stream;
    }

    private Peer request() throws IOException {
        Peer page = Peer.connect(server.getAddress());
        pages.add(page);
        return page.send("GET / HTTP/1.0\r\n\r\n");
    }

    /** A page that has its first event. */
    private Peer page() throws IOException {
        Peer page = request();
        assertThat(page.readHead()).startsWith("HTTP/1.1 200 ");
        assertThat(page.readText(FIRST.length())).isEqualTo(FIRST);
        return page;
    }

    @AfterEach
    void close() throws IOException {
        for (Peer page : pages) {
            page.close();
        }
        server.stop(0);
        limit.close();
        longLimit.close();
    }

    @Test
    void aPageGetsTheFirstEventAndThenThoseOfEachTick() throws Exception {
        try (EventStream stream = serve(() -> String.valueOf(ticks.incrementAndGet()))) {
            Peer page = page();
            for (int i = 1; i <= 3; i++) {
                stream.tick();
                assertThat(page.readText("data: 1\n\n".length())).isEqualTo("data: " + i + "\n\n");
            }
        }
    }

    @Test
    void withoutAPageNothingIsMade() throws Exception {
        try (EventStream stream = serve(() -> String.valueOf(ticks.incrementAndGet()))) {
            stream.tick();
            assertThat(ticks).hasValue(0);
            Peer page = page();
            page.close();
            await().atMost(PATIENCE).until(() -> {
                stream.tick(); // which finds out that the page has gone
                return stream.readers() == 0;
            });
            int before = ticks.get();
            stream.tick();

            assertThat(ticks).hasValue(before);
        }
    }

    @Test
    void aPageThatDoesNotReadIsDroppedAndHoldsUpNoOther() throws Exception {
        String data = "\"" + "x".repeat(64 * 1024) + "\"";
        String event = "data: " + data + "\n\n";
        try (EventStream stream = serve(() -> data)) {
            Peer stalled = page();
            Peer reading = page();
            await().atMost(PATIENCE)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> {
                        stream.tick();
                        assertThat(reading.readText(event.length())).isEqualTo(event);
                        return stream.readers() == 1;
                    });
            stream.tick();
            assertThat(reading.readText(event.length())).isEqualTo(event);
            assertThat(stalled.readAll()).startsWith(event);
        }
    }

    @Test
    void aPageThatReadsSlowlySkipsEvents() throws Exception {
        try (EventStream stream = serve(() -> "\"" + ticks.incrementAndGet() + LARGE.substring(1), longLimit)) {
            Peer page = page();
            for (int i = 0; i < 5; i++) {
                stream.tick();
            }
            String event = "data: \"1" + LARGE.substring(1) + "\n\n";
            List<Character> numbers = new ArrayList<>();
            do {
                numbers.add(page.readText(event.length()).charAt("data: \"".length()));
            } while (numbers.get(numbers.size() - 1) != '5');

            assertThat(numbers).hasSizeLessThan(4);
        }
    }

    @Test
    void thereIsALimitOnPages() throws Exception {
        try (EventStream stream = serve(() -> "1")) {
            for (int i = 0; i < EventStream.MOST_READERS; i++) {
                page();
            }
            assertThat(request().readHead())
                    .startsWith("HTTP/1.1 503 ")
                    .containsIgnoringCase("\r\nRetry-After: 10\r\n");
            pages.get(0).close();
            await().atMost(PATIENCE).until(() -> {
                stream.tick();
                return request().readHead().startsWith("HTTP/1.1 200 ");
            });
        }
    }

    @Test
    void itsEndIsTheEndOfEachStream() throws Exception {
        Peer page;
        try (EventStream stream = serve(() -> "1")) {
            page = page();
            assertThat(stream.readers()).isEqualTo(1);
        }
        page.expectEnd();
    }

    @Test
    void figuresThatCannotBeMadeAreMissingOnce() throws Exception {
        try (CapturedLog log = CapturedLog.start();
                EventStream stream = serve(() -> {
                    if (ticks.incrementAndGet() == 1) {
                        throw new IllegalStateException("a test");
                    }
                    return "2";
                })) {
            Peer page = page();
            stream.tick();
            stream.tick();
            assertThat(page.readText("data: 2\n\n".length())).isEqualTo("data: 2\n\n");
            assertThat(log.lines("the admin page gets no figures")).hasSize(1);
        }
    }
}
