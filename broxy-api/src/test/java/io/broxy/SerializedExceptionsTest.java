package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that an exception that is serialized and read back keeps everything that it promises. */
class SerializedExceptionsTest {
    private static final HostPort TARGET = HostPort.parse("example.org:443");

    @SuppressWarnings("unchecked")
    private static <T> T readBack(T object) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(object);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return (T) in.readObject();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDialExceptionOfAnyReason(DialException.Reason reason) throws Exception {
        DialException failure = new DialException(reason, TARGET, Duration.ofMillis(7), List.of(), null);

        DialException read = readBack(failure);

        assertThat(read).hasMessage(failure.getMessage()).hasNoCause();
        assertThat(read.reason()).isEqualTo(reason);
        assertThat(read.target()).isEqualTo(TARGET);
        assertThat(read.attempts()).isEmpty();
        assertThat(read.proxy()).isNull();
        assertThat(read.proxyReply()).isNull();
    }

    @Test
    void aDialExceptionWithEverything() throws Exception {
        InetSocketAddress address = new InetSocketAddress(Literals.address("2001:db8::1"), 443);
        ConnectException refused = new ConnectException("Connection refused");
        DialException failure = DialException.builder(DialException.Reason.PROXY_REFUSED, TARGET)
                .duration(Duration.ofMillis(7))
                .proxy(HostPort.parse("[2001:db8::2]:3128"))
                .proxyReply(new ProxyReply(
                        ProxyReply.Protocol.HTTP,
                        403,
                        List.of(new ConnectRequest.Field("Server", "x")),
                        ByteBuffer.wrap("no".getBytes(UTF_8))))
                .attempts(List.of(new DialException.Attempt(address, refused, Duration.ofMillis(3))))
                .cause(new IOException("behind it"))
                .build();

        DialException read = readBack(failure);

        assertThat(read).hasMessage(failure.getMessage());
        assertThat(read.getCause()).hasMessage("behind it");
        assertThat(read.getSuppressed()).singleElement().isInstanceOf(ConnectException.class);
        assertThat(read.proxy()).isEqualTo(failure.proxy());
        assertThat(read.attempts()).singleElement().satisfies(attempt -> {
            assertThat(attempt.address()).isEqualTo(address);
            assertThat(attempt.failure()).hasMessage("Connection refused");
            assertThat(attempt.duration()).isEqualTo(Duration.ofMillis(3));
        });
        ProxyReply reply = Objects.requireNonNull(read.proxyReply());
        assertThat(reply).hasToString("HTTP 403");
        assertThat(reply.fields()).containsExactly(new ConnectRequest.Field("Server", "x"));
        assertThat(UTF_8.decode(reply.body()).toString()).isEqualTo("no");
    }

    @ParameterizedTest
    @EnumSource
    void anOriginException(OriginException.Reason reason) throws Exception {
        OriginException read = readBack(new OriginException(reason, TARGET, null));

        assertThat(read.reason()).isEqualTo(reason);
        assertThat(read.target()).isEqualTo(TARGET);
    }

    @ParameterizedTest
    @EnumSource
    void aRefusedException(RefusedException.Reason reason) throws Exception {
        RefusedException read = readBack(new RefusedException(reason, 403, "refused"));

        assertThat(read.reason()).isEqualTo(reason);
        assertThat(read.status()).isEqualTo(403);
    }

    @Test
    void theOthers() throws Exception {
        RuleException rule = readBack(new RuleException("rules", 3, "no host"));
        assertThat(rule.index()).isEqualTo(3);
        assertThat(rule.reason()).isEqualTo("no host");
        assertThat(readBack(new CopyException("writing failed", 5, new IOException("x")))
                        .copied())
                .isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"example.org:443", "192.0.2.1:80", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:80"})
    void aTargetIsCanonicalAgain(String text) throws Exception {
        HostPort target = HostPort.parse(text);

        HostPort read = readBack(target);

        assertThat(read).isEqualTo(target).hasToString(target.toString());
        assertThat(read.address()).isEqualTo(target.address());
    }
}
