package io.broxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.ConnectRequest.Field;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import org.junit.jupiter.api.Test;

/**
 * Specifies what a CONNECT request that the host server has parsed carries: target, fields, early bytes and identity.
 */
class ConnectRequestTest {
    private static final HostPort TARGET = HostPort.parse("example.org:443");

    @Test
    void aPlainRequestHasATargetOnly() {
        ConnectRequest request = ConnectRequest.to(TARGET);

        assertThat(request.target()).isEqualTo(TARGET);
        assertThat(request.fields()).isEmpty();
        assertThat(request.earlyBytes().hasRemaining()).isFalse();
        assertThat(request.identity()).isNull();
    }

    @Test
    void fieldsKeepTheirOrderAndTheirRepetitions() {
        ConnectRequest request = ConnectRequest.builder(TARGET)
                .field("Via", "1.1 a")
                .field("X-Trace", "7")
                .field("Via", "1.1 b")
                .build();

        assertThat(request.fields())
                .containsExactly(new Field("Via", "1.1 a"), new Field("X-Trace", "7"), new Field("Via", "1.1 b"));
        assertThatThrownBy(() -> request.fields().clear()).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void aBuiltRequestDoesNotSeeItsBuilderAgain() {
        ConnectRequest.Builder builder = ConnectRequest.builder(TARGET).field("A", "1");
        ConnectRequest request = builder.build();

        builder.field("B", "2").authenticated("late").earlyBytes(ByteBuffer.allocate(1));

        assertThat(request.fields()).containsExactly(new Field("A", "1"));
        assertThat(request.identity()).isNull();
        assertThat(request.earlyBytes().hasRemaining()).isFalse();
    }

    @Test
    void earlyBytesAreACopyOfWhatRemainedInTheBuffer() {
        ByteBuffer given =
                ByteBuffer.wrap("headhello!".getBytes(US_ASCII)).position(4).limit(9);
        ConnectRequest request =
                ConnectRequest.builder(TARGET).earlyBytes(given).build();

        assertThat(given.position()).isEqualTo(4);
        assertThat(given.limit()).isEqualTo(9);
        given.put(4, (byte) 'X');
        assertThat(US_ASCII.decode(request.earlyBytes()).toString()).isEqualTo("hello");
    }

    @Test
    void everyCallerReadsTheEarlyBytesFromTheirStartAndCannotChangeThem() {
        ConnectRequest request = ConnectRequest.builder(TARGET)
                .earlyBytes(ByteBuffer.wrap("hello".getBytes(US_ASCII)))
                .build();

        ByteBuffer first = request.earlyBytes();
        first.get(new byte[5]);

        assertThat(US_ASCII.decode(request.earlyBytes()).toString()).isEqualTo("hello");
        assertThatThrownBy(() -> request.earlyBytes().put((byte) 'X')).isInstanceOf(ReadOnlyBufferException.class);
    }

    @Test
    void theIdentityIsWhatTheHostServerSays() {
        assertThat(ConnectRequest.builder(TARGET).authenticated("alice").build().identity())
                .isEqualTo("alice");
    }

    @Test
    void theTextNamesTheTargetOnly() {
        ConnectRequest request = ConnectRequest.builder(TARGET)
                .field("Proxy-Authorization", "Basic c2VjcmV0")
                .authenticated("alice")
                .build();

        assertThat(request).hasToString("ConnectRequest[example.org:443]");
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsRefused() {
        ConnectRequest.Builder builder = ConnectRequest.builder(TARGET);

        assertThatNullPointerException().isThrownBy(() -> ConnectRequest.to(null));
        assertThatNullPointerException().isThrownBy(() -> builder.field(null, "a"));
        assertThatNullPointerException().isThrownBy(() -> builder.field("a", null));
        assertThatNullPointerException().isThrownBy(() -> builder.earlyBytes(null));
        assertThatNullPointerException().isThrownBy(() -> builder.authenticated(null));
    }
}
