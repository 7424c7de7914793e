package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Program;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.TlsProxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies that Chromium works with a proxy that speaks TLS, and with one that speaks SOCKS5. Skipped where it is missing. */
@ExtendWith(LeakCheck.class)
class ChromiumTest {
    /** A name that only the proxy can resolve, and that the browser does not take for its own machine. */
    private static final String HOST = "page.test";

    private final Queue<HostPort> targets = new ConcurrentLinkedQueue<>();
    private final Path folder;

    ChromiumTest(@TempDir Path folder) {
        this.folder = folder;
    }

    /** The browser asks for services of its maker, too, which are refused. */
    private void settings(ProxyHandler.Builder settings) {
        settings.socks(true).accessPolicy(request -> {
            boolean ours = request.target().host().equals(HOST);
            return ours && targets.add(request.target());
        });
    }

    private static void page(Peer peer) throws Exception {
        while (true) {
            String path = peer.readHead().split(" ", 3)[1];
            String body = path.equals("/") ? "<p>it works</p>" : "";
            peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " + body.length() + "\r\n\r\n"
                    + body);
        }
    }

    private String dom(String proxy, String url) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                "--user-data-dir=" + folder.resolve("profile"),
                "--ignore-certificate-errors-spki-list="
                        + Certificates.loopback().publicKeyDigest(),
                "--proxy-server=" + proxy,
                "--proxy-bypass-list=<-loopback>",
                "--dump-dom",
                url));
        return Program.run(folder, "chromium", arguments.toArray(String[]::new)).output();
    }

    @Test
    void plainHttpGoesThroughAProxyThatSpeaksTls() throws Exception {
        try (Origin origin = Origin.start(ChromiumTest::page);
                TlsProxy proxy = TlsProxy.start((broxy, settings) -> {
                    settings(settings);
                    settings.dialer(broxy.directDialer()
                            .resolver(host -> List.of(origin.address().getAddress()))
                            .build());
                })) {
            assertThat(dom("https://localhost:" + proxy.port(), "http://" + HOST + ":" + origin.port() + "/"))
                    .contains("<p>it works</p>");
            assertThat(targets).contains(HostPort.of(HOST, origin.port()));
            assertThat(proxy.stats().totalExchanges()).isPositive();
        }
    }

    @Test
    void httpsIsTunneledThroughAProxyThatSpeaksTls() throws Exception {
        try (Origin origin = Origin.startTls(Certificates.loopback(), ChromiumTest::page);
                TlsProxy proxy = TlsProxy.start((broxy, settings) -> {
                    settings(settings);
                    settings.dialer(broxy.directDialer()
                            .resolver(host -> List.of(origin.address().getAddress()))
                            .build());
                })) {
            assertThat(dom("https://localhost:" + proxy.port(), "https://" + HOST + ":" + origin.port() + "/"))
                    .contains("<p>it works</p>");
            assertThat(proxy.stats().establishedTunnels()).isPositive();
        }
    }

    @Test
    void aPageIsReachedThroughSocks5ByAName() throws Exception {
        try (Origin origin = Origin.start(ChromiumTest::page);
                Proxy proxy = Proxy.start((broxy, settings) -> {
                    settings(settings);
                    settings.dialer(broxy.directDialer()
                            .resolver(host -> List.of(origin.address().getAddress()))
                            .build());
                })) {
            assertThat(dom(
                            "socks5://127.0.0.1:" + proxy.address().getPort(),
                            "http://" + HOST + ":" + origin.port() + "/"))
                    .contains("<p>it works</p>");
            assertThat(targets).contains(HostPort.of(HOST, origin.port()));
            assertThat(proxy.handler().stats().establishedTunnels()).isPositive();
        }
    }
}
