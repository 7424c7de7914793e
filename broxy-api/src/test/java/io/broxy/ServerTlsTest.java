package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.GeneralSecurityException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how the settings of TLS towards clients become those of an engine. */
class ServerTlsTest {
    private final SSLContext context = context();

    private static SSLContext context() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, null, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JVM has TLS", e);
        }
    }

    @Test
    void byDefaultServesTls12And13WithHttp11AndNoCertificates() {
        SSLEngine engine = ServerTls.of(context).newEngine();

        assertThat(engine.getUseClientMode()).isFalse();
        assertThat(engine.getEnabledProtocols()).containsExactlyInAnyOrder("TLSv1.3", "TLSv1.2");
        assertThat(engine.getSSLParameters().getApplicationProtocols()).containsExactly("http/1.1");
        assertThat(engine.getNeedClientAuth()).isFalse();
        assertThat(engine.getWantClientAuth()).isFalse();
    }

    @Test
    void parametersReplaceTheDefaults() {
        SSLParameters parameters = new SSLParameters(new String[] {"TLS_AES_256_GCM_SHA384"}, new String[] {"TLSv1.3"});
        parameters.setApplicationProtocols(new String[] {"corp"});
        parameters.setUseCipherSuitesOrder(true);
        parameters.setSNIMatchers(List.of(SNIHostName.createSNIMatcher("proxy\\.example")));
        SSLEngine engine =
                ServerTls.builder(context).parameters(parameters).build().newEngine();

        assertThat(engine.getEnabledProtocols()).containsExactly("TLSv1.3");
        assertThat(engine.getEnabledCipherSuites()).containsExactly("TLS_AES_256_GCM_SHA384");
        assertThat(engine.getSSLParameters().getApplicationProtocols()).containsExactly("corp");
        assertThat(engine.getSSLParameters().getUseCipherSuitesOrder()).isTrue();
        assertThat(engine.getSSLParameters().getSNIMatchers()).hasSize(1);
    }

    @Test
    void certificatesAreNeededOrWanted() {
        SSLParameters needed = new SSLParameters();
        needed.setNeedClientAuth(true);
        SSLParameters wanted = new SSLParameters();
        wanted.setWantClientAuth(true);

        assertThat(ServerTls.builder(context)
                        .parameters(needed)
                        .build()
                        .newEngine()
                        .getNeedClientAuth())
                .isTrue();
        assertThat(ServerTls.builder(context)
                        .parameters(wanted)
                        .build()
                        .newEngine()
                        .getWantClientAuth())
                .isTrue();
    }

    @Test
    void laterChangesOfTheParametersHaveNoEffect() {
        SSLParameters parameters = new SSLParameters();
        ServerTls tls = ServerTls.builder(context).parameters(parameters).build();
        parameters.setNeedClientAuth(true);

        assertThat(tls.newEngine().getNeedClientAuth()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"SSLv3", "TLSv1", "TLSv1.1", "SSLv2Hello"})
    void olderVersionsAreRefused(String version) {
        SSLParameters parameters = new SSLParameters(null, new String[] {"TLSv1.3", version});

        assertThatThrownBy(() -> ServerTls.builder(context).parameters(parameters))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(version);
    }

    @Test
    void theSupplierIsAskedForEachEngine() {
        Queue<SSLContext> contexts = new ArrayDeque<>(List.of(context, context()));
        ServerTls tls = ServerTls.builder(contexts::remove).build();

        tls.newEngine();
        tls.newEngine();

        assertThat(contexts).isEmpty();
    }

    @Test
    void theIdentityIsNoneUnlessAFunctionTellsIt() {
        assertThat(ServerTls.of(context).identity(context.createSSLEngine().getSession()))
                .isNull();
        assertThat(ServerTls.builder(context)
                        .identity(session -> session.getProtocol())
                        .build()
                        .identity(context.createSSLEngine().getSession()))
                .isEqualTo("NONE");
    }
}
