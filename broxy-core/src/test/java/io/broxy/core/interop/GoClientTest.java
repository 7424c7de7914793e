package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Authenticator;
import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Program;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.TlsProxy;
import io.broxy.core.testkit.WebServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies that Go's {@code net/http} works with a proxy that speaks TLS, and with SOCKS5. Skipped where Go is missing. */
@ExtendWith(LeakCheck.class)
class GoClientTest {
    private static final String CLIENT = """
            package main

            import (
                "crypto/tls"
                "crypto/x509"
                "fmt"
                "io"
                "net/http"
                "net/url"
                "os"
            )

            func main() {
                proxy, _ := url.Parse(os.Args[1])
                pem, _ := os.ReadFile("trusted.pem")
                trusted := x509.NewCertPool()
                trusted.AppendCertsFromPEM(pem)
                client := http.Client{Transport: &http.Transport{
                    Proxy:           http.ProxyURL(proxy),
                    TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "localhost"},
                }}
                response, err := client.Get(os.Args[2])
                if err != nil {
                    fmt.Println(err)
                    os.Exit(1)
                }
                body, err := io.ReadAll(response.Body)
                fmt.Println(response.StatusCode, len(body), err)
            }
            """;

    private static Path folder;

    /** It may compile a part of its library, too, and so has a cache of its own. */
    @BeforeAll
    static void build(@TempDir Path made) throws Exception {
        folder = made;
        Certificates.loopback().writePem(folder.resolve("trusted.pem"), folder.resolve("trusted-key.pem"));
        Files.writeString(folder.resolve("client.go"), CLIENT);
        Program go = Program.run(
                folder,
                "env",
                "GOCACHE=" + folder.resolve("cache"),
                "GO111MODULE=off",
                "HOME=" + folder,
                Daemon.program("go"),
                "build",
                "-o",
                "client",
                "client.go");
        assertThat(go).isEqualTo(new Program(0, ""));
    }

    private static String get(String proxy, String url) throws Exception {
        return Program.run(folder, "env", "GODEBUG=", folder.resolve("client").toString(), proxy, url)
                .output();
    }

    @Test
    void plainHttpGoesThroughAProxyThatSpeaksTls() throws Exception {
        try (WebServer web = WebServer.start();
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            assertThat(get("https://localhost:" + proxy.port(), web.url("/bytes/100000/1")))
                    .isEqualTo("200 100000 <nil>\n");
            assertThat(proxy.stats().totalExchanges()).isEqualTo(1);
        }
    }

    @Test
    void httpsIsTunneledThroughAProxyThatSpeaksTls() throws Exception {
        try (Origin origin = Origin.startTls(Certificates.loopback(), peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsealed");
                });
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            assertThat(get("https://localhost:" + proxy.port(), "https://127.0.0.1:" + origin.port() + "/"))
                    .isEqualTo("200 6 <nil>\n");
            assertThat(proxy.stats().establishedTunnels()).isEqualTo(1);
        }
    }

    @Test
    void socks5CarriesANameAndAPassword() throws Exception {
        Queue<HostPort> targets = new ConcurrentLinkedQueue<>();
        try (WebServer web = WebServer.start();
                Proxy proxy = Proxy.start(settings -> settings.socks(true)
                        .authenticator(Authenticator.basic("r", Credentials.basic("alice", "secret")))
                        .accessPolicy(request -> targets.add(request.target())))) {
            String port = String.valueOf(proxy.address().getPort());

            assertThat(get(
                            "socks5://alice:secret@127.0.0.1:" + port,
                            "http://localhost:" + web.port() + "/bytes/1000/1"))
                    .isEqualTo("200 1000 <nil>\n");
            assertThat(targets).containsExactly(HostPort.of("localhost", web.port()));
            assertThat(get("socks5://alice:wrong@127.0.0.1:" + port, web.url("/bytes/1/1")))
                    .contains("authentication failed");
        }
    }
}
