package io.broxy.core.internal.tls;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.ServerTls;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Pieces;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Specifies what becomes of a client's first bytes, whatever they are: they are refused, or more are needed. Only bytes that
 * begin as those of a handshake come so far.
 */
class ClientHelloFuzzTest {
    private static final ServerTls TLS = ServerTls.of(Certificates.loopback().server());
    private static final byte HANDSHAKE = 22;
    private static final int HEADER = 5;
    private static final int LARGEST_FRAGMENT = 1 << 14;
    private static final String NOTHING_SENT = "[]";
    private static final String ALERT = "alert";

    @DictionaryEntries({
        "\\x16\\x03\\x01",
        "\\x16\\x03\\x03\\x00\\x00",
        "\\x14\\x03\\x03\\x00\\x01\\x01",
        "\\x15\\x03\\x03\\x00\\x02\\x02\\x28",
        "\\x01\\x00\\x00",
        "\\x00\\x2b\\x00\\x03\\x02\\x03\\x04",
        "\\x00\\x2b\\x00\\x03\\x02\\x03\\x03",
        "\\x00\\x10\\x00\\x05\\x00\\x03\\x02h2",
        "\\x00\\x00\\x00\\x0e\\x00\\x0c\\x00\\x00\\x09localhost"
    })
    @FuzzTest
    void theFirstBytesOfAClientAreRefusedOrAreNotEnough(byte[] bytes) {
        if (bytes.length == 0) {
            return;
        }
        bytes[0] = HANDSHAKE;
        Pieces.Outcome outcome = Pieces.outcome(bytes, Feeding::new);

        assertThat(outcome.complete()).as("a handshake without a secret").isFalse();
        if (isPartOfARecord(bytes)) {
            assertThat(outcome.refusal()).isNull();
            assertThat(outcome.result()).isEqualTo(NOTHING_SENT);
        } else if (outcome.refusal() != null) {
            assertThat(outcome.refusal()).isInstanceOf(SSLException.class);
            assertThat(String.valueOf(outcome.described()).indexOf(ALERT + ", "))
                    .isNegative(); // it is the last record
        }
    }

    /** Whether it is the beginning of one that may be sent (RFC 8446 section 5.1). */
    private static boolean isPartOfARecord(byte[] bytes) {
        if (bytes.length < HEADER) {
            return true;
        }
        int length = (bytes[3] & 0xFF) << 8 | (bytes[4] & 0xFF);
        return bytes[1] == 3 && length <= LARGEST_FRAGMENT && bytes.length < HEADER + length;
    }

    /** A server's side of a handshake as a parser; it tells which kinds of records it has sent. */
    private static final class Feeding implements Pieces.Parser {
        private static final int MOST_SENT = 32 << 10;

        private final TlsEngine engine = new TlsEngine(TLS.newEngine(), true);

        private final ByteBuffer in = ByteBuffer.allocate(1 << 20).limit(0);
        private final List<String> sent = new ArrayList<>();
        private int sentBytes;

        @Override
        public @Nullable Object feed(ByteBuffer piece) throws SSLException {
            in.compact().put(piece).flip();
            ByteBuffer out = ByteBuffer.allocate(TlsEngine.RECORD_SIZE);
            while (true) {
                TlsEngine.Step step;
                try {
                    step = engine.handshake(in, out.clear());
                } finally {
                    note(out.flip());
                }
                switch (step) {
                    case INPUT -> {
                        return null;
                    }
                    case TASK -> engine.runTasks();
                    case ROOM ->
                        assertThat(out.limit()).as("bytes of a full buffer").isPositive();
                    default -> {
                        return step;
                    }
                }
            }
        }

        private void note(ByteBuffer records) {
            sentBytes += records.remaining();
            assertThat(sentBytes).isLessThan(MOST_SENT);
            while (records.hasRemaining()) {
                int type = records.get();
                assertThat(records.getShort()).as("the version of a record").isEqualTo((short) 0x0303);
                int length = records.getShort();
                sent.add(
                        switch (type) {
                            case 20 -> "change_cipher_spec";
                            case 21 -> ALERT;
                            case 22 -> "handshake";
                            case 23 -> "encrypted";
                            default -> throw new AssertionError("a record of type " + type);
                        });
                records.position(records.position() + length);
            }
        }

        @Override
        public Object unfinished() {
            return sent.toString();
        }

        /** What has been read by then depends on the pieces. */
        @Override
        public boolean countsUpToRefusal() {
            return false;
        }

        @Override
        public String describe(Exception refusal) {
            ByteBuffer out = ByteBuffer.allocate(TlsEngine.RECORD_SIZE);
            try {
                engine.encryptOwn(out);
            } catch (SSLException e) {
                throw new AssertionError("an alert cannot be made", e);
            }
            note(out.flip());
            return sent.toString();
        }
    }
}
