package io.broxy.core.requests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.broxy.AddressPolicy;
import io.broxy.CloseReason;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.RefusedException.Reason;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Client.Form;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Specifies, to the byte, the responses that clients get instead of a tunnel. */
@ExtendWith(LeakCheck.class)
class ErrorResponsesTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final HostPort SOMEWHERE = HostPort.of("somewhere.example", 443);

    private static String answer(String status, String proxyStatus, String text) {
        String body = status.substring(0, 3) + " " + text + "\n";
        return "HTTP/1.1 " + status + "\r\n"
                + "Proxy-Status: Broxy; error=" + proxyStatus + "\r\n"
                + (status.startsWith("503 ") ? "Retry-After: 2\r\n" : "")
                + "Content-Type: text/plain\r\n"
                + "Content-Length: " + body.length() + "\r\n"
                + "Connection: close\r\n"
                + "\r\n"
                + body;
    }

    // ------------------------------------------------------------------ bad requests

    private static Arguments bad(String request, String text) {
        return arguments(request, "400 Bad Request", "http_request_error", text, Reason.BAD_REQUEST);
    }

    private static Arguments badTarget(String target) {
        return arguments(
                "CONNECT " + target + " HTTP/1.1\r\nHost: x\r\n\r\n",
                "400 Bad Request",
                "http_request_error",
                "the target is not host:port",
                Reason.BAD_TARGET);
    }

    private static Arguments tooLarge(String request, String text) {
        return arguments(
                request, "431 Request Header Fields Too Large", "http_request_error", text, Reason.HEAD_TOO_LARGE);
    }

    private static Arguments tooLong(String request) {
        return arguments(
                request, "414 URI Too Long", "http_request_error", "the first line is too long", Reason.HEAD_TOO_LARGE);
    }

    private static Arguments notImplemented(String request, String status, String text) {
        return arguments(request, status, "http_request_denied", text, Reason.NOT_IMPLEMENTED);
    }

    private static String connect(String fields) {
        return "CONNECT somewhere.example:443 HTTP/1.1\r\n" + fields + "\r\n";
    }

    static Stream<Arguments> badRequests() {
        return Stream.of(
                bad("\u0016\u0003\u0001 a TLS client that has come astray", "the method is not a token"),
                bad("CONNECT x:1 HTTP/1.1\nHost: x\n\n", "a line ends with LF alone"),
                bad(connect("Host: x\n"), "a line ends with LF alone"),
                bad(connect("Host : x\r\n"), "white space before the colon of a field"),
                bad(connect("Host: x\r\n folded\r\n"), "a field line begins with white space"),
                bad(connect("Host: x\r\nA: \u0001\r\n"), "a field value has a control character"),
                bad(connect(""), "no Host in an HTTP/1.1 request"),
                bad(connect("Host: x\r\nHost: x\r\n"), "more than one Host"),
                bad(connect("Host: a b\r\n"), "an invalid Host"),
                bad(connect("Host: x\r\nContent-Length: 5\r\n"), "Content-Length in a CONNECT request"),
                bad(connect("Host: x\r\nTransfer-Encoding: chunked\r\n"), "Transfer-Encoding in a CONNECT request"),
                badTarget("2130706433:80"),
                badTarget("0x7f.1:80"),
                badTarget("127.1:80"),
                badTarget("0177.0.0.1:80"),
                badTarget("user@127.0.0.1:80"),
                badTarget("user:secret@127.0.0.1:80"),
                badTarget("127.0.0.1"),
                badTarget("[::1]"),
                badTarget("::1:80"),
                badTarget("[fe80::1%25eth0]:80"),
                badTarget(":80"),
                badTarget("x:0"),
                badTarget("x:65536"),
                badTarget("x:+80"),
                badTarget("x..y:80"),
                badTarget("http://x/"),
                badTarget("/"),
                tooLong("CONNECT " + "x".repeat(9_000) + ":1 HTTP/1.1\r\n"),
                tooLong("GET http://x/" + "x".repeat(9_000) + " HTTP/1.1\r\n"),
                tooLong("X".repeat(9_000)),
                tooLarge(connect("Host: x\r\nA: " + "x".repeat(17_000) + "\r\n"), "the head is too large"),
                tooLarge(connect("Host: x\r\n" + "A: x\r\n".repeat(128)), "too many fields"),
                notImplemented("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "501 Not Implemented", "only CONNECT is served"),
                notImplemented(
                        "POST http://x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
                        "501 Not Implemented",
                        "only CONNECT is served"),
                notImplemented(
                        "connect x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "501 Not Implemented", "only CONNECT is served"),
                notImplemented(
                        "CONNECT x:1 HTTP/2.0\r\n", "505 HTTP Version Not Supported", "the version is not HTTP/1.x"),
                notImplemented(
                        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                        "505 HTTP Version Not Supported",
                        "the version is not HTTP/1.x"));
    }

    @ParameterizedTest
    @MethodSource("badRequests")
    void theResponseToABadRequestSaysWhatIsWrong(
            String request, String status, String proxyStatus, String text, Reason reason) throws Exception {
        try (Proxy proxy = Proxy.start()) {
            for (Form form : new Form[] {Form.CHANNEL, Form.SOCKET}) {
                try (Client client = form.come(proxy.handler())) {
                    assertThat(client.peer().send(request).readAll()).isEqualTo(answer(status, proxyStatus, text));
                    client.close();

                    TunnelResult result = client.tunnel().join();
                    Ends.assertRefused(result, reason, Integer.parseInt(status.substring(0, 3)));
                    assertThat(result.target()).isNull();
                    assertThat(result.identity()).isNull();
                }
            }
            assertThat(proxy.handler().stats().refused()).isEqualTo(2);
            assertThat(proxy.handler().stats().openConnections()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void theAnswerToHeadHasNoBody(Form form) throws Exception {
        try (Proxy proxy = Proxy.start();
                Client client = form.come(proxy.handler())) {
            client.peer().send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");

            String whole = answer("501 Not Implemented", "http_request_denied", "only CONNECT is served");
            assertThat(client.peer().readAll()).isEqualTo(whole.substring(0, whole.indexOf("\r\n\r\n") + 4));
        }
    }

    // ------------------------------------------------------------------ time

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aHeadThatDoesNotComeInTime(Form form) throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.headTimeout(Duration.ofMillis(100)));
                Client client = form.come(proxy.handler())) {
            client.peer().send("CONNECT somewhere.exam");

            assertThat(client.peer().readAll())
                    .isEqualTo(answer("408 Request Timeout", "http_request_error", "the request did not come in time"));
            client.close();

            Ends.assertRefused(client.tunnel().join(), Reason.HEAD_TIMEOUT, 408);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aClientThatSendsSlowlyDoesNotExtendTheTimeOfItsHead(Form form) throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.headTimeout(Duration.ofMillis(200)));
                Client client = form.come(proxy.handler())) {
            client.peer().send("CONNECT somewhere.example:443 HTTP/1.1\r\nSlow: ");
            InputStream answer = client.peer().socket().getInputStream();
            dripUntilOver(client.peer(), () -> answer.available() > 0);

            assertThat(client.peer().readHead()).startsWith("HTTP/1.1 408 ");
            client.close();
            Ends.assertRefused(client.tunnel().join(), Reason.HEAD_TIMEOUT, 408);
        }
    }

    @Test
    @Tag("slow")
    void aTlsClientThatSendsARecordSlowlyDoesNotExtendTheTimeOfItsHead() throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.headTimeout(Duration.ofMillis(100)));
                Accepted<Socket> raw = rawClientOfTls()) {
            Tunnel tunnel = proxy.handler().handleConnect(raw.end());
            raw.client().send(new byte[] {22, 3, 1, 2, 0}); // a handshake record of 512 bytes, which follow one by one
            dripUntilOver(raw.client(), tunnel.completion()::isDone);

            Ends.assertRefused(tunnel.join(), Reason.HEAD_TIMEOUT, 408);
        }
    }

    @Test
    @Tag("slow")
    void aTlsClientThatIsRefusedAndSaysNothingHoldsNoThread() throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.maxConnections(1));
                Client first = Form.CHANNEL.come(proxy.handler());
                Accepted<Socket> raw = rawClientOfTls()) {
            Ends.assertRefused(proxy.handler().handleConnect(raw.end()).join(), Reason.LIMIT, 503);
            assertThat(first.tunnel().completion()).isNotDone();
        }
    }

    private static Accepted<Socket> rawClientOfTls() throws IOException {
        try (SSLServerSocket server = (SSLServerSocket) Certificates.loopback()
                .server()
                .getServerSocketFactory()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return new Accepted<>(Peer.connect(server.getLocalPort()), server.accept());
        }
    }

    /** A byte from time to time, as long as the peer accepts them. */
    private static void dripUntilOver(Peer peer, Callable<Boolean> over) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> {
            try {
                peer.send("a");
            } catch (IOException e) {
                assertThat(e).hasMessageMatching("(?i).*(reset|broken pipe|aborted).*");
            }
            return over.call();
        });
    }

    // ------------------------------------------------------------------ targets that cannot be dialed

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void theLoopbackIsDeniedByDefault(Form form) throws Exception {
        try (Origin origin = Origin.echo();
                Broxy broxy = Broxy.create()) {
            ProxyHandler handler = broxy.proxyHandler().build();
            for (HostPort target :
                    List.of(origin.target(), HostPort.of("localhost", origin.port()), HostPort.of("::1", 80))) {
                try (Client client = form.ask(handler, target)) {
                    assertThat(client.peer().readAll())
                            .isEqualTo(answer(
                                    "403 Forbidden",
                                    "destination_ip_prohibited",
                                    "the target's address is not allowed"));
                    client.close();

                    Ends.assertDialFailed(client.tunnel().join(), DialException.Reason.DENIED);
                    assertThat(client.tunnel().join().target()).isEqualTo(target);
                }
            }
            assertThat(origin.accepted()).isZero();
            assertThat(handler.stats().dialFailures()).isEqualTo(3);
            assertThat(handler.stats().refused()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aPolicyThatThrowsDenies(Form form) throws Exception {
        AddressPolicy broken = address -> {
            throw new IllegalStateException("a secret");
        };
        try (Proxy proxy = Proxy.start(settings -> settings.addressPolicy(broken));
                Client client = form.ask(proxy.handler(), HostPort.of("127.0.0.1", 80))) {
            assertThat(client.peer().readAll()).startsWith("HTTP/1.1 403 ").doesNotContain("secret");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aTargetThatRefuses(Form form) throws Exception {
        int port = HeldPort.refusing().port();
        try (Proxy proxy = Proxy.start();
                Client client = form.ask(proxy.handler(), HostPort.of("127.0.0.1", port))) {
            assertThat(client.peer().readAll())
                    .isEqualTo(answer("502 Bad Gateway", "connection_refused", "the target refused the connection"));
            client.close();

            Ends.assertDialFailed(client.tunnel().join(), DialException.Reason.REFUSED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aNameThatIsUnknown(Form form) throws Exception {
        try (Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.directDialer()
                        .resolver(host -> {
                            throw new UnknownHostException("a secret of the network");
                        })
                        .build()));
                Client client = form.ask(proxy.handler(), SOMEWHERE)) {
            assertThat(client.peer().readAll())
                    .isEqualTo(answer("502 Bad Gateway", "dns_error", "the name could not be resolved"));
            client.close();

            Ends.assertDialFailed(client.tunnel().join(), DialException.Reason.RESOLVE);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void aTargetThatNeverAnswers(Form form) throws Exception {
        try (Unanswering target = Unanswering.open();
                Proxy proxy = Proxy.start(settings -> settings.dialTimeout(Duration.ofMillis(100)));
                Client client = form.ask(proxy.handler(), HostPort.of("127.0.0.1", target.server.getLocalPort()))) {
            assertThat(client.peer().readAll())
                    .isEqualTo(
                            answer("504 Gateway Timeout", "connection_timeout", "the target did not answer in time"));
            client.close();

            Ends.assertDialFailed(client.tunnel().join(), DialException.Reason.TIMEOUT);
        }
    }

    /** A server that accepts no clients and has a full queue, so that the system drops further connection requests. */
    private record Unanswering(ServerSocket server, List<Socket> queued) implements AutoCloseable {
        static Unanswering open() throws IOException {
            ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
            List<Socket> queued = new ArrayList<>();
            while (true) {
                Socket socket = new Socket();
                queued.add(socket);
                try {
                    socket.connect(server.getLocalSocketAddress(), 300);
                } catch (SocketTimeoutException e) {
                    return new Unanswering(server, queued);
                }
            }
        }

        @Override
        public void close() throws IOException {
            server.close();
            for (Socket socket : queued) {
                socket.close();
            }
        }
    }

    // ------------------------------------------------------------------ caps

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void oneTooMany(Form form) throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.maxConnections(1));
                Client first = Form.CHANNEL.come(proxy.handler());
                Client second = form.ask(proxy.handler(), SOMEWHERE)) {
            assertThat(second.peer().readAll())
                    .isEqualTo(answer("503 Service Unavailable", "connection_limit_reached", "too many tunnels"));
            second.close();

            Ends.assertRefused(second.tunnel().join(), Reason.LIMIT, 503);
            assertThat(first.tunnel().completion()).isNotDone();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    void oneThatComesWhileTheHandlerDrains(Form form) throws Exception {
        try (Proxy proxy = Proxy.start()) {
            proxy.handler().drain(Duration.ZERO);
            try (Client client = form.ask(proxy.handler(), SOMEWHERE)) {
                assertThat(client.peer().readAll())
                        .isEqualTo(answer(
                                "503 Service Unavailable", "proxy_internal_error", "the proxy takes no new tunnels"));
                client.close();

                Ends.assertRefused(client.tunnel().join(), Reason.DRAINING, 503);
            }
        }
    }

    // ------------------------------------------------------------------ the lingering close

    @ParameterizedTest
    @EnumSource
    void aClientThatIsStillSendingCanReadTheWholeAnswer(Form form) throws Exception {
        try (Proxy proxy = Proxy.start();
                Client client = form.come(proxy.handler())) {
            // far more than the proxy has read when it answers, and no more than a busy machine encrypts in the time it
            // waits
            client.peer().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").send(Payload.bytes(1 << 18, 3));

            assertThat(client.peer().readAll())
                    .isEqualTo(answer("501 Not Implemented", "http_request_denied", "only CONNECT is served"));
            client.close();
            assertThat(client.tunnel().join().reason()).isEqualTo(CloseReason.REFUSED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANNEL", "SOCKET"})
    @Tag("slow")
    void aClientThatNeverEndsIsClosedAfterAll(Form form) throws Exception {
        try (Proxy proxy = Proxy.start();
                Client client = form.come(proxy.handler())) {
            client.peer().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readAll();

            Ends.assertRefused(client.tunnel().join(), Reason.NOT_IMPLEMENTED, 501);
        }
    }

    @Test
    void aClientThatDoesNotReadItsAnswerIsClosedAfterAll() throws Exception {
        try (Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            accepted.client().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            Tunnel tunnel = proxy.handler().handleConnect(accepted.end());
            accepted.client().reset();

            assertThat(tunnel.join().reason()).isIn(CloseReason.REFUSED, CloseReason.CLIENT_GONE);
        }
    }
}
