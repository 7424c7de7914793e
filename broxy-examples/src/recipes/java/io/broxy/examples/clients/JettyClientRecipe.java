package io.broxy.examples.clients;

import io.broxy.Credentials;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.eclipse.jetty.client.BasicAuthentication;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.HttpProxy;
import org.eclipse.jetty.client.transport.HttpClientTransportOverHTTP;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.util.ssl.SslContextFactory;

/** Jetty's HTTP client: it takes a proxy, and the credentials for it. */
final class JettyClientRecipe {
    private JettyClientRecipe() {}

    /** Returns a client to start. */
    static HttpClient client(
            InetSocketAddress proxy, Credentials login, SslContextFactory.Client tls, Duration timeout) {
        ClientConnector connector = new ClientConnector();
        connector.setSslContextFactory(tls);
        HttpClient client = new HttpClient(new HttpClientTransportOverHTTP(connector));
        HttpProxy through = new HttpProxy(proxy.getHostString(), proxy.getPort());
        client.getProxyConfiguration().addProxy(through);
        client.getAuthenticationStore()
                .addAuthenticationResult(new BasicAuthentication.BasicResult(
                        through.getURI(), HttpHeader.PROXY_AUTHORIZATION, login.user(), login.password()));
        client.setConnectTimeout(timeout.toMillis());
        return client;
    }
}
