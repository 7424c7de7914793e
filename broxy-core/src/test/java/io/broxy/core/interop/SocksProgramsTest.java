package io.broxy.core.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.broxy.Authenticator;
import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Program;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.WebServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that programs which speak SOCKS work with the proxy. Each is skipped where the program is missing. */
@ExtendWith(LeakCheck.class)
class SocksProgramsTest {
    private static final int PAGE = 1 << 20;
    /** What curl exits with if its proxy refuses (CURLE_PROXY). */
    private static final String PROXY_REFUSES = "97";

    private final Queue<HostPort> targets = new ConcurrentLinkedQueue<>();
    private final Path folder;

    SocksProgramsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private Proxy proxy(Consumer<ProxyHandler.Builder> more) throws IOException {
        return Proxy.start(settings -> {
            settings.socks(true).accessPolicy(request -> targets.add(request.target()));
            more.accept(settings);
        });
    }

    private static void withPassword(ProxyHandler.Builder settings) {
        settings.authenticator(Authenticator.basic("here", Credentials.basic("alice", "secret")));
    }

    private Proxy proxy(boolean password) throws IOException {
        return password ? proxy(SocksProgramsTest::withPassword) : proxy();
    }

    private Proxy proxy() throws IOException {
        return proxy(settings -> {});
    }

    private static String at(Proxy proxy) {
        return "127.0.0.1:" + proxy.address().getPort();
    }

    private static String url(WebServer web, String host) {
        return "http://" + host + ":" + web.port() + "/bytes/" + PAGE + "/6";
    }

    /** Runs curl, and gives its exit code. */
    private String curl(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "--disable", // no .curlrc
                "--silent",
                "--ipv4",
                "--output",
                "page",
                "--write-out",
                "%{exitcode}"));
        command.addAll(List.of(arguments));
        return Program.run(folder, "curl", command.toArray(String[]::new)).output();
    }

    private void assertPage() throws IOException {
        byte[] page = Files.readAllBytes(folder.resolve("page"));
        assertThat(Payload.read(new ByteArrayInputStream(page)))
                .isEqualTo(Payload.read(new ByteArrayInputStream(Payload.bytes(PAGE, 6))));
    }

    // ------------------------------------------------------------------ curl

    @ParameterizedTest
    @CsvSource({
        "--socks5, 127.0.0.1",
        "--socks5-hostname, localhost",
        "--socks4, 127.0.0.1",
        "--socks4a, localhost",
    })
    void curlGetsAPage(String option, String seen) throws Exception {
        try (WebServer web = WebServer.start();
                Proxy proxy = proxy()) {
            assertThat(curl(option, at(proxy), url(web, "localhost"))).isEqualTo("0");

            assertPage();
            assertThat(targets).containsExactly(HostPort.of(seen, web.port()));
        }
    }

    @Test
    void curlLogsIn() throws Exception {
        try (WebServer web = WebServer.start();
                Proxy proxy = proxy(true)) {
            assertThat(curl("--socks5-hostname", at(proxy), "-U", "alice:secret", url(web, "localhost")))
                    .isEqualTo("0");
            assertPage();
            assertThat(curl("--socks5", at(proxy), "-U", "alice:guessed", url(web, "localhost")))
                    .isEqualTo(PROXY_REFUSES);
            assertThat(curl("--socks5", at(proxy), url(web, "localhost"))).isEqualTo(PROXY_REFUSES);
            assertThat(curl("--socks4", at(proxy), "-U", "alice:secret", url(web, "localhost")))
                    .isEqualTo(PROXY_REFUSES);
            assertThat(web.asked()).hasSize(1);
        }
    }

    @Test
    void curlReportsATargetThatRefuses() throws Exception {
        try (Proxy proxy = proxy(settings -> settings.accessPolicy(request -> false))) {
            assertThat(curl("--socks5", at(proxy), "http://127.0.0.1:1/")).isEqualTo(PROXY_REFUSES);
            assertThat(curl("--socks4", at(proxy), "http://127.0.0.1:1/")).isEqualTo(PROXY_REFUSES);
        }
    }

    // ------------------------------------------------------------------ the JDK

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSocketOfTheJdkConnects(boolean resolved) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy();
                Socket socket = new Socket(new java.net.Proxy(java.net.Proxy.Type.SOCKS, proxy.address()))) {
            socket.connect(
                    resolved ? origin.address() : InetSocketAddress.createUnresolved("localhost", origin.port()),
                    Peer.PATIENCE_MILLIS);
            assertThat(new Peer(socket).send("hello").readText(5)).isEqualTo("hello");
            assertThat(targets).containsExactly(HostPort.of(resolved ? "127.0.0.1" : "localhost", origin.port()));
        }
    }

    /** The JDK takes no proxy for the loopback unless {@code socksNonProxyHosts} is empty. */
    @ParameterizedTest
    @ValueSource(strings = {"4", "5", "password"})
    void aJvmIsSentThroughTheProxyByItsProperties(String how) throws Exception {
        Files.writeString(folder.resolve("Hello.java"), """
                class Hello {
                    public static void main(String[] arguments) throws Exception {
                        java.net.Authenticator.setDefault(new java.net.Authenticator() {
                            @Override
                            protected java.net.PasswordAuthentication getPasswordAuthentication() {
                                return new java.net.PasswordAuthentication("alice", "secret".toCharArray());
                            }
                        });
                        try (var socket = new java.net.Socket("localhost", Integer.parseInt(arguments[0]))) {
                            socket.getOutputStream().write("hello".getBytes());
                            System.out.print(new String(socket.getInputStream().readNBytes(5)));
                        }
                    }
                }
                """);
        List<String> options = new ArrayList<>(List.of("-DsocksProxyHost=127.0.0.1", "-DsocksNonProxyHosts="));
        if (!how.equals("password")) {
            options.add("-DsocksProxyVersion=" + how);
        }
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(how.equals("password"))) {
            options.add("-DsocksProxyPort=" + proxy.address().getPort());
            options.add("Hello.java");
            options.add(String.valueOf(origin.port()));

            assertThat(Program.run(folder, "java", options.toArray(String[]::new))
                            .output())
                    .isEqualTo("hello");
            assertThat(targets).hasSize(1);
        }
    }

    // ------------------------------------------------------------------ netcat, and what uses it

    @ParameterizedTest
    @ValueSource(strings = {"5", "4"})
    void netcatTalks(String version) throws Exception {
        String netcat = Daemon.program("nc.openbsd");
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy()) {
            String line = String.format(
                    "echo hello | %s -N -X %s -x %s 127.0.0.1 %d", netcat, version, at(proxy), origin.port());

            assertThat(Program.run(folder, "sh", "-c", line)).isEqualTo(new Program(0, "hello\n"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "4"})
    void sshComesThroughNetcat(String version) throws Exception {
        String netcat = Daemon.program("nc.openbsd");
        CompletableFuture<String> banner = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    peer.send("SSH-2.0-test\r\n");
                    banner.complete(peer.readLine());
                    peer.send("x".repeat(64)); // no packet, which makes ssh end
                });
                Proxy proxy = proxy()) {
            String command = String.format("ProxyCommand=%s -X %s -x %s %%h %%p", netcat, version, at(proxy));
            Program.run(
                    folder,
                    "ssh",
                    "-F",
                    "/dev/null",
                    "-o",
                    command,
                    "-o",
                    "BatchMode=yes",
                    "-p",
                    String.valueOf(origin.port()),
                    "nobody@127.0.0.1",
                    "true");

            assertThat(banner.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).startsWith("SSH-2.0-OpenSSH");
        }
    }

    // ------------------------------------------------------------------ others

    @ParameterizedTest
    @ValueSource(strings = {"socks5", "socks4", "password"})
    void proxychainsWrapsAProgram(String how) throws Exception {
        boolean password = how.equals("password");
        try (WebServer web = WebServer.start();
                Proxy proxy = proxy(password)) {
            String type = password ? "socks5" : how;
            Files.writeString(
                    folder.resolve("chains.conf"),
                    "strict_chain\nproxy_dns\n[ProxyList]\n" + type + " 127.0.0.1 "
                            + proxy.address().getPort() + (password ? " alice secret" : "") + "\n");
            Program run = Program.run(
                    folder,
                    "proxychains4",
                    "-q",
                    "-f",
                    "chains.conf",
                    Daemon.program("curl"),
                    "--disable",
                    "--silent",
                    "--output",
                    "page",
                    url(web, "127.0.0.1"));

            assertThat(run).isEqualTo(new Program(0, ""));
            assertPage();
            assertThat(targets).containsExactly(HostPort.of("127.0.0.1", web.port()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"socks5", "socks5h", "socks4", "socks4a"})
    void gitListsARepository(String scheme) throws Exception {
        String line = "0123456789012345678901234567890123456789\trefs/heads/main\n";
        try (WebServer web = WebServer.start();
                Proxy proxy = proxy()) {
            web.on("/repository.git/info/refs", exchange -> {
                exchange.getResponseHeaders().set("Content-Type", "text/plain");
                exchange.sendResponseHeaders(200, line.length());
                exchange.getResponseBody().write(line.getBytes(US_ASCII));
                exchange.close();
            });
            Program run = Program.run(
                    folder,
                    "git",
                    "-c",
                    "http.proxy=" + scheme + "://" + at(proxy),
                    "ls-remote",
                    "--heads",
                    "http://127.0.0.1:" + web.port() + "/repository.git");

            assertThat(run.output()).contains(line);
            assertThat(targets).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"SOCKS5", "SOCKS4"})
    void aClientOfPythonConnects(String version) throws Exception {
        Files.writeString(folder.resolve("hello.py"), """
                import sys
                try:
                    import socks
                except ImportError:
                    sys.exit(7)
                client = socks.socksocket()
                client.set_proxy(getattr(socks, sys.argv[1]), "127.0.0.1", int(sys.argv[2]), rdns=True)
                client.connect(("localhost", int(sys.argv[3])))
                client.sendall(b"hello")
                print(client.recv(5).decode(), client.getproxysockname()[1] == client.getproxypeername()[1], end="")
                client.close()
                """);
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy()) {
            Program run = Program.run(
                    folder,
                    "python3",
                    "hello.py",
                    version,
                    String.valueOf(proxy.address().getPort()),
                    String.valueOf(origin.port()));

            assumeFalse(run.exitCode() == 7, "Python has no PySocks");
            assertThat(run).isEqualTo(new Program(0, "hello False"));
            assertThat(targets).containsExactly(HostPort.of("localhost", origin.port()));
        }
    }
}
