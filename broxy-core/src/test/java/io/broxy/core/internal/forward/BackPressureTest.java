package io.broxy.core.internal.forward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.core.internal.forward.ForwardRig.Client;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies that the slow side of an exchange slows the fast one, in both directions, with a bound on the bytes held.
 */
@ExtendWith(LeakCheck.class)
class BackPressureTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final long MIB = 1 << 20;

    /** More than the buffers of all sockets on the way together. */
    private static final long BODY = 24 * MIB;

    /** One remainder, and what of a message was read too far. */
    private static final long MOST_HELD = LoopBuffers.MAX_READ + LoopBuffers.STAGING;

    private final AtomicLong written = new AtomicLong();

    private OutputStream counting(OutputStream out) {
        return new FilterOutputStream(out) {
            @Override
            public void write(byte[] bytes, int from, int count) throws IOException {
                out.write(bytes, from, count);
                written.addAndGet(count);
            }
        };
    }

    /** Waits until writes block, and the loop holds what it could not pass on. */
    private void awaitStandstill(ForwardRig rig) {
        AtomicLong before = new AtomicLong(-1);
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(50)).until(() -> {
            long now = written.get();
            return now == before.getAndSet(now) && rig.buffers.heldBytes() > 0;
        });
    }

    private static String chunkedOrNot(boolean chunked) {
        return chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + BODY;
    }

    private String writeBody(OutputStream to, boolean chunked) throws IOException {
        OutputStream out = counting(to);
        return chunked ? Chunks.write(out, BODY, 1) : Payload.write(out, BODY, 1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClientThatDoesNotReadStopsTheOrigin(boolean chunked) throws Exception {
        CompletableFuture<String> sent = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    ForwardRig.sizeBuffers(peer);
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n" + chunkedOrNot(chunked) + "\r\n\r\n");
                    sent.complete(writeBody(peer.socket().getOutputStream(), chunked));
                    peer.expectEnd();
                });
                ForwardRig rig = new ForwardRig();
                Client client = rig.client()) {
            client.peer().send(Http.get(origin.target(), "/"));
            client.peer().readHead();
            awaitStandstill(rig);

            assertThat(sent).isNotDone();
            assertThat(rig.buffers.heldBytes()).isPositive().isLessThanOrEqualTo(MOST_HELD);
            assertThat(Chunks.read(client.peer().socket().getInputStream(), chunked ? -1 : BODY))
                    .isEqualTo(sent.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS));
            client.peer().close();
            assertThat(client.end().reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(rig.buffers.heldBytes()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anOriginThatDoesNotReadStopsTheClient(boolean chunked) throws Exception {
        CountDownLatch read = new CountDownLatch(1);
        CompletableFuture<String> got = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    ForwardRig.sizeBuffers(peer);
                    peer.readHead();
                    read.await();
                    got.complete(Chunks.read(peer.socket().getInputStream(), chunked ? -1 : BODY));
                    peer.send(Http.ok("thanks"));
                    peer.expectEnd();
                });
                ForwardRig rig = new ForwardRig();
                Client client = rig.client()) {
            client.peer().send(Http.request("POST", origin.target(), "/", chunkedOrNot(chunked)));
            CompletableFuture<String> sent =
                    Background.supply(() -> writeBody(client.peer().socket().getOutputStream(), chunked));
            awaitStandstill(rig);

            assertThat(sent).isNotDone();
            assertThat(rig.buffers.heldBytes()).isPositive().isLessThanOrEqualTo(MOST_HELD);
            read.countDown();
            assertThat(got.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isEqualTo(sent.join());
            assertThat(Http.read(client.peer()).body()).isEqualTo("thanks");
            assertThat(rig.buffers.heldBytes()).isZero();
        }
    }

    @Test
    void aClientThatGoesLeavesNothingHeld() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    ForwardRig.sizeBuffers(peer);
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n" + chunkedOrNot(false) + "\r\n\r\n");
                    writeBody(peer.socket().getOutputStream(), false);
                });
                ForwardRig rig = new ForwardRig();
                Client client = rig.client()) {
            client.peer().send(Http.get(origin.target(), "/") + Http.get(origin.target(), "/pipelined"));
            client.peer().readHead();
            awaitStandstill(rig);
            assertThat(rig.buffers.heldBytes()).isPositive();

            client.peer().reset();

            assertThat(client.end().reason()).isEqualTo(CloseReason.CLIENT_GONE);
            await().atMost(PATIENCE).until(() -> rig.buffers.heldBytes() == 0);
        }
    }

    @Test
    void theClientGetsWhatIsHeldBeforeItSeesTheCut() throws Exception {
        CountDownLatch cut = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    ForwardRig.sizeBuffers(peer);
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n" + chunkedOrNot(false) + "\r\n\r\n");
                    Background.run(() -> writeBody(peer.socket().getOutputStream(), false));
                    cut.await();
                    peer.close(); // in the middle; what the kernel has still comes
                    closed.countDown();
                });
                ForwardRig rig = new ForwardRig();
                Client client = rig.client()) {
            client.peer().send(Http.get(origin.target(), "/"));
            client.peer().readHead();
            awaitStandstill(rig);
            cut.countDown();
            assertThat(closed.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();

            long count = client.peer().socket().getInputStream().transferTo(OutputStream.nullOutputStream());
            assertThat(count).isPositive().isLessThan(BODY);
            client.peer().close();
            assertThat(client.end().reason()).isEqualTo(CloseReason.ORIGIN_RESET);
            assertThat(rig.buffers.heldBytes()).isZero();
        }
    }

    @Test
    void tenMebibytesGoBothWaysAtOnceOverSeveralConnections() throws Exception {
        long size = 10 * MIB;
        int many = 4;
        CountDownLatch asked = new CountDownLatch(many); // an echo is no origin for a second request
        try (Origin echo = Origin.start(peer -> {
                    boolean chunked = peer.readHead().contains("chunked");
                    asked.countDown();
                    assertThat(asked.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                            .isTrue();
                    String framing = chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + size;
                    peer.send("HTTP/1.1 200 OK\r\n" + framing + "\r\n\r\n"); // before the request is whole
                    peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                });
                ForwardRig rig = new ForwardRig()) {
            List<Client> clients = new ArrayList<>();
            List<CompletableFuture<String>> sent = new ArrayList<>();
            List<CompletableFuture<String>> got = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                boolean chunked = i % 2 == 0;
                String framing = chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + size;
                Client client = rig.client();
                clients.add(client);
                int seed = i;
                sent.add(Background.supply(() -> {
                    client.peer().send(Http.request("POST", echo.target(), "/", framing));
                    OutputStream out = client.peer().socket().getOutputStream();
                    return chunked ? Chunks.write(out, size, seed) : Payload.write(out, size, seed);
                }));
                got.add(Background.supply(() -> {
                    assertThat(client.peer().readHead()).startsWith("HTTP/1.1 200 OK\r\n");
                    return Chunks.read(client.peer().socket().getInputStream(), chunked ? -1 : size);
                }));
            }
            for (int i = 0; i < clients.size(); i++) {
                assertThat(got.get(i).join()).isEqualTo(sent.get(i).join());
                clients.get(i).peer().expectEnd();
                clients.get(i).close();
                assertThat(clients.get(i).end().reason()).isEqualTo(CloseReason.FINISHED);
            }
            assertThat(rig.buffers.heldBytes()).isZero();
        }
    }
}
