package io.broxy.examples.clients;

import io.broxy.Credentials;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.http.apache.ProxyConfiguration;

/** AWS SDK for Java 2: its Apache client takes a proxy, and so does each of its other HTTP clients. */
final class AwsRecipe {
    private AwsRecipe() {}

    static ApacheHttpClient.Builder http(InetSocketAddress proxy, Credentials login, Duration timeout) {
        return ApacheHttpClient.builder()
                .proxyConfiguration(ProxyConfiguration.builder()
                        .endpoint(URI.create("http://" + proxy.getHostString() + ":" + proxy.getPort()))
                        .username(login.user())
                        .password(login.password())
                        .preemptiveBasicAuthenticationEnabled(true)
                        .useSystemPropertyValues(false)
                        .useEnvironmentVariableValues(false)
                        .build())
                .connectionTimeout(timeout);
    }
}
