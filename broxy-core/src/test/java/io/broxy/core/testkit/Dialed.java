package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;

/** Reads, writes and failures of connections that a dialer opened. */
public final class Dialed {
    private Dialed() {}

    /** Reads so many bytes, or fewer when the stream ends before. */
    public static String read(Connection connection, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining() && connection.read(bytes) >= 0) {
            // on
        }
        return ISO_8859_1.decode(bytes.flip()).toString();
    }

    /** Writes all of a text. */
    public static void write(Connection connection, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(ISO_8859_1));
        while (bytes.hasRemaining()) {
            connection.write(bytes);
        }
    }

    /** Dials, which must fail. */
    public static DialException failure(Dialer dialer, HostPort target) {
        return failure(dialer, DialRequest.to(target));
    }

    /** Dials, which must fail. */
    public static DialException failure(Dialer dialer, DialRequest request) {
        DialException failure = catchThrowableOfType(
                DialException.class, () -> dialer.dial(request).close());
        return Objects.requireNonNull(failure, "the dial did not fail");
    }
}
