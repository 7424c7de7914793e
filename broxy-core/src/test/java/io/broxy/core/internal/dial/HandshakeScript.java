package io.broxy.core.internal.dial;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Plays the proxy's side of a handshake: the same bytes whole, byte by byte, and in pieces of every length. */
final class HandshakeScript {
    private HandshakeScript() {}

    /**
     * How it ended.
     *
     * @param sent all that the handshake wanted to send
     * @param rest what it left in the buffer, with what was not fed any more
     */
    record Outcome(boolean done, @Nullable HandshakeException failure, String sent, String rest) {}

    static Outcome allWays(Supplier<? extends Handshake> handshakes, byte[] answer) {
        Outcome whole = inPieces(handshakes.get(), answer, Math.max(1, answer.length));
        for (int length = 1; length < answer.length; length += answer.length > 500 ? 97 : 1) {
            Outcome cut = inPieces(handshakes.get(), answer, length);
            assertThat(describe(cut)).as("in pieces of %s", length).isEqualTo(describe(whole));
        }
        return whole;
    }

    static Outcome inPieces(Handshake handshake, byte[] answer, int length) {
        StringBuilder sent = new StringBuilder(text(handshake.output()));
        int from = 0;
        while (from < answer.length) {
            int to = Math.min(answer.length, from + length);
            ByteBuffer in = ByteBuffer.wrap(Arrays.copyOfRange(answer, from, to));
            try {
                while (in.hasRemaining()) {
                    switch (handshake.feed(in)) {
                        case SEND -> sent.append(text(handshake.output()));
                        case READ -> assertThat(in.hasRemaining()).isFalse();
                        case DONE -> {
                            int at = from + in.position();
                            return new Outcome(
                                    true,
                                    null,
                                    sent.toString(),
                                    new String(answer, at, answer.length - at, ISO_8859_1));
                        }
                    }
                }
            } catch (HandshakeException e) {
                return new Outcome(false, e, sent.toString(), "");
            }
            from = to;
        }
        return new Outcome(false, null, sent.toString(), "");
    }

    static HandshakeException failureOf(Handshake handshake, ByteBuffer in) {
        try {
            return fail("the proxy was taken to say " + handshake.feed(in));
        } catch (HandshakeException e) {
            return e;
        }
    }

    static String text(ByteBuffer bytes) {
        return ISO_8859_1.decode(bytes.duplicate()).toString();
    }

    /** Whether bytes after a refusal arrive together with it depends on the split, and so does its reusability. */
    private static String describe(Outcome outcome) {
        HandshakeException failure = outcome.failure();
        String why = failure == null ? "" : failure.reason() + " " + failure.getMessage();
        return outcome.done() + " " + why + " " + outcome.sent() + " " + outcome.rest();
    }
}
