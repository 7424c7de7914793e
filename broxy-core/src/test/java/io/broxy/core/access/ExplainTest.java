package io.broxy.core.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.broxy.AccessPolicy;
import io.broxy.AccessRequest;
import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.Cidr;
import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.Explanation;
import io.broxy.Explanation.Part;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.ProxyProtocol;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.SystemProxies;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.LeakCheck;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies what a handler says that it would do with a request: as it does it, but without a dial and without a lookup. */
@ExtendWith(LeakCheck.class)
class ExplainTest {
    private static final HostPort PROXY = HostPort.of("proxy.example", 3128);
    private static final String ADMITTED = "every request is admitted";

    private final Broxy broxy = Broxy.builder().eventLoops(1).build();

    @AfterEach
    void stop() {
        assertThat(broxy.lookUps().threads()).as("nothing was looked up").isZero();
        broxy.close();
    }

    private static AccessRequest request(String target, @Nullable String identity) {
        InetAddress client = InetAddress.getLoopbackAddress();
        return new AccessRequest(client, "CONNECT", HostPort.parse(target), identity);
    }

    private static Explanation explain(ProxyHandler.Builder settings, String target) {
        return settings.build().explain(request(target, null));
    }

    private Explanation explain(Dialer dialer, String target) {
        return explain(broxy.proxyHandler().dialer(dialer), target);
    }

    private static void assertRefused(Explanation explanation, Part part, String text) {
        assertThat(explanation.isAdmitted()).as(explanation.toString()).isFalse();
        assertThat(explanation.decidedBy()).isEqualTo(part);
        assertThat(explanation.steps().get(explanation.steps().size() - 1).text())
                .contains(text);
    }

    private static void assertAdmitted(Explanation explanation, String... texts) {
        assertThat(explanation.isAdmitted()).as(explanation.toString()).isTrue();
        assertThat(explanation.steps()).extracting(Explanation.Step::text).containsExactly(texts);
    }

    // ------------------------------------------------------------------ access

    @Test
    void aRequestThatIsAdmittedGoesDirectlyByDefault() {
        assertAdmitted(
                explain(broxy.proxyHandler(), "example.org:443"),
                ADMITTED,
                "directly",
                "the addresses of example.org are checked when it is dialed");
    }

    @Test
    void theAccessPolicyRefuses() {
        ProxyHandler.Builder settings = broxy.proxyHandler().accessPolicy(AccessPolicy.ports(80, 443));
        assertRefused(explain(settings, "example.org:25"), Part.ACCESS_POLICY, "port 25 is none of 80, 443");
        assertThat(explain(settings, "example.org:25").steps()).hasSize(1);
    }

    @Test
    void aClientThatIsRefusedWhateverItAsksForNeedNotLogIn() {
        ProxyHandler handler = broxy.proxyHandler()
                .accessPolicy(AccessPolicy.clients(Cidr.parse("192.0.2.0/24")))
                .authenticator(Authenticator.basic("test", (user, password) -> true))
                .build();
        assertRefused(handler.explain(request("example.org:443", null)), Part.CLIENT, "every request");
        assertRefused(handler.explain(request("example.org:443", "alice")), Part.CLIENT, "every request");
    }

    @Test
    void aClientWithoutAnIdentityMustLogInWhereThereIsAnAuthenticator() {
        ProxyHandler handler = broxy.proxyHandler()
                .accessPolicy(AccessPolicy.identities("alice"))
                .authenticator(Authenticator.basic("test", (user, password) -> {
                    throw new AssertionError("no credentials are checked");
                }))
                .build();
        assertRefused(handler.explain(request("example.org:443", null)), Part.AUTHENTICATION, "must log in");
        assertRefused(handler.explain(request("example.org:443", "bob")), Part.ACCESS_POLICY, "none of alice");
        assertThat(handler.explain(request("example.org:443", "alice")).isAdmitted())
                .isTrue();
    }

    @Test
    void aPolicyThatThrowsRefuses() {
        ProxyHandler.Builder settings = broxy.proxyHandler().accessPolicy(request -> {
            throw new IllegalStateException("broken");
        });
        assertRefused(explain(settings, "example.org:443"), Part.ACCESS_POLICY, "failed");
    }

    @Test
    void aFilterIsMentionedAndNotAsked() {
        ProxyHandler.Builder settings = broxy.proxyHandler().requestFilter(request -> {
            throw new AssertionError("it decides about real requests only");
        });
        assertThat(explain(settings, "example.org:443").steps())
                .extracting(Explanation.Step::part)
                .containsExactly(Part.ACCESS_POLICY, Part.FILTER, Part.ROUTE, Part.ADDRESS_POLICY);
    }

    @Test
    void aRequestWithoutATargetIsMisuse() {
        AccessRequest login = new AccessRequest(null, "CONNECT", null, null, List.of(), null);
        ProxyHandler handler = broxy.proxyHandler().build();
        assertThatIllegalStateException().isThrownBy(() -> handler.explain(login));
    }

    @Test
    void aClosedHandlerStillExplains() {
        ProxyHandler handler = broxy.proxyHandler().build();
        handler.close();
        assertThat(handler.explain(request("example.org:443", null)).isAdmitted())
                .isTrue();
    }

    // ------------------------------------------------------------------ addresses

    @Test
    void theAddressPolicyDecidesAboutLiteralAddresses() {
        assertRefused(explain(broxy.proxyHandler(), "10.1.2.3:80"), Part.ADDRESS_POLICY, "10.1.2.3 is private");
        Explanation any = explain(broxy.proxyHandler().addressPolicy(AddressPolicy.any()), "10.1.2.3:80");
        assertThat(any.isAdmitted()).isTrue();
        assertThat(any.decidedBy()).isEqualTo(Part.ADDRESS_POLICY);
    }

    @Test
    void anAddressThatIsOnlyReportedIsAdmitted() {
        Explanation explanation = explain(broxy.proxyHandler().reportOnly(true), "10.1.2.3:80");
        assertThat(explanation.isAdmitted()).isTrue();
        assertThat(explanation.toString()).contains("which is only reported");
    }

    @Test
    void anAddressPolicyThatThrowsRefuses() {
        AddressPolicy broken = address -> {
            throw new IllegalStateException("broken");
        };
        assertRefused(
                explain(broxy.proxyHandler().addressPolicy(broken), "8.8.8.8:53"),
                Part.ADDRESS_POLICY,
                "the address policy failed");
    }

    @Test
    void theProxyItselfIsRefusedWithAnyDialer() throws Exception {
        ProxyHandler handler = broxy.proxyHandler()
                .addressPolicy(AddressPolicy.any())
                .dialer(broxy.httpProxyDialer(PROXY).build())
                .build();
        try (ProxyServer server = broxy.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), handler)) {
            int port = ((InetSocketAddress) server.localAddress()).getPort();
            for (String host : List.of("127.0.0.1", "localhost", "[::ffff:127.0.0.1]")) {
                assertRefused(
                        handler.explain(request(host + ":" + port, null)),
                        Part.OWN_ADDRESS,
                        "is where this proxy listens");
            }
        }
    }

    // ------------------------------------------------------------------ dialers

    @Test
    void aDialerThroughAProxyNamesTheProxyWithoutSecrets() throws Exception {
        Dialer plain = broxy.httpProxyDialer(PROXY)
                .credentials(Credentials.basic("me", "secret"))
                .build();
        Dialer tls = broxy.httpProxyDialer(PROXY).tls(SSLContext.getDefault()).build();
        Dialer socks5 = broxy.socks5Dialer(PROXY).build();
        Dialer socks4 = broxy.socks4Dialer(PROXY).build();
        assertAdmitted(explain(plain, "example.org:443"), ADMITTED, "through http://proxy.example:3128");
        assertAdmitted(explain(tls, "example.org:443"), ADMITTED, "through https://proxy.example:3128");
        assertAdmitted(explain(socks5, "example.org:443"), ADMITTED, "through socks5://proxy.example:3128");
        assertAdmitted(explain(socks4, "example.org:443"), ADMITTED, "through socks4://proxy.example:3128");
        assertRefused(explain(plain, "10.1.2.3:80"), Part.ADDRESS_POLICY, "is private");
        assertRefused(explain(socks5, "10.1.2.3:80"), Part.ADDRESS_POLICY, "is private");
        assertRefused(explain(socks4, "[2001:db8::1]:80"), Part.ROUTE, "no IPv6 addresses");
    }

    @Test
    void aChainNamesEachProxy() {
        Dialer first = broxy.socks5Dialer(HostPort.of("first.example", 1080)).build();
        assertAdmitted(
                explain(broxy.httpProxyDialer(PROXY).over(first).build(), "example.org:443"),
                ADMITTED,
                "through http://proxy.example:3128, which is reached through socks5://first.example:1080");
    }

    @Test
    void rulesSayWhichRouteTheyChooseAndWhereItsFirstHopGoes() {
        Dialer routing = broxy.routingDialer()
                .hop("up", broxy.httpProxyDialer(PROXY).build())
                .rules(Rules.builder()
                        .domain("blocked.example", Route.deny())
                        .domain("example.org", Route.via("up", Route.DIRECT))
                        .build())
                .build();
        assertAdmitted(
                explain(routing, "www.example.org:443"),
                ADMITTED,
                "www.example.org:443 goes via up, direct: rules[1], domain example.org",
                "through http://proxy.example:3128");
        assertRefused(
                explain(routing, "blocked.example:443"),
                Part.ROUTE,
                "blocked.example:443 is denied: rules[0], domain blocked.example");
        assertThat(explain(routing, "other.example:443").toString()).contains("no rule matches", "directly");
    }

    @Test
    void wrappingDialersSayWhatIsBelow() {
        Dialer announcing = broxy.withProxyHeader(broxy.directDialer().build(), ProxyProtocol.V2);
        assertAdmitted(
                explain(announcing, "8.8.8.8:53"),
                ADMITTED,
                "with a PROXY header, V2",
                "directly",
                explain(broxy.proxyHandler(), "8.8.8.8:53").steps().get(2).text());
    }

    @Test
    void aProxySelectorIsNotAsked() {
        ProxySelector selector = new ProxySelector() {
            @Override
            public List<Proxy> select(URI uri) {
                throw new AssertionError("it may block");
            }

            @Override
            public void connectFailed(URI uri, SocketAddress address, IOException failure) {
                throw new AssertionError(failure);
            }
        };
        Dialer dialer =
                broxy.systemDialer(SystemProxies.ofProxySelector(selector)).build();
        assertThat(explain(dialer, "example.org:443").toString()).contains("ExplainTest");
        assertRefused(explain(dialer, "10.1.2.3:80"), Part.ADDRESS_POLICY, "is private");
    }

    @Test
    void aDialerOfTheApplicationIsNamedAndNotCalled() {
        Dialer own = request -> {
            throw new AssertionError("nothing is dialed");
        };
        assertThat(explain(own, "example.org:443").toString()).contains("a dialer of the application", "ExplainTest");
    }
}
