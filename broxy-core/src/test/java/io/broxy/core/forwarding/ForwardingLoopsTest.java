package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AddressPolicy;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies that Max-Forwards is honored (RFC 9110, section 7.6.2) and that forwarding loops are detected (section
 * 7.6.3).
 */
@ExtendWith(LeakCheck.class)
class ForwardingLoopsTest {

    private static HostPort target(Proxy proxy) {
        return HostPort.of(
                proxy.address().getAddress().getHostAddress(), proxy.address().getPort());
    }

    @Test
    void anOptionsThatMayGoNoFartherIsAnsweredHere() throws IOException {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(Http.request("OPTIONS", origin.target(), "/", "Max-Forwards: 0"));

            Http.Message answer = Http.read(client);
            assertThat(answer.status()).isEqualTo(200);
            assertThat(Http.value(answer.head(), "Allow")).contains("CONNECT", "GET", "OPTIONS", "TRACE");
            assertThat(answer.body()).isEmpty();
            client.send(Http.get(origin.target(), "/"));
            assertThat(Http.read(client).body()).isEqualTo("GET / ");
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aTraceThatMayGoNoFartherGetsWhatWasReceivedButForSecrets() throws IOException {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            String request = Http.request("TRACE", origin.target(), "/", "Max-Forwards: 0", "X: y");
            client.send(request.replace("X: y\r\n", "Authorization: secret\r\nX: y\r\nCookie: secret\r\n"));

            Http.Message answer = Http.read(client);
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.head()).contains("\r\nContent-Type: message/http\r\n");
            assertThat(answer.body()).isEqualTo(request);
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void whatMayGoFartherSaysHowFarAndWhereItWas() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    assertThat(peer.readHead())
                            .startsWith("OPTIONS * HTTP/1.1\r\n")
                            .contains("\r\nMax-Forwards: 2\r\n", "\r\nVia: 1.0 before\r\nVia: 1.1 here\r\n");
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nVia: 1.1 there\r\n\r\n");
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start(settings -> settings.viaPseudonym("here"));
                Peer client = proxy.client()) {
            client.send(Http.request("OPTIONS", origin.target(), "", "Max-Forwards: 3", "Via: 1.0 before"));

            assertThat(client.readHead()).contains("\r\nVia: 1.1 there\r\nVia: 1.1 here\r\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.1 here", "1.0 other, 1.1 HERE (comment)"})
    void aRequestThatWasHereBeforeIsALoop(String via) throws IOException {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.viaPseudonym("here"));
                Peer client = proxy.client()) {
            String request = Http.get(origin.target(), "/", "Via: " + via);
            client.send(request);

            Http.Message answer = Http.read(client);
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=proxy_loop_detected\r\n");
            client.expectEnd();
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void twoProxiesThatSendToEachOtherFindOut() throws IOException {
        try (Broxy broxy = Broxy.create();
                Peer client = circle(broxy)) {
            client.send("GET http://somewhere.example/ HTTP/1.1\r\nHost: x\r\n\r\n");

            Http.Message answer = Http.read(client);
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=proxy_loop_detected\r\n");
        }
    }

    /** A client of the first of two proxies. */
    private static Peer circle(Broxy broxy) throws IOException {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        int free;
        try (Origin reserved = Origin.discard()) {
            free = reserved.port();
        }
        ProxyHandler second = broxy.proxyHandler()
                .dialer(broxy.httpProxyDialer(HostPort.of("127.0.0.1", free)).build())
                .build();
        ProxyServer server = broxy.listen(any, second);
        int port = ((InetSocketAddress) server.localAddress()).getPort();
        ProxyHandler first = broxy.proxyHandler()
                .dialer(broxy.httpProxyDialer(HostPort.of("127.0.0.1", port)).build())
                .build();
        broxy.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), free), first);
        return Peer.connect(free);
    }

    @Test
    void theProxysOwnAddressIsNoTarget() throws IOException {
        try (Proxy proxy = Proxy.start(settings -> settings.viaPseudonym(null).addressPolicy(AddressPolicy.any()));
                Peer client = proxy.client()) {
            client.send(Http.get(target(proxy), "/"));

            Http.Message answer = Http.read(client);
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 403 Forbidden\r\nProxy-Status: Broxy; error=destination_ip_prohibited\r\n")
                    .doesNotContain("Connection: close");
            assertThat(proxy.handler().stats().totalConnections()).isEqualTo(1);
        }
    }

    @Test
    void byDefaultThisMachineIsNoTarget() throws IOException {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start(settings -> settings.addressPolicy(AddressPolicy.publicOnly()));
                Peer client = proxy.client()) {
            for (String host : new String[] {"127.0.0.1", "[::ffff:127.0.0.1]", "localhost"}) {
                client.send("GET http://" + host + ":" + origin.port() + "/ HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(Http.read(client).status()).as(host).isEqualTo(403);
            }
            assertThat(origin.accepted()).isZero();
        }
    }
}
