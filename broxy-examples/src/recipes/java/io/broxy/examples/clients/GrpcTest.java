package io.broxy.examples.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.HostPort;
import io.broxy.core.LocalProxy;
import io.broxy.core.testkit.BlackHole;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies gRPC's Netty channel through a local proxy and a dialer. */
class GrpcTest {
    private static final MethodDescriptor<String, String> GREET = MethodDescriptor.<String, String>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("recipes.Greeter/Greet")
            .setRequestMarshaller(new Text())
            .setResponseMarshaller(new Text())
            .build();

    private static Path folder;

    private static Server server;

    private static final class Text implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String value) {
            return new ByteArrayInputStream(value.getBytes(UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @BeforeAll
    static void start(@TempDir Path temporary) throws Exception {
        folder = temporary;
        Path certificate = folder.resolve("certificate.pem");
        Path key = folder.resolve("key.pem");
        CorporateNetwork.certificates().writePem(certificate, key);
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .useTransportSecurity(certificate.toFile(), key.toFile())
                .addService(ServerServiceDefinition.builder("recipes.Greeter")
                        .addMethod(GREET, ServerCalls.asyncUnaryCall((request, response) -> {
                            response.onNext("hello " + request);
                            response.onCompleted();
                        }))
                        .build())
                .build()
                .start();
    }

    @AfterAll
    static void stop() throws Exception {
        server.shutdownNow().awaitTermination(20, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @EnumSource
    void callsOverTls(CorporateNetwork.Via via) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.localProxy(via)) {
            assertThat(call(proxy, server.getPort(), 20_000)).isEqualTo("hello world");
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, server.getPort()));
        }
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient();
                LocalProxy proxy = network.localProxy(CorporateNetwork.Via.HTTP)) {
            assertThatThrownBy(() -> call(proxy, hole.target().port(), 200))
                    .isInstanceOf(StatusRuntimeException.class)
                    .hasMessageContaining("DEADLINE_EXCEEDED");
        }
    }

    private static String call(LocalProxy proxy, int port, long millis) throws Exception {
        NettyChannelBuilder builder = GrpcRecipe.channel(
                CorporateNetwork.HOST + ":" + port,
                proxy.address(),
                Objects.requireNonNull(proxy.proxyUri().credentials()));
        ManagedChannel channel = builder.sslContext(GrpcSslContexts.forClient()
                        .trustManager(folder.resolve("certificate.pem").toFile())
                        .build())
                .build();
        try {
            return ClientCalls.blockingUnaryCall(
                    channel, GREET, CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS), "world");
        } finally {
            channel.shutdownNow().awaitTermination(20, TimeUnit.SECONDS);
        }
    }
}
