package io.broxy.core.limits;

import io.broxy.AddressPolicy;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * A proxy in a process of its own, which may have few descriptors. It says its port, answers each line with the number of
 * its connections, and ends with its input.
 */
final class ExhaustedProxy {
    private ExhaustedProxy() {}

    /** Runs it. */
    public static void main(String[] args) throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build();
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            ProxyHandler handler = broxy.proxyHandler()
                    .addressPolicy(AddressPolicy.any())
                    .headTimeout(Duration.ofMinutes(2))
                    .build();
            ProxyServer server = broxy.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), handler);
            System.out.println(((InetSocketAddress) server.localAddress()).getPort());
            while (in.readLine() != null) {
                System.out.println(handler.stats().openConnections());
            }
        }
    }
}
