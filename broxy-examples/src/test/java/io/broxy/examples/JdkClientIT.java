package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.WebServer;
import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Specifies plain HTTP from the JDK's client through the packaged mini-server. Descriptors are not counted here: such
 * a client keeps its selector until it is collected.
 */
class JdkClientIT {
    private static final int TEN_MEBIBYTES = 10 << 20;

    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stopThreads() {
        threads.shutdownNow();
    }

    private static HttpRequest.Builder request(String url) {
        return HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofMillis(Peer.PATIENCE_MILLIS));
    }

    @Test
    void tenMebibytesGoUpAndComeDownOverOneConnection() throws Exception {
        byte[] body = Payload.bytes(TEN_MEBIBYTES, 3);
        try (WebServer origin = WebServer.start();
                JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private")) {
            InetSocketAddress proxy = new InetSocketAddress(
                    InetAddress.getLoopbackAddress(), server.listening().port());
            HttpClient client = HttpClient.newBuilder()
                    .proxy(ProxySelector.of(proxy))
                    .executor(threads)
                    .build();
            HttpResponse<String> up = client.send(
                    request(origin.url("/digest"))
                            .POST(BodyPublishers.ofByteArray(body))
                            .build(),
                    BodyHandlers.ofString());
            HttpResponse<byte[]> down = client.send(
                    request(origin.url("/chunks/" + TEN_MEBIBYTES + "/4")).build(), BodyHandlers.ofByteArray());

            assertThat(up.body()).isEqualTo(Payload.read(new ByteArrayInputStream(body)));
            assertThat(Payload.read(new ByteArrayInputStream(down.body())))
                    .isEqualTo(Payload.write(OutputStream.nullOutputStream(), TEN_MEBIBYTES, 4));
            assertThat(origin.connections()).isEqualTo(1);
        }
    }
}
