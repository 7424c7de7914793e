package io.broxy.core.forwarding;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.WebServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that an endless response is streamed: each event arrives before the next is sent. */
@ExtendWith(LeakCheck.class)
class ServerSentEventsTest {
    private static final int EVENTS = 20;

    private final Semaphore seen = new Semaphore(1);

    /** Sends an event when the client has seen the one before. */
    private WebServer server() throws IOException {
        return WebServer.start().on("/events", exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream out = exchange.getResponseBody()) {
                for (int i = 0; i < EVENTS; i++) {
                    awaitSeen();
                    out.write(("data: " + i + "\n\n").getBytes(UTF_8));
                    out.flush();
                }
            }
        });
    }

    private void awaitSeen() throws IOException {
        try {
            if (!seen.tryAcquire(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                throw new IOException("an event was not seen");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void eachArrivesByItself() throws IOException {
        try (WebServer server = server();
                Proxy proxy = Proxy.start()) {
            HttpURLConnection connection = (HttpURLConnection) URI.create(server.url("/events"))
                    .toURL()
                    .openConnection(new java.net.Proxy(java.net.Proxy.Type.HTTP, proxy.address()));
            connection.setReadTimeout(Peer.PATIENCE_MILLIS);
            connection.setRequestProperty("Connection", "close"); // the JDK would keep it for ten seconds
            try (BufferedReader events =
                    new BufferedReader(new InputStreamReader(connection.getInputStream(), UTF_8))) {
                assertThat(connection.getContentType()).isEqualTo("text/event-stream");
                for (int i = 0; i < EVENTS; i++) {
                    assertThat(events.readLine()).isEqualTo("data: " + i);
                    assertThat(events.readLine()).isEmpty();
                    seen.release();
                }
                assertThat(events.readLine()).isNull();
            }
        }
    }

    @Test
    void aClientThatLeavesEndsTheStream() throws Exception {
        Semaphore ended = new Semaphore(0);
        try (WebServer server = WebServer.start().on("/endless", exchange -> {
                    exchange.sendResponseHeaders(200, 0);
                    try (OutputStream out = exchange.getResponseBody()) {
                        while (true) {
                            out.write("data: again\n\n".getBytes(UTF_8));
                            out.flush();
                        }
                    } catch (IOException e) {
                        ended.release();
                        throw e;
                    }
                });
                Proxy proxy = Proxy.start()) {
            try (Peer client = proxy.client()) {
                client.send("GET " + server.url("/endless") + " HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
                client.readText(13);
            }

            assertThat(ended.tryAcquire(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .as("the server has noticed")
                    .isTrue();
        }
    }
}
