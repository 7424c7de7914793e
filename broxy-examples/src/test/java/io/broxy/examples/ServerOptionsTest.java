package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.Cidr;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

class ServerOptionsTest {

    private static ServerOptions parse(String... arguments) {
        ServerOptions options = new ServerOptions();
        CommandLine command = MiniServer.commandLine();
        command.parseArgs(arguments); // the real command knows each of them, too
        new CommandLine(options).parseArgs(arguments);
        return options;
    }

    @Test
    void defaultsAreThoseOfTheManual() {
        ServerOptions options = parse();

        assertThat(options.listen()).isEqualTo(new ListenAddress("127.0.0.1", 3128));
        assertThat(options.allowPrivate()).isFalse();
        assertThat(options.allow()).isEmpty();
        assertThat(options.eventLoops()).isNull();
        assertThat(options.idleTimeout()).isEqualTo(Duration.ofMinutes(5));
        assertThat(options.headTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(options.dialTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(options.maxTunnels()).isEqualTo(20_000);
        assertThat(options.drain()).isEqualTo(Duration.ofSeconds(10));
        assertThat(options.verbose()).isFalse();
    }

    @Test
    void everyOptionIsRead() {
        ServerOptions options = parse(
                "--listen=[::1]:8080",
                "--allow-private",
                "--allow",
                "198.18.0.0/15",
                "--allow=2001:db8::/32",
                "--event-loops",
                "3",
                "--idle-timeout=90s",
                "--head-timeout=500ms",
                "--dial-timeout=PT2.5S",
                "--max-tunnels=7",
                "--drain=0s",
                "-v");

        assertThat(options.listen()).isEqualTo(new ListenAddress("::1", 8080));
        assertThat(options.allowPrivate()).isTrue();
        assertThat(options.allow()).containsExactly(Cidr.parse("198.18.0.0/15"), Cidr.parse("2001:db8::/32"));
        assertThat(options.eventLoops()).isEqualTo(3);
        assertThat(options.idleTimeout()).isEqualTo(Duration.ofSeconds(90));
        assertThat(options.headTimeout()).isEqualTo(Duration.ofMillis(500));
        assertThat(options.dialTimeout()).isEqualTo(Duration.ofMillis(2_500));
        assertThat(options.maxTunnels()).isEqualTo(7);
        assertThat(options.drain()).isEqualTo(Duration.ZERO);
        assertThat(options.verbose()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "--listen=127.0.0.1, --listen, the port is missing",
        "--listen=:3128, --listen, the host is empty",
        "--listen=127.1:3128, --listen, four plain decimal numbers",
        "--listen=::1:0, --listen, an IPv6 address stands in brackets",
        "--listen=localhost:65536, --listen, not within 1 to 65535",
        "--allow=10.1.2.3/8, --allow, 10.0.0.0/8 was probably meant",
        "--allow=example.org, --allow, not an IP address",
        "--event-loops=0, --event-loops, 1 to 1024",
        "--event-loops=1025, --event-loops, 1 to 1024",
        "--max-tunnels=-1, --max-tunnels, 1 to 2147483647",
        "--max-tunnels=99999999999, --max-tunnels, 1 to 2147483647",
        "--max-tunnels=many, --max-tunnels, is not a whole number",
        "--idle-timeout=0s, --idle-timeout, not more than zero",
        "--head-timeout=10, --head-timeout, not a time such as",
        "--dial-timeout=-PT1S, --dial-timeout, is negative",
        "--drain=soon, --drain, not a time such as",
        "--listen, --listen, Missing required parameter",
        "--upstairs, --upstairs, Unknown option",
        "argument, argument, Unmatched argument",
    })
    void whatIsWrongIsNamed(String argument, String name, String problem) {
        assertThatThrownBy(() -> MiniServer.commandLine().parseArgs(argument))
                .isInstanceOf(ParameterException.class)
                .hasMessageContaining(name)
                .hasMessageContaining(problem);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--listen", "--drain", "--event-loops"})
    void anOptionOfOneValueIsGivenOnce(String option) {
        String value = option.equals("--listen") ? "127.0.0.1:0" : option.equals("--drain") ? "1s" : "1";

        assertThatThrownBy(() -> parse(option, value, option, value))
                .isInstanceOf(ParameterException.class)
                .hasMessageContaining("should be specified only once");
    }
}
