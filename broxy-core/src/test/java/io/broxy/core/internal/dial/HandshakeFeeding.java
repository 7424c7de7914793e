package io.broxy.core.internal.dial;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.ProxyReply;
import io.broxy.core.testkit.Pieces;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A handshake as a parser: its result is what it sent, a line a message. Whether the connection can be used again is not
 * compared, for it depends on what came with the last byte.
 *
 * <p>Threading: for one thread.
 */
final class HandshakeFeeding implements Pieces.Parser {
    private final Handshake handshake;
    private final StringBuilder sent = new StringBuilder();

    HandshakeFeeding(Handshake handshake) {
        this.handshake = handshake;
        send();
    }

    private void send() {
        byte[] bytes = new byte[handshake.output().remaining()];
        handshake.output().get(bytes);
        sent.append(HexFormat.of().formatHex(bytes)).append('\n');
    }

    @Override
    public @Nullable Object feed(ByteBuffer in) throws HandshakeException {
        while (true) {
            switch (handshake.feed(in)) {
                case SEND -> send();
                case READ -> {
                    return null;
                }
                case DONE -> {
                    return sent.toString();
                }
            }
        }
    }

    /** A body that is too long is refused with its first piece that is, of which nothing more is taken. */
    @Override
    public boolean countsUpToRefusal() {
        return !(handshake instanceof ConnectHandshake);
    }

    @Override
    public Object unfinished() {
        HandshakeException soFar = handshake.refusalSoFar();
        return sent + (soFar == null ? "" : describe(soFar));
    }

    @Override
    public String describe(Exception refusal) {
        HandshakeException refused = (HandshakeException) refusal;
        ProxyReply reply = refused.reply();
        String body = reply == null ? "" : ISO_8859_1.decode(reply.body()).toString();
        return refused.reason() + " " + refused.getMessage() + " " + (reply == null ? "" : reply.fields()) + body;
    }
}
