package io.broxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies what each syntax of a list of exceptions means, beside what curl 7.88.1, Go's {@code golang.org/x/net/http/httpproxy}
 * (at 094d438, as its source has it) and the JDK (17 and 25) make of it. What the table says of curl and of the JDK is tried
 * with both of them.
 *
 * <p>The list is that of {@code no_proxy} for curl, Go and the first column of Broxy, and that of {@code http.nonProxyHosts}
 * for the JDK and the second one. {@code skipped} goes through the proxy and is reported.
 */
class ProxyExceptionsTest {
    private static final String CURL = "curl 7.88.1 ";

    // list ~ target ~ curl ~ Go ~ JDK ~ no_proxy ~ http.nonProxyHosts
    private static final String TABLE = """
            example.com           ~ example.com:80            ~ direct ~ direct ~ direct ~ direct  ~ direct
            example.com           ~ www.example.com:80        ~ direct ~ direct ~ proxy  ~ direct  ~ proxy
            example.com           ~ evilexample.com:80        ~ proxy  ~ proxy  ~ proxy  ~ proxy   ~ proxy
            .example.com          ~ example.com:80            ~ direct ~ proxy  ~ proxy  ~ direct  ~ skipped
            .example.com          ~ www.example.com:80        ~ direct ~ direct ~ proxy  ~ direct  ~ skipped
            *.example.com         ~ www.example.com:80        ~ proxy  ~ direct ~ direct ~ direct  ~ direct
            *.example.com         ~ a.www.example.com:80      ~ proxy  ~ direct ~ direct ~ direct  ~ direct
            *.example.com         ~ example.com:80            ~ proxy  ~ proxy  ~ proxy  ~ proxy   ~ proxy
            *example.com          ~ www.example.com:80        ~ proxy  ~ proxy  ~ direct ~ skipped ~ direct
            *example.com          ~ evilexample.com:80        ~ proxy  ~ proxy  ~ direct ~ skipped ~ direct
            www.*                 ~ www.example.com:80        ~ proxy  ~ proxy  ~ direct ~ skipped ~ direct
            *xam*                 ~ www.example.com:80        ~ proxy  ~ proxy  ~ direct ~ skipped ~ direct
            www.*.com             ~ www.example.com:80        ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            *                     ~ x.example:80              ~ direct ~ direct ~ direct ~ direct  ~ direct
            a.example,*           ~ x.example:80              ~ proxy  ~ direct ~ proxy  ~ direct  ~ skipped
            a.example|*           ~ x.example:80              ~ proxy  ~ proxy  ~ direct ~ skipped ~ direct
            *:80                  ~ x.example:80              ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            EXAMPLE.com           ~ example.COM:80            ~ direct ~ direct ~ direct ~ direct  ~ direct
            example.com.          ~ example.com:80            ~ direct ~ proxy  ~ proxy  ~ direct  ~ direct
            example.com           ~ example.com.:80           ~ direct ~ proxy  ~ proxy  ~ direct  ~ direct
            ..example.com         ~ www.example.com:80        ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            .                     ~ x.example:80              ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            a.example,b.example   ~ b.example:80              ~ direct ~ direct ~ proxy  ~ direct  ~ skipped
            a.example , b.example ~ b.example:80              ~ direct ~ direct ~ proxy  ~ direct  ~ skipped
            a.example b.example   ~ b.example:80              ~ direct ~ proxy  ~ proxy  ~ direct  ~ skipped
            a.example\tb.example  ~ b.example:80              ~ direct ~ proxy  ~ proxy  ~ direct  ~ skipped
            a.example,,b.example, ~ b.example:80              ~ direct ~ direct ~ proxy  ~ direct  ~ skipped
            a.example|b.example   ~ b.example:80              ~ proxy  ~ proxy  ~ direct ~ skipped ~ direct
            a.example | b.example ~ b.example:80              ~ direct ~ proxy  ~ proxy  ~ direct  ~ direct
            a.example||b.example| ~ b.example:80              ~ proxy  ~ proxy  ~ direct ~ skipped ~ direct
            a.example;b.example   ~ b.example:80              ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            "a.example,b.example" ~ b.example:80              ~ proxy  ~ proxy  ~ proxy  ~ direct  ~ skipped
            "a.example|b.example" ~ b.example:80              ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ direct
            "b.example"           ~ b.example:80              ~ proxy  ~ proxy  ~ proxy  ~ direct  ~ direct
            example.com:443       ~ example.com:443           ~ proxy  ~ direct ~ proxy  ~ direct  ~ skipped
            example.com:443       ~ example.com:80            ~ proxy  ~ proxy  ~ proxy  ~ proxy   ~ skipped
            .example.com:443      ~ www.example.com:443       ~ proxy  ~ direct ~ proxy  ~ direct  ~ skipped
            *.example.com:443     ~ www.example.com:443       ~ proxy  ~ direct ~ proxy  ~ direct  ~ skipped
            example.com:          ~ example.com:80            ~ proxy  ~ direct ~ proxy  ~ direct  ~ skipped
            example.com:99999     ~ example.com:80            ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            example.com:*         ~ example.com:80            ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            example.com/          ~ example.com:80            ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            192.0.2.1             ~ 192.0.2.1:80              ~ direct ~ direct ~ direct ~ direct  ~ direct
            192.0.2.1:80          ~ 192.0.2.1:80              ~ proxy  ~ direct ~ proxy  ~ direct  ~ skipped
            192.0.2.1:80          ~ 192.0.2.1:81              ~ proxy  ~ proxy  ~ proxy  ~ proxy   ~ skipped
            ::ffff:192.0.2.1      ~ 192.0.2.1:80              ~ proxy  ~ direct ~ proxy  ~ direct  ~ direct
            10.0.0.0/8            ~ 10.1.2.3:80               ~ direct ~ direct ~ proxy  ~ direct  ~ skipped
            10.0.0.0/8            ~ ten.example:80            ~ proxy  ~ proxy  ~ proxy  ~ proxy   ~ skipped
            10.1.2.3/8            ~ 10.200.0.1:80             ~ direct ~ direct ~ proxy  ~ direct  ~ skipped
            10.1.2.3/8            ~ 11.1.2.3:80               ~ proxy  ~ proxy  ~ proxy  ~ proxy   ~ skipped
            10.0.0.0/8:80         ~ 10.1.2.3:80               ~ direct ~ proxy  ~ proxy  ~ direct  ~ skipped
            10.0.0.0/33           ~ 10.0.0.0:80               ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            10.0.0.0/255.0.0.0    ~ 10.1.2.3:80               ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            192.168.*             ~ 192.168.1.1:80            ~ proxy  ~ proxy  ~ direct ~ skipped ~ direct
            192.168.*             ~ 192.169.1.1:80            ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ proxy
            192.168.              ~ 192.168.1.1:80            ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            10.0.0.1-10.0.0.9     ~ 10.0.0.5:80               ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            10.1                  ~ 10.0.0.1:80               ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            2001:db8::1           ~ [2001:db8::1]:80          ~ direct ~ direct ~ proxy  ~ direct  ~ direct
            [2001:db8::1]         ~ [2001:db8::1]:80          ~ proxy  ~ proxy  ~ direct ~ direct  ~ direct
            [2001:DB8::1]         ~ [2001:db8::1]:80          ~ proxy  ~ proxy  ~ direct ~ direct  ~ direct
            [2001:db8::1]:80      ~ [2001:db8::1]:80          ~ proxy  ~ direct ~ proxy  ~ direct  ~ skipped
            [2001:db8::1]:80      ~ [2001:db8::1]:81          ~ proxy  ~ proxy  ~ proxy  ~ proxy   ~ skipped
            [2001:db8:*           ~ [2001:db8::1]:80          ~ proxy  ~ proxy  ~ direct ~ skipped ~ direct
            2001:db8::/32         ~ [2001:db8::7]:80          ~ proxy  ~ direct ~ proxy  ~ direct  ~ skipped
            2001:db8::9/32        ~ [2001:db8::7]:80          ~ proxy  ~ direct ~ proxy  ~ direct  ~ skipped
            [2001:db8::]/32       ~ [2001:db8::7]:80          ~ proxy  ~ proxy  ~ proxy  ~ direct  ~ skipped
            [2001:db8::/32]       ~ [2001:db8::7]:80          ~ proxy  ~ proxy  ~ proxy  ~ direct  ~ skipped
            [2001:db8::/32]:80    ~ [2001:db8::7]:81          ~ proxy  ~ proxy  ~ proxy  ~ proxy   ~ skipped
            fe80::1%eth0          ~ [fe80::1]:80              ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            <local>               ~ intranet:80               ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            http://b.example      ~ b.example:80              ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            bücher.example        ~ xn--bcher-kva.example:80  ~ proxy  ~ direct ~ proxy  ~ direct  ~ direct
            *.bücher.example      ~ a.xn--bcher-kva.example:80 ~ proxy ~ direct ~ proxy  ~ direct  ~ direct
            straße.example        ~ strasse.example:80        ~ proxy  ~ proxy  ~ proxy  ~ skipped ~ skipped
            b_c.example           ~ b_c.example:80            ~ direct ~ direct ~ direct ~ direct  ~ direct
            x.example             ~ localhost:80              ~ proxy  ~ direct ~ direct ~ direct  ~ direct
            x.example             ~ app.localhost:80          ~ proxy  ~ proxy  ~ proxy  ~ direct  ~ proxy
            x.example             ~ 127.0.0.1:80              ~ proxy  ~ direct ~ direct ~ direct  ~ direct
            x.example             ~ [::1]:80                  ~ proxy  ~ direct ~ direct ~ direct  ~ direct
            """;

    private static String way(SystemProxies proxies, String target) {
        if (proxies.rules().route(HostPort.parse(target)).equals(Route.direct())) {
            return "direct";
        }
        return proxies.problems().isEmpty() ? "proxy" : "skipped";
    }

    private static SystemProxies noProxy(String list) {
        return SystemProxies.ofEnvironment(Map.of("http_proxy", "p:1", "https_proxy", "p:1", "no_proxy", list));
    }

    private static SystemProxies nonProxyHosts(String list) {
        Properties properties = new Properties();
        Map.of("http.proxyHost", "p", "https.proxyHost", "p", "http.nonProxyHosts", list)
                .forEach(properties::setProperty);
        return SystemProxies.ofProperties(properties);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = TABLE)
    void whatIsListedIsDialedDirectly(
            String list, String target, String curl, String go, String jdk, String noProxy, String nonProxyHosts) {
        assertThat(way(noProxy(list), target)).as("no_proxy").isEqualTo(noProxy);
        assertThat(way(nonProxyHosts(list), target)).as("http.nonProxyHosts").isEqualTo(nonProxyHosts);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = TABLE)
    void theJdkDoesAsTheTableSays(String list, String target, String curl, String go, String jdk) {
        Map<String, @Nullable String> before = new HashMap<>();
        Map<String, String> set = Map.of("http.proxyHost", "p", "http.proxyPort", "1", "http.nonProxyHosts", list);
        set.forEach((name, value) -> before.put(name, System.setProperty(name, value)));
        try {
            List<Proxy> found = ProxySelector.getDefault().select(URI.create("http://" + target + "/"));

            assertThat(found.get(0).equals(Proxy.NO_PROXY) ? "direct" : "proxy").isEqualTo(jdk);
        } finally {
            before.forEach((name, value) -> {
                if (value == null) {
                    System.clearProperty(name);
                } else {
                    System.setProperty(name, value);
                }
            });
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = TABLE)
    @Tag("sweep")
    void curlDoesAsTheTableSays(String list, String target, String curl) throws Exception {
        assumeTrue(curlVersion().startsWith(CURL), "the table is about " + CURL);
        assumeTrue(list.chars().allMatch(c -> c < 0x80), "what a variable beyond ASCII holds is the locale's affair");
        try (ServerSocket either = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
            CompletableFuture<String> requestLine = CompletableFuture.supplyAsync(() -> serve(either));
            run(list, target, either.getLocalPort());

            String line = requestLine.get(20, TimeUnit.SECONDS);
            assertThat(line).startsWith(curl.equals("direct") ? "GET / HTTP" : "CONNECT ");
        }
    }

    /** Runs curl with all connections to origins and proxies redirected to this server; to a proxy it sends CONNECT. */
    private static void run(String list, String target, int port) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                        "curl",
                        "--disable",
                        "--silent",
                        "--max-time",
                        "20",
                        "--connect-to",
                        "::127.0.0.1:" + port,
                        "http://" + target + "/")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> name.toLowerCase(Locale.ROOT).endsWith("_proxy"));
        environment.put("http_proxy", "http://127.0.0.1:" + port);
        environment.put("no_proxy", list);
        Process process = builder.start();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }

    private static String serve(ServerSocket listener) {
        try (Socket client = listener.accept();
                BufferedReader request = new BufferedReader(new InputStreamReader(client.getInputStream(), US_ASCII))) {
            String first = request.readLine();
            for (String line = first; line != null && !line.isEmpty(); line = request.readLine()) {
                // the rest of the head
            }
            client.getOutputStream()
                    .write("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                            .getBytes(US_ASCII));
            return String.valueOf(first);
        } catch (IOException e) {
            return "failed: " + e;
        }
    }

    private static String curlVersion() throws InterruptedException, IOException {
        try {
            Process process = new ProcessBuilder("curl", "--version").start();
            String text = new String(process.getInputStream().readAllBytes(), US_ASCII);
            process.waitFor();
            return text;
        } catch (IOException e) {
            return abort("curl is not on this machine: " + e.getMessage());
        }
    }

    // ------------------------------------------------------------------ what is said of others

    @ParameterizedTest
    @ValueSource(strings = {"a.example\nb.example", "a.example\r\n\tb.example\n", "\n b.example"})
    void anyWhiteSpaceIsBetweenEntriesOfNoProxy(String list) {
        assertThat(way(noProxy(list), "b.example:80")).isEqualTo("direct");
    }

    @Test
    void oneBadEntryLeavesTheOthers() {
        String bad = "<local>,http://a.example,10.0.0.0/33,192.168.*,a;b,[::1,b.example:0,*c,-,/,:80,@,\u0007,\u00df";
        SystemProxies proxies = noProxy("first.example," + bad + ",last.example");

        assertThat(way(proxies, "first.example:80")).isEqualTo("direct");
        assertThat(way(proxies, "last.example:80")).isEqualTo("direct");
        assertThat(way(proxies, "b.example:80")).isEqualTo("skipped");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "<local> ~ list them by name",
                "http://b.example ~ a URL",
                "a;b ~ separated by commas",
                "192.168.* ~ 192.168.0.0/16 is a block",
                "10.0.0.0/33 ~ a plain number of 0 to 32",
                "b.example:99999 ~ not within 1 to 65535",
                "straße.example ~ A-labels",
            })
    void aProblemQuotesTheEntryAndHelps(String entry, String help) {
        assertThat(noProxy("a," + entry).problems()).singleElement().satisfies(problem -> {
            assertThat(problem.index()).isEqualTo(1);
            assertThat(problem.reason())
                    .contains(help)
                    .contains("\"" + entry.replace("ß", "\\u00df") + "\"")
                    .matches("[ -~]+");
        });
    }

    @Test
    void anEntryIsCutInItsProblem() {
        assertThat(noProxy("*" + "x".repeat(10_000)).problems().get(0).reason())
                .hasSizeLessThan(300)
                .contains("xxx\"...");
    }
}
