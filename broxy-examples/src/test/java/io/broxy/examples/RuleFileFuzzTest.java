package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.HostPort;
import io.broxy.Route;
import java.nio.file.Path;
import java.util.List;

/**
 * Specifies that any file either has rules that lead somewhere or is refused in one line that names the place of its
 * first fault.
 */
class RuleFileFuzzTest {
    private static final Path FILE = Path.of("rules.yaml");
    private static final List<HostPort> TARGETS = List.of(
            HostPort.of("example.com", 443),
            HostPort.of("www.example.com", 80),
            HostPort.of("10.1.2.3", 443),
            HostPort.of("2001:db8::1", 443));

    @DictionaryEntries({
        "server: {listen: 0.0.0.0, port: 8080}\\x0a",
        "proxies: [{name: a, type: http, host: b, port: 1}]\\x0a",
        "proxies: [{name: a, type: direct}]\\x0a",
        "auth: {username: u, password: p}",
        "rules: [{match: default, proxy: direct}]\\x0a",
        "{match: domain, value: example.com, proxy: a},",
        "{match: ip, values: [10.0.0.0/8, '2001:db8::/32'], proxy: deny},",
        "pool: {max_idle_per_host: 1, idle_timeout: 90s}\\x0a",
        "&x ",
        "*x",
        "!!str ",
        "<<: ",
        "? ",
        ": ",
        "- ",
        "|\\x0a ",
        ">-\\x0a ",
        "---\\x0a",
        "...\\x0a",
        "%YAML 1.1\\x0a",
        "\\xef\\xbb\\xbf",
        "\\xc2\\x85",
        "\\xe2\\x80\\xa8",
        "#",
        "~"
    })
    @FuzzTest
    void aFileIsUnderstoodOrItsFirstFaultIsTold(byte[] content) {
        RuleFile file;
        try {
            file = RuleFile.parse(FILE, content);
        } catch (ConfigFileException e) {
            assertThat(e.getMessage()).matches("rules\\.yaml:[1-9][0-9]*:[1-9][0-9]*: \\P{Cntrl}+");
            return;
        }
        assertThat(file.listen().port()).isBetween(0, 65_535);
        for (HostPort target : TARGETS) {
            Route route = file.rules().route(target);
            if (!route.isDenied()) {
                assertThat(route.hops())
                        .allMatch(hop ->
                                hop.equals(Route.DIRECT) || file.proxies().containsKey(hop));
            }
        }
    }
}
