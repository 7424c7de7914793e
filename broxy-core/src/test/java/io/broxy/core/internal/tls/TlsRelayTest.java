package io.broxy.core.internal.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.internal.net.NetEngine;
import io.broxy.core.internal.net.PeerEndedException;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.TlsOrigin;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that a relay with a TLS side moves bytes, back-pressure, ends and resets like a plain one. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class TlsRelayTest {
    private static final String TLS13 = "TLSv1.3";
    private static final String TLS12 = "TLSv1.2";
    private static final int MIB = 1 << 20;

    private final SSLContext server = Certificates.loopback().server();
    private final SSLContext client = Certificates.loopback().client();
    private NetEngine engine;

    @BeforeEach
    void start() throws Exception {
        engine = new NetEngine();
    }

    @AfterEach
    void stop() throws Exception {
        engine.close();
    }

    private TlsConnection secure(Origin origin) throws Exception {
        return engine.secure(NetEngine.connect(origin.port()), client, HostPort.of("localhost", origin.port()));
    }

    private TunnelResult relay(Connection plain, Connection secure) throws Exception {
        return NetEngine.patiently(engine.copier.relay(plain, secure).completion());
    }

    private static boolean relayThreads() {
        return LeakCheck.engineThreads().stream().anyMatch(name -> name.startsWith("broxy-stream-"));
    }

    /** Sends so much and tells its digest, then reads to the end and tells its digest. */
    private static Origin.Script exchange(
            int bytes, long seed, CompletableFuture<String> sent, CompletableFuture<String> received) {
        return peer -> {
            Thread writer = new Thread(() -> {
                try {
                    sent.complete(Payload.write(peer.socket().getOutputStream(), bytes, seed));
                    peer.shutdownOutput();
                } catch (IOException e) {
                    sent.completeExceptionally(e);
                }
            });
            writer.start();
            received.complete(Payload.read(peer.socket().getInputStream()));
            writer.join();
        };
    }

    @Test
    void carriesManyBytesBothWaysOnALoop() throws Exception {
        CompletableFuture<String> sentPlain = new CompletableFuture<>();
        CompletableFuture<String> gotPlain = new CompletableFuture<>();
        CompletableFuture<String> sentSecure = new CompletableFuture<>();
        CompletableFuture<String> gotSecure = new CompletableFuture<>();
        try (Origin plain = Origin.start(exchange(8 * MIB, 1, sentPlain, gotPlain));
                Origin secure = TlsOrigin.start(server, exchange(8 * MIB, 2, sentSecure, gotSecure), TLS13)) {
            TunnelResult end = relay(NetEngine.connect(plain.port()), secure(secure));
            assertThat(relayThreads()).as("threads of a blocking relay").isFalse();
            assertThat(end.reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(end.bytesToOrigin()).isEqualTo(8 * MIB);
            assertThat(end.bytesToClient()).isEqualTo(8 * MIB);
            assertThat(NetEngine.patiently(gotSecure)).isEqualTo(NetEngine.patiently(sentPlain));
            assertThat(NetEngine.patiently(gotPlain)).isEqualTo(NetEngine.patiently(sentSecure));
        }
    }

    @Test
    void carriesManyBytesBetweenTwoSecureConnections() throws Exception {
        CompletableFuture<String> sentOne = new CompletableFuture<>();
        CompletableFuture<String> gotOne = new CompletableFuture<>();
        CompletableFuture<String> sentOther = new CompletableFuture<>();
        CompletableFuture<String> gotOther = new CompletableFuture<>();
        try (Origin one = TlsOrigin.start(server, exchange(MIB, 1, sentOne, gotOne), TLS13);
                Origin other = TlsOrigin.start(server, exchange(MIB, 2, sentOther, gotOther), TLS13)) {
            assertThat(relay(secure(one), secure(other)).reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(NetEngine.patiently(gotOther)).isEqualTo(NetEngine.patiently(sentOne));
            assertThat(NetEngine.patiently(gotOne)).isEqualTo(NetEngine.patiently(sentOther));
        }
    }

    @Test
    void stopsTheSenderWhenTheSecureSideReadsNothing() throws Exception {
        CompletableFuture<Void> go = new CompletableFuture<>();
        CompletableFuture<String> sent = new CompletableFuture<>();
        CompletableFuture<String> got = new CompletableFuture<>();
        try (Origin plain = Origin.start(peer -> {
                    sent.complete(Payload.write(peer.socket().getOutputStream(), 32 * MIB, 1));
                    peer.shutdownOutput().expectEnd();
                });
                Origin secure = TlsOrigin.start(
                        server,
                        peer -> {
                            NetEngine.patiently(go);
                            got.complete(Payload.read(peer.socket().getInputStream()));
                        },
                        TLS13)) {
            Tunnel tunnel = engine.copier.relay(NetEngine.connect(plain.port()), secure(secure));
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> engine.buffers.heldBytes() > 0 && isStill(tunnel));
            assertThat(tunnel.bytesToOrigin()).isLessThan(32 * MIB);
            assertThat(engine.buffers.heldBytes()).isLessThanOrEqualTo(MIB + (64 << 10));
            assertThat(sent).isNotDone();
            go.complete(null);
            assertThat(NetEngine.patiently(tunnel.completion()).reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(NetEngine.patiently(got)).isEqualTo(NetEngine.patiently(sent));
        }
    }

    private boolean isStill(Tunnel tunnel) throws Exception {
        long before = tunnel.bytesToOrigin();
        for (int i = 0; i < 50; i++) {
            engine.onLoop(() -> null);
        }
        return tunnel.bytesToOrigin() == before;
    }

    @Test
    void stopsTheSecureSenderWhenThePlainSideReadsNothing() throws Exception {
        CompletableFuture<Void> go = new CompletableFuture<>();
        CompletableFuture<String> sent = new CompletableFuture<>();
        CompletableFuture<String> got = new CompletableFuture<>();
        try (Origin plain = Origin.start(peer -> {
                    NetEngine.patiently(go);
                    got.complete(Payload.read(peer.socket().getInputStream()));
                });
                Origin secure = TlsOrigin.start(
                        server,
                        peer -> {
                            sent.complete(Payload.write(peer.socket().getOutputStream(), 32 * MIB, 1));
                            peer.shutdownOutput().expectEnd();
                        },
                        TLS13)) {
            Tunnel tunnel = engine.copier.relay(NetEngine.connect(plain.port()), secure(secure));
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS)).until(() -> engine.buffers.heldBytes() > 0);
            assertThat(tunnel.bytesToClient()).isLessThan(32 * MIB);
            assertThat(sent).isNotDone();
            go.complete(null);
            assertThat(NetEngine.patiently(tunnel.completion()).reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(NetEngine.patiently(got)).isEqualTo(NetEngine.patiently(sent));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void passesOnTheEndOfTheSecureSide(String protocol) throws Exception {
        try (Origin plain = Origin.start(peer -> {
                    assertThat(peer.readAll()).isEqualTo("all of it");
                });
                Origin secure = TlsOrigin.start(server, peer -> peer.send("all of it"), protocol)) {
            assertThat(relay(NetEngine.connect(plain.port()), secure(secure)).reason())
                    .isEqualTo(CloseReason.FINISHED);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void resetsThePlainSideWhenTheSecureSideIsCut(String protocol) throws Exception {
        CompletableFuture<Void> reset = new CompletableFuture<>();
        try (Origin plain = Origin.start(peer -> {
                    peer.expectReset();
                    reset.complete(null);
                });
                Origin secure = Origin.start(below -> {
                    SSLSocket socket = TlsOrigin.accept(server, below, protocol);
                    new Peer(socket).send("half of it");
                    below.shutdownOutput(); // and no close_notify
                    below.socket().getInputStream().readAllBytes();
                })) {
            assertThat(relay(NetEngine.connect(plain.port()), secure(secure)).reason())
                    .isEqualTo(CloseReason.ORIGIN_RESET);
            NetEngine.patiently(reset);
        }
    }

    @Test
    void doesNotPassAResetOffAsAnEnd() throws Exception {
        try (Origin plain = Origin.start(Peer::reset);
                Origin secure = TlsOrigin.start(server, peer -> {
                    try {
                        peer.readAll();
                    } catch (IOException e) {
                        return; // not an end in order
                    }
                    throw new AssertionError("the cut stream looked complete");
                })) {
            assertThat(relay(NetEngine.connect(plain.port()), secure(secure)).reason())
                    .isEqualTo(CloseReason.CLIENT_RESET);
        }
    }

    @Test
    void cutsNothingThoughAPeerOfTls12TakesNothingAfterItsEnd() throws Exception {
        CompletableFuture<Void> got = new CompletableFuture<>();
        try (Origin plain = Origin.start(peer -> {
                    assertThat(peer.readAll()).isEqualTo("bye");
                    got.complete(null);
                    peer.send("into the void").shutdownOutput();
                    peer.expectEnd();
                });
                Origin secure = TlsOrigin.start(server, peer -> peer.send("bye"), TLS12)) {
            TunnelResult end = relay(NetEngine.connect(plain.port()), secure(secure));
            assertThat(end.reason()).isEqualTo(CloseReason.ORIGIN_RESET); // for it did not take all
            assertThat(end.cause()).isInstanceOf(PeerEndedException.class);
            NetEngine.patiently(got);
        }
    }

    @Test
    void takesThreadsOverASocketWithoutReadiness() throws Exception {
        CompletableFuture<String> sentPlain = new CompletableFuture<>();
        CompletableFuture<String> gotPlain = new CompletableFuture<>();
        CompletableFuture<String> sentSecure = new CompletableFuture<>();
        CompletableFuture<String> gotSecure = new CompletableFuture<>();
        try (Origin plain = Origin.start(exchange(MIB, 1, sentPlain, gotPlain));
                Origin secure = TlsOrigin.start(server, exchange(MIB, 2, sentSecure, gotSecure), TLS13)) {
            StreamConnection below =
                    new StreamConnection(Peer.connect(secure.port()).socket());
            TlsConnection connection = engine.secure(below, client, HostPort.of("localhost", secure.port()));
            assertThat(relay(NetEngine.connect(plain.port()), connection).reason())
                    .isEqualTo(CloseReason.FINISHED);
            assertThat(NetEngine.patiently(gotSecure)).isEqualTo(NetEngine.patiently(sentPlain));
            assertThat(NetEngine.patiently(gotPlain)).isEqualTo(NetEngine.patiently(sentSecure));
        }
    }
}
