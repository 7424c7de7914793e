package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.AccessPolicy;
import io.broxy.AccessRequest;
import io.broxy.Cidr;
import io.broxy.ConnectRequest;
import io.broxy.Credentials;
import io.broxy.FieldEdits;
import io.broxy.ForwardedMode;
import io.broxy.HostPort;
import io.broxy.ProxyProtocol;
import io.broxy.ProxyUri;
import io.broxy.core.TransportMode;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the mini-server's options, their defaults, and the message for each mistake. */
class ServerOptionsTest {

    private static ServerOptions parse(String... arguments) {
        return ServerOptions.parse(arguments);
    }

    @Test
    void theInheritedSocketIsForOneUse() {
        assertThat(parse("--listen=inherited").listen()).isEqualTo(new ListenInherited());
        assertThat(parse("--forward=inherited=db.example:5432").forwards())
                .containsExactly(new Forward(new ListenInherited(), HostPort.parse("db.example:5432")));
        assertThatThrownBy(() -> parse("--listen=inherited", "--forward=inherited=db.example:5432"))
                .isInstanceOf(UsageException.class)
                .hasMessage("there is one inherited socket, for one of --listen and --forward");
    }

    @Test
    void defaultsAreThoseOfTheManual() {
        ServerOptions options = parse();

        assertThat(options.listen()).isNull();
        assertThat(options.forwards()).isEmpty();
        assertThat(ListenAddress.DEFAULT).hasToString("127.0.0.1:3128");
        assertThat(options.upstream()).isNull();
        assertThat(options.rules()).isNull();
        assertThat(options.sendProxyProtocol()).isNull();
        assertThat(options.allowPrivate()).isFalse();
        assertThat(options.allow()).isEmpty();
        assertThat(options.engine().eventLoops()).isNull();
        assertThat(options.engine().transport()).isEqualTo(TransportMode.NIO);
        assertThat(options.idleTimeout()).isEqualTo(Duration.ofMinutes(5));
        assertThat(options.headTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(options.dialTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(options.plainHttp().responseTimeout()).isEqualTo(Duration.ofSeconds(60));
        assertThat(options.plainHttp().bodyTimeout()).isEqualTo(Duration.ofSeconds(60));
        assertThat(options.plainHttp().keepAliveTimeout()).isEqualTo(Duration.ofSeconds(60));
        assertThat(options.plainHttp().via()).isNull();
        assertThat(options.plainHttp().noVia()).isFalse();
        assertThat(options.maxConnections()).isEqualTo(20_000);
        assertThat(options.limits().maxPerClient()).isNull();
        assertThat(options.limits().rate()).isNull();
        assertThat(options.limits().ratePerUser()).isNull();
        assertThat(options.limits().maxLifetime()).isNull();
        assertThat(options.limits().proxyProtocol()).isEmpty();
        assertThat(options.drain()).isEqualTo(Duration.ofSeconds(10));
        assertThat(options.verbose()).isFalse();
        assertThat(options.deny()).isEmpty();
        assertThat(options.access().ports()).isSameAs(AccessPolicy.any());
        assertThat(options.access().clients()).isEmpty();
        assertThat(options.access().deniedHosts()).isEmpty();
        assertThat(options.access().policy()).isSameAs(AccessPolicy.any());
        assertThat(options.sourceAddress()).isNull();
        assertThat(options.tls().files()).isNull();
        assertThat(options.tls().clientAuthority()).isNull();
        assertThat(options.tls().versions()).isSameAs(TlsVersions.TLS_1_2);
        assertThat(options.reportOnly()).isFalse();
        assertThat(options.auth()).isNull();
        assertThat(options.admin().address()).isNull();
        assertThat(options.admin().hosts()).isEmpty();
        assertThat(options.explain().request()).isNull();
        assertThat(options.socks()).isFalse();
        assertThat(options.log().accessLog()).isFalse();
    }

    @Test
    void everyOptionIsRead() {
        ServerOptions options = parse(
                "--listen=[::1]:8080",
                "--forward=127.0.0.1:5432=db.example:5432",
                "--forward",
                "unix:/run/ssh.sock=[2001:db8::7]:22",
                "--allow-private",
                "--allow",
                "198.18.0.0/15",
                "--allow=2001:db8::/32",
                "--transport",
                "auto",
                "--event-loops",
                "3",
                "--idle-timeout=90s",
                "--head-timeout=500ms",
                "--dial-timeout=PT2.5S",
                "--answer-timeout=2m",
                "--body-timeout=3m",
                "--keep-alive-timeout=4m",
                "--via=gate.7",
                "--max-connections=7",
                "--max-per-client=5",
                "--rate=10M",
                "--rate-per-user=512K",
                "--max-lifetime=12h",
                "--max-head=64KiB",
                "--proxy-protocol=10.0.0.0/8",
                "--proxy-protocol",
                "2001:db8::1",
                "--drain=0s",
                "--deny=203.0.113.0/24",
                "--allow-ports=443",
                "--allow-client=10.0.0.0/8",
                "--allow-client=::1",
                "--deny-host=Ads.Example.",
                "--deny-host",
                "192.0.2.1",
                "--source-address=::1",
                "--tls-cert=a.pem",
                "--tls-key=a.key",
                "--tls-cert",
                "b.pem",
                "--tls-key",
                "b.key",
                "--tls-client-ca=clients.pem",
                "--tls-min=1.3",
                "--report-only",
                "--auth=users",
                "--admin=127.0.0.1:0",
                "--admin-token=0123456789abcdef",
                "--admin-host=stats.example",
                "--explain=example.org:443",
                "--explain-user=alice",
                "--explain-client=2001:db8::7",
                "--socks",
                "--access-log",
                "-v");

        assertThat(options.listen()).isEqualTo(new ListenAddress("::1", 8080));
        assertThat(options.forwards())
                .containsExactly(
                        new Forward(new ListenAddress("127.0.0.1", 5432), HostPort.of("db.example", 5432)),
                        new Forward(new ListenPath(Path.of("/run/ssh.sock"), null), HostPort.of("2001:db8::7", 22)));
        assertThat(options.allowPrivate()).isTrue();
        assertThat(options.allow()).containsExactly(Cidr.parse("198.18.0.0/15"), Cidr.parse("2001:db8::/32"));
        assertThat(options.engine().eventLoops()).isEqualTo(3);
        assertThat(options.engine().transport()).isEqualTo(TransportMode.AUTO);
        assertThat(options.idleTimeout()).isEqualTo(Duration.ofSeconds(90));
        assertThat(options.headTimeout()).isEqualTo(Duration.ofMillis(500));
        assertThat(options.dialTimeout()).isEqualTo(Duration.ofMillis(2_500));
        assertThat(options.plainHttp().responseTimeout()).isEqualTo(Duration.ofMinutes(2));
        assertThat(options.plainHttp().bodyTimeout()).isEqualTo(Duration.ofMinutes(3));
        assertThat(options.plainHttp().keepAliveTimeout()).isEqualTo(Duration.ofMinutes(4));
        assertThat(options.plainHttp().via()).isEqualTo("gate.7");
        assertThat(options.maxConnections()).isEqualTo(7);
        assertThat(options.limits().maxPerClient()).isEqualTo(5);
        assertThat(options.limits().rate()).isEqualTo(10L << 20);
        assertThat(options.limits().ratePerUser()).isEqualTo(512L << 10);
        assertThat(options.limits().maxLifetime()).isEqualTo(Duration.ofHours(12));
        assertThat(options.limits().maxHead()).isEqualTo(64 * 1024);
        assertThat(options.limits().proxyProtocol())
                .containsExactly(Cidr.parse("10.0.0.0/8"), Cidr.parse("2001:db8::1"));
        assertThat(options.drain()).isEqualTo(Duration.ZERO);
        assertThat(options.verbose()).isTrue();
        assertThat(options.deny()).containsExactly(Cidr.parse("203.0.113.0/24"));
        assertThat(options.access().ports()).isNotSameAs(AccessPolicy.any());
        assertThat(options.access().clients()).containsExactly(Cidr.parse("10.0.0.0/8"), Cidr.parse("::1"));
        assertThat(options.access().deniedHosts()).containsExactly("ads.example", "192.0.2.1");
        assertThat(options.sourceAddress()).isEqualTo(HostPort.of("::1", 1).address());
        assertThat(options.tls().files())
                .isEqualTo(new TlsFiles(
                        List.of(
                                new TlsFiles.Pair(Path.of("a.pem"), Path.of("a.key")),
                                new TlsFiles.Pair(Path.of("b.pem"), Path.of("b.key"))),
                        Path.of("clients.pem")));
        assertThat(options.tls().versions().protocols()).containsExactly("TLSv1.3");
        assertThat(options.reportOnly()).isTrue();
        assertThat(options.auth()).isEqualTo(Path.of("users"));
        assertThat(options.admin().address()).isEqualTo(new ListenAddress("127.0.0.1", 0));
        assertThat(options.admin().hosts()).containsExactly("127.0.0.1", "stats.example");
        AccessRequest question = options.explain().request();
        assertThat(question).isNotNull();
        assertThat(question.method()).isEqualTo("CONNECT");
        assertThat(question.target()).isEqualTo(HostPort.parse("example.org:443"));
        assertThat(question.identity()).isEqualTo("alice");
        assertThat(question.client())
                .isEqualTo(HostPort.parse("[2001:db8::7]:1").address());
        assertThat(options.socks()).isTrue();
        assertThat(options.log().accessLog()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "256, 256",
        "16384, 16384",
        "32k, 32768",
        "32K, 32768",
        "64KiB, 65536",
        "64kb, 65536",
        "1M, 1048576",
        "1MiB, 1048576",
        "1024K, 1048576"
    })
    void aSizeMayHaveAUnit(String size, int bytes) {
        assertThat(parse("--max-head=" + size).limits().maxHead()).isEqualTo(bytes);
        assertThat(parse().limits().maxHead()).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "--listen=127.0.0.1, --listen, the port is missing",
        "--listen=:3128, --listen, the host is empty",
        "--listen=127.1:3128, --listen, four plain decimal numbers",
        "--listen=::1:0, --listen, write an IPv6 address in brackets",
        "--listen=localhost:65536, --listen, not within 1 to 65535",
        "--listen=unix:, --listen, there is no path behind unix:",
        "'--listen=unix:,mode=0660', --listen, there is no path behind unix:",
        "'--listen=unix:/run/x,mode=rw', --listen, '''rw'' is not a mode of three octal digits'",
        "'--listen=unix:/run/x,mode=4755', --listen, '''4755'' is not a mode of three octal digits'",
        "'--listen=unix:/run/x,mode=', --listen, ''''' is not a mode of three octal digits'",
        "--forward=127.0.0.1:5432, --forward, there is no target",
        "--forward=127.0.0.1:5432=, --forward, not a target",
        "--forward=127.0.0.1:5432=db, --forward, the port is missing",
        "--forward=127.0.0.1:5432=db:0, --forward, not within 1 to 65535",
        "--forward=5432=db:5432, --forward, not a target",
        "--forward, --forward, Missing required parameter",
        "--allow=10.1.2.3/8, --allow, 10.0.0.0/8 was probably meant",
        "--allow=example.org, --allow, not an IP address",
        "--deny=10.1.2.3/8, --deny, 10.0.0.0/8 was probably meant",
        "--allow-ports=, --allow-ports, not a list of ports",
        "--allow-ports=0, --allow-ports, not a list of ports",
        "--allow-ports=https, --allow-ports, not a list of ports",
        "--allow-ports=65536, --allow-ports, not a list of ports",
        "--allow-ports=80-, --allow-ports, not a list of ports",
        "--allow-ports=90-80, --allow-ports, whose first port is above its last",
        "--admin=9090, --admin, the port is missing",
        "--admin-token=short, --admin-token, a token has at least 16 characters",
        "--admin-token=0123456789 abcdef, --admin-token, 'a token consists of letters, digits'",
        "--admin-token-file=, --admin-token-file, is not the name of a file",
        "--admin-host=a..b, --admin-host, empty label",
        "--explain=example.org, --explain, the port is missing",
        "--explain-client=home, --explain-client, is not an IP address",
        "--auth, --auth, Missing required parameter",
        "--event-loops=0, --event-loops, 1 to 1024",
        "--event-loops=1025, --event-loops, 1 to 1024",
        "--max-connections=-1, --max-connections, 1 to 2147483647",
        "--max-connections=99999999999, --max-connections, 1 to 2147483647",
        "--max-connections=many, --max-connections, is not a whole number",
        "--max-per-client=0, --max-per-client, 1 to 2147483647",
        "--send-proxy-protocol=V3, --send-proxy-protocol, is neither v1 nor v2",
        "--upstream-auth=ntlm, --upstream-auth, is neither basic",
        "--rate=0, --rate, not a number of bytes such as",
        "--rate=10k, --rate, not a number of bytes such as",
        "--rate=-1M, --rate, not a number of bytes such as",
        "--rate=99999999999G, --rate, not a number of bytes such as",
        "--rate-per-user=0, --rate-per-user, not a number of bytes such as",
        "--max-lifetime=0s, --max-lifetime, not more than zero",
        "--max-head=0, --max-head, not a size from 256 to 1048576 bytes such as 16384",
        "--max-head=255, --max-head, not a size",
        "--max-head=2M, --max-head, not a size",
        "--max-head=-1k, --max-head, not a size",
        "--max-head=16kk, --max-head, not a size",
        "--max-head=16 k, --max-head, not a size",
        "--max-head=99999999999999, --max-head, not a size",
        "--proxy-protocol=10.1.2.3/8, --proxy-protocol, 10.0.0.0/8 was probably meant",
        "--idle-timeout=0s, --idle-timeout, not more than zero",
        "--head-timeout=10, --head-timeout, not a time such as",
        "--dial-timeout=-PT1S, --dial-timeout, is negative",
        "--answer-timeout=0s, --answer-timeout, not more than zero",
        "--body-timeout=1d, --body-timeout, not a time such as",
        "--keep-alive-timeout=-PT1S, --keep-alive-timeout, is negative",
        "--via=a b, --via, is not a token",
        "--via=, --via, is not a token",
        "--drain=soon, --drain, not a time such as",
        "--listen, --listen, Missing required parameter",
        "--upstream=proxy.example:3128, --upstream, it must begin with http://",
        "--upstream=ftp://proxy.example, --upstream, it must begin with http://",
        "--upstream=http://proxy.example:0, --upstream, the port",
        "--upstream=http://proxy.example/path, --upstream, only a",
        "--upstream=http://u:%zz@proxy.example, --upstream, two hexadecimal digits",
        "--upstream=socks5://:password@proxy.example, --upstream, 1 to 255 bytes",
        "--upstream=socks4://user:password@proxy.example, --upstream, SOCKS 4 has no password",
        "--upstairs, --upstairs, Unknown option",
        "--allow-client=10.1.2.3/8, --allow-client, 10.0.0.0/8 was probably meant",
        "--allow-client=home, --allow-client, not an IP address",
        "--deny-host=, --deny-host, the host is empty",
        "--deny-host=a..b, --deny-host, empty label",
        "--deny-host=127.1, --deny-host, four plain decimal numbers",
        "--source-address=localhost, --source-address, is a name; an IP address is expected",
        "--source-address=127.1, --source-address, four plain decimal numbers",
        "--tls-cert=, --tls-cert, is not the name of a file",
        "--tls-key=, --tls-key, is not the name of a file",
        "--tls-cert=a.pem, --tls-cert, each --tls-cert needs its --tls-key: there are 1 and 0",
        "--tls-key=a.key, --tls-key, each --tls-cert needs its --tls-key: there are 0 and 1",
        "--tls-client-ca=a.pem, --tls-client-ca, needs --tls-cert and --tls-key",
        "--tls-min=1.3, --tls-min, needs --tls-cert and --tls-key",
        "--tls-min=1.1, --tls-min, is neither 1.2 nor 1.3",
        "--tls-min=TLSv1.3, --tls-min, is neither 1.2 nor 1.3",
        "--rules=, --rules, is not the name of a file",
        "--auth=, --auth, is not the name of a file",
        "--listen=a b:0, --listen, '''a b:0'': white space'",
        "--listen=a b:1, --listen, \"a b:1\"",
        "'--allow-ports=80,x,443', --allow-ports, '''x'' is neither a port'",
        "--event-loops=x, --event-loops, '''x'' is not'",
        "--transport=epoll, --transport, '''epoll'' is neither auto nor nio'",
        "argument, argument, Unmatched argument",
    })
    void whatIsWrongIsNamed(String argument, String name, String problem) {
        assertThatThrownBy(() -> parse(argument))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(name)
                .hasMessageContaining(problem);
    }

    /** What begins a line anew, or does worse to a terminal, is escaped; what is long is cut. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "--listen=",
                "--listen=unix:x,mode=",
                "--forward=",
                "--forward=x:1=",
                "--admin=",
                "--admin-host=",
                "--explain=",
                "--explain-client=",
                "--allow=",
                "--allow-ports=",
                "--event-loops=",
                "--idle-timeout=",
                "--rate=",
                "--via=",
                "--proxy-protocol=",
                "--send-proxy-protocol=",
                "--upstream=",
                "--allow-client=",
                "--deny-host=",
                "--source-address=",
                "--tls-min=",
                "--",
                ""
            })
    void whatWasFoundIsEscapedAndCut(String option) {
        String found = option + "\u001b[31m\n" + "x".repeat(5_000);

        assertThatThrownBy(() -> parse(found.replaceFirst("^\u001b", "y\u001b")))
                .isInstanceOf(UsageException.class)
                .message()
                .contains("\\u001b[31m\\u000ax")
                .matches("[ -~]{1,400}");
    }

    @Test
    void theValueOfAnUnknownOptionIsNotShown() {
        assertThatThrownBy(() -> parse("--upstrem=u:sesame"))
                .hasMessage("Unknown option: '--upstrem'; --help lists the options");
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "500000, 500000", "512K, 524288", "3M, 3145728", "1G, 1073741824"})
    void aRateMayHaveASuffix(String text, long bytes) {
        assertThat(parse("--rate", text).limits().rate()).isEqualTo(bytes);
    }

    @Test
    void theUserInformationOfAnUpstreamIsPercentDecoded() {
        ServerOptions options = parse("--upstream=https://us%20er:p%40ss%2f%C3%BC+@proxy.example:8443");

        assertThat(options.upstream())
                .isEqualTo(new Upstream(
                        ProxyUri.of(
                                ProxyUri.Scheme.HTTPS,
                                HostPort.of("proxy.example", 8443),
                                Credentials.basic("us er", "p@ss/ü+")),
                        UpstreamAuth.BASIC));
    }

    @Test
    void rulesAreAFile() {
        assertThat(parse("--rules", "conf/rules.yaml").rules()).isEqualTo(Path.of("conf", "rules.yaml"));
    }

    @Test
    void anUpstreamAndRulesExcludeEachOther() {
        assertThatThrownBy(() -> parse("--upstream=http://u:sesame@proxy.example", "--rules=rules.yaml"))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("mutually exclusive")
                .hasMessageNotContaining("sesame");
    }

    @Test
    void theHeaderForUpstreamsHasAVersion() {
        assertThat(parse("--upstream=http://proxy.example", "--send-proxy-protocol=v1")
                        .sendProxyProtocol())
                .isEqualTo(ProxyProtocol.V1);
        assertThat(parse("--rules=rules.yaml", "--send-proxy-protocol", "v2").sendProxyProtocol())
                .isEqualTo(ProxyProtocol.V2);
    }

    @Test
    void anUpstreamMayWantAnotherSchemeThanBasic() {
        assertThat(parse("--upstream=http://u:p@proxy.example").upstream())
                .isEqualTo(new Upstream(ProxyUri.parse("http://u:p@proxy.example"), UpstreamAuth.BASIC));
        assertThat(parse("--upstream=http://u:p@proxy.example", "--upstream-auth=digest")
                        .upstream())
                .isEqualTo(new Upstream(ProxyUri.parse("http://u:p@proxy.example"), UpstreamAuth.DIGEST));
        assertThat(parse("--upstream=https://proxy.example", "--upstream-auth", "negotiate")
                        .upstream())
                .isEqualTo(new Upstream(ProxyUri.parse("https://proxy.example"), UpstreamAuth.NEGOTIATE));
    }

    @ParameterizedTest
    @CsvSource({
        "http://proxy.example, digest, --upstream-auth: digest needs a user name and a password",
        "http://u:sesame@proxy.example, negotiate, '--upstream-auth: negotiate takes a Kerberos ticket, and no user name'",
        "socks5://u:sesame@proxy.example, digest, '--upstream-auth: digest is for HTTP proxies, and not for socks5'",
        ", basic, --upstream-auth needs --upstream"
    })
    void aSchemeThatDoesNotFitTheUpstreamIsRefused(@Nullable String upstream, String auth, String reason) {
        String first = upstream == null ? "--rules=rules.yaml" : "--upstream=" + upstream;
        assertThatThrownBy(() -> parse(first, "--upstream-auth=" + auth))
                .isInstanceOf(UsageException.class)
                .hasMessageStartingWith(reason)
                .hasMessageNotContaining("sesame");
    }

    @Test
    void withoutAnUpstreamNobodyIsSentAHeader() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = MiniServer.run(
                System.out, new PrintStream(err, true, UTF_8), "--listen=127.0.0.1:0", "--send-proxy-protocol=v2");

        assertThat(code).isEqualTo(2);
        assertThat(err.toString(UTF_8).lines())
                .containsExactly(
                        "broxy-mini-server: --send-proxy-protocol needs --upstream or --rules, whose proxies it is"
                                + " sent to");
    }

    @Test
    void thePolicyAsksForClientPortAndHost() throws UnknownHostException {
        AccessPolicy policy = parse("--allow-client=10.0.0.0/8", "--allow-ports=443", "--deny-host=ads.example")
                .access()
                .policy();

        assertThat(admits(policy, "10.1.2.3", "example.org:443")).isTrue();
        assertThat(admits(policy, "10.1.2.3", "bads.example:443")).isTrue();
        assertThat(admits(policy, "10.1.2.3", "ads.example:443")).isFalse();
        assertThat(admits(policy, "10.1.2.3", "deep.in.ads.example:443")).isFalse();
        assertThat(admits(policy, "10.1.2.3", "example.org:80")).isFalse();
        assertThat(admits(policy, "192.0.2.1", "example.org:443")).isFalse();
        assertThat(policy.refusesClient(InetAddress.getByName("192.0.2.1")))
                .as("before it logs in")
                .isTrue();
        assertThat(policy.refusesClient(InetAddress.getByName("10.1.2.3"))).isFalse();
    }

    private static boolean admits(AccessPolicy policy, String client, String target) throws UnknownHostException {
        return policy.admits(new AccessRequest(InetAddress.getByName(client), "CONNECT", HostPort.parse(target), null));
    }

    @Test
    void clientsLogInAtProxiesThatTheyCanReach() {
        assertThat(parse("--upstream=https://proxy.example", "--pass-proxy-auth")
                        .passProxyAuth())
                .isTrue();
        assertThat(parse("--rules=rules.yaml", "--pass-proxy-auth").passProxyAuth())
                .isTrue();
        assertThat(parse("--upstream=http://u:p@proxy.example").passProxyAuth()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "--upstream=http://proxy.example --auth=users, mutually exclusive",
        "--listen=127.0.0.1:0, needs --upstream or --rules",
        "--upstream=socks5://proxy.example, an --upstream with http or https",
        "--upstream=http://user:hunter2@proxy.example, without a user",
    })
    void passingLoginsOnContradictsOtherOptions(String others, String message) {
        String[] arguments = (others + " --pass-proxy-auth").split(" ", -1);

        assertThatThrownBy(() -> parse(arguments))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("hunter2");
    }

    @Test
    void clientsNeedACertificateOnlyWhereThereIsAnAuthority() throws Exception {
        SSLContext context = SSLContext.getDefault();
        SSLEngine open = parse("--tls-cert=a", "--tls-key=b")
                .tls()
                .serverTls(() -> context)
                .newEngine();
        SSLEngine closed = parse("--tls-cert=a", "--tls-key=b", "--tls-client-ca=c", "--tls-min=1.3")
                .tls()
                .serverTls(() -> context)
                .newEngine();

        assertThat(open.getNeedClientAuth()).isFalse();
        assertThat(open.getEnabledProtocols()).containsExactlyInAnyOrder("TLSv1.2", "TLSv1.3");
        assertThat(closed.getNeedClientAuth()).isTrue();
        assertThat(closed.getEnabledProtocols()).containsExactly("TLSv1.3");
    }

    @Test
    void fieldsOfRequestsAreRemovedAndAdded() {
        FieldEdits edits = parse("--add-header=X-Gate: 7", "--add-header", "B:2", "--remove-header=x-gate")
                .plainHttp()
                .edits();

        assertThat(edits.removed()).containsExactly("x-gate");
        assertThat(edits.added())
                .containsExactly(new ConnectRequest.Field("X-Gate", "7"), new ConnectRequest.Field("B", "2"));
        assertThat(parse().plainHttp().edits().isEmpty()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --add-header=sesame            | has no colon
            --add-header=Host: x           | the proxy itself writes Host
            --add-header=a b: sesame       | the field name is not a token
            --remove-header=Content-Length | the proxy itself writes Content-Length
            --remove-header=a:             | the field name is not a token
            --forwarded=sometimes          | is none of pass, add, replace and remove
            """)
    void aFieldThatCannotBeChangedIsAMistake(String option, String reason) {
        assertThatThrownBy(() -> parse(option))
                .isInstanceOf(UsageException.class)
                .hasMessageStartingWith("Invalid value for option '" + option.substring(0, option.indexOf('=')) + "'")
                .hasMessageContaining(reason);
    }

    @Test
    void addedFieldsAreLimitedTogether() {
        String[] most = new String[9];
        Arrays.fill(most, "--add-header=X: " + "y".repeat(1_000));

        assertThatThrownBy(() -> parse(most).plainHttp().edits())
                .isInstanceOf(UsageException.class)
                .hasMessage("--add-header: the added fields exceed 8192 bytes");
    }

    @Test
    void clientsAreNamedToOriginsAsTheOptionSays() {
        assertThat(parse().plainHttp().forwarded()).isEqualTo(ForwardedMode.PASS);
        assertThat(parse("--forwarded=add").plainHttp().forwarded()).isEqualTo(ForwardedMode.ADD);
        assertThat(parse("--forwarded=replace").plainHttp().forwarded()).isEqualTo(ForwardedMode.REPLACE);
        assertThat(parse("--forwarded=remove").plainHttp().forwarded()).isEqualTo(ForwardedMode.REMOVE);
    }

    @Test
    void aNameForViaAndNoneExcludeEachOther() {
        assertThat(parse("--no-via").plainHttp().noVia()).isTrue();
        assertThatThrownBy(() -> parse("--no-via", "--via=gate"))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("mutually exclusive");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--upstream=http://u:sesame@:3128",
                "--upstream=http://u:sesame@proxy.example:99999",
                "--upstream=http://u:se/sesame@proxy.example",
                "--upstream=http://u:se@sesame@proxy.example",
                "--upstream=http://u:%zzsesame@proxy.example",
                "--upstream=socks4://u:sesame@proxy.example",
                "--upstream=//u:sesame@proxy.example",
                "--upstrem=http://u:sesame@proxy.example",
                "--upstrem=http://u:se@sesame@proxy.example",
                "http://u:sesame@proxy.example"
            })
    void noErrorShowsAPassword(String argument) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = MiniServer.run(System.out, new PrintStream(err, true, UTF_8), argument);

        assertThat(code).isEqualTo(2);
        assertThat(err.toString(UTF_8).lines()).singleElement().asString().startsWith("broxy-mini-server: ");
        assertThat(err.toString(UTF_8)).doesNotContain("sesame");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--listen", "--drain", "--event-loops"})
    void anOptionOfOneValueIsGivenOnce(String option) {
        String value = option.equals("--listen") ? "127.0.0.1:0" : option.equals("--drain") ? "1s" : "1";

        assertThatThrownBy(() -> parse(option, value, option, value))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("should be specified only once");
    }
}
