package io.broxy.examples.clients;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import javax.net.SocketFactory;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SchemePortResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.io.DefaultHttpClientConnectionOperator;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.http.URIScheme;
import org.apache.hc.core5.http.config.RegistryBuilder;
import org.apache.hc.core5.util.Timeout;

/** Apache HttpClient 5: a builder of connection managers whose sockets are dialed, by name. */
final class HttpClient5Recipe {
    private HttpClient5Recipe() {}

    static PoolingHttpClientConnectionManagerBuilder connections(SocketFactory sockets, Duration timeout) {
        return new DialedConnections(sockets)
                .setDnsResolver(new Unresolved())
                .setDefaultConnectionConfig(ConnectionConfig.custom()
                        .setConnectTimeout(Timeout.of(timeout))
                        .setSocketTimeout(Timeout.ofSeconds(10))
                        .build());
    }

    private static final class DialedConnections extends PoolingHttpClientConnectionManagerBuilder {
        private final SocketFactory sockets;

        DialedConnections(SocketFactory sockets) {
            this.sockets = sockets;
        }

        @Override
        protected HttpClientConnectionOperator createConnectionOperator(
                SchemePortResolver ports, DnsResolver names, TlsSocketStrategy tls) {
            return new DefaultHttpClientConnectionOperator(
                    proxy -> sockets.createSocket(),
                    ports,
                    names,
                    RegistryBuilder.<TlsSocketStrategy>create()
                            .register(URIScheme.HTTPS.id, tls)
                            .build());
        }
    }

    /** Leaves each name to the dialer. */
    private static final class Unresolved extends SystemDefaultDnsResolver {
        @Override
        public List<InetSocketAddress> resolve(String host, int port) {
            return List.of(InetSocketAddress.createUnresolved(host, port));
        }
    }
}
