package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyUri;
import io.broxy.RoutingDialer;
import io.broxy.Socks5Dialer;
import io.broxy.SystemProxies;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies which dialer is built from a proxy's URI, and from the environment's settings. */
@ExtendWith(LeakCheck.class)
class ProxyDialerTest {
    private static final HostPort TARGET = HostPort.parse("target.example:443");

    private final LinkedBlockingQueue<String> requests = new LinkedBlockingQueue<>();
    private Broxy broxy;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(1).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    private Origin proxy() throws Exception {
        return Origin.start(peer -> {
            requests.add(peer.readHead());
            peer.send("HTTP/1.1 200 OK\r\n\r\n");
            peer.readAll();
        });
    }

    private String nextRequest() throws Exception {
        String request = requests.poll(20, TimeUnit.SECONDS);
        return request == null ? "none" : request;
    }

    @Test
    void userInfoOfAnHttpProxyIsUnescaped() throws Exception {
        try (Origin proxy = proxy()) {
            broxy.dialerVia(ProxyUri.parse("http://us%65r:p%40ss%3Aw%2Brd@" + proxy.target()))
                    .dial(TARGET)
                    .close();

            String expected = Credentials.basic("user", "p@ss:w+rd").authorization();
            assertThat(nextRequest()).contains("\r\nProxy-Authorization: " + expected + "\r\n");
        }
    }

    @Test
    void eachSchemeHasItsDialer() {
        assertThat(broxy.dialerVia(ProxyUri.parse("http://proxy.example:3128"))).isInstanceOf(HttpProxyDialer.class);
        assertThat(broxy.dialerVia(ProxyUri.parse("https://proxy.example:3129")))
                .isInstanceOf(HttpProxyDialer.class);
        assertThat(broxy.dialerVia(ProxyUri.parse("socks5://proxy.example"))).isInstanceOf(Socks5Dialer.class);
    }

    @Test
    void theEnvironmentsProxiesAreHopsAndItsExceptionsAreDirect() throws Exception {
        try (Origin proxy = proxy();
                Origin origin = Origin.greeting("direct")) {
            RoutingDialer dialer = broxy.routingDialer(SystemProxies.ofEnvironment(
                            Map.of("https_proxy", "http://" + proxy.target(), "no_proxy", "inside.example")))
                    .build();
            dialer.dial(TARGET).close();
            dialer.dial(origin.target()).close();

            assertThat(nextRequest()).startsWith("CONNECT target.example:443 HTTP/1.1\r\n");
            assertThat(requests).isEmpty();
            assertThat(dialer.explain(HostPort.parse("www.inside.example:443"))).contains("direct");
        }
    }
}
