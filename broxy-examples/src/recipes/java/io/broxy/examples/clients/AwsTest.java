package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.core.LocalProxy;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.TlsTrustManagersProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/** Specifies the AWS SDK's client of S3 through a local proxy and a dialer, with a web server in the place of S3. */
class AwsTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @ParameterizedTest
    @EnumSource
    void getsAnObject(CorporateNetwork.Via via) throws Exception {
        try (HelloServer web = HelloServer.http(1)) {
            assertGets(via, web);
        }
    }

    @ParameterizedTest
    @EnumSource
    void getsAnObjectOverTls(CorporateNetwork.Via via) throws Exception {
        try (HelloServer web = HelloServer.https(1)) {
            assertGets(via, web);
        }
    }

    private static void assertGets(CorporateNetwork.Via via, HelloServer web) throws Exception {
        TlsTrustManagersProvider trust =
                () -> new TrustManager[] {CorporateNetwork.certificates().trustManager()};
        try (CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.localProxy(via);
                SdkHttpClient http = AwsRecipe.http(
                                proxy.address(),
                                Objects.requireNonNull(proxy.proxyUri().credentials()),
                                TIMEOUT)
                        .tlsTrustManagersProvider(trust)
                        .build();
                S3Client s3 = S3Client.builder()
                        .httpClient(http)
                        .endpointOverride(URI.create(web.url("")))
                        .forcePathStyle(true)
                        .region(Region.EU_CENTRAL_1)
                        .credentialsProvider(
                                StaticCredentialsProvider.create(AwsBasicCredentials.create("key", "only-for-tests")))
                        .build()) {
            ResponseBytes<GetObjectResponse> object =
                    s3.getObjectAsBytes(request -> request.bucket("greetings").key("hello"));

            assertThat(object.asUtf8String()).isEqualTo("hello");
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, web.port()));
        }
    }
}
