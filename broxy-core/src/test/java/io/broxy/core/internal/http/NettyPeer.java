package io.broxy.core.internal.http;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What Netty makes of the same bytes: a second opinion on where a message ends and what is in it.
 *
 * <p>Threading: stateless.
 */
final class NettyPeer {

    private NettyPeer() {}

    /** A message as Netty reads it; the body as far as it came. */
    record Message(HttpMessage head, String body, boolean ended) {

        List<HeadGrammar.Field> fields() {
            List<HeadGrammar.Field> fields = new ArrayList<>();
            for (Map.Entry<String, String> each : head.headers()) {
                fields.add(new HeadGrammar.Field(each.getKey(), each.getValue()));
            }
            return fields;
        }
    }

    /** All messages in the bytes, in order. */
    static List<Message> messages(ChannelHandler decoder, byte[]... parts) {
        EmbeddedChannel channel = new EmbeddedChannel(decoder);
        try {
            for (byte[] part : parts) {
                channel.writeInbound(Unpooled.wrappedBuffer(part));
            }
            return messages(channel);
        } finally {
            channel.finishAndReleaseAll();
        }
    }

    private static List<Message> messages(EmbeddedChannel channel) {
        List<Message> messages = new ArrayList<>();
        @Nullable HttpMessage head = null;
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (Object each; (each = channel.readInbound()) != null; ReferenceCountUtil.release(each)) {
            if (((HttpObject) each).decoderResult().isFailure()) {
                throw new AssertionError(
                        "Netty refuses it", ((HttpObject) each).decoderResult().cause());
            }
            if (each instanceof HttpMessage begun) {
                head = begun;
                body.reset();
            }
            if (each instanceof HttpContent content) {
                body.writeBytes(ByteBufUtil.getBytes(content.content()));
            }
            if (head != null && each instanceof LastHttpContent) {
                messages.add(new Message(head, body.toString(StandardCharsets.ISO_8859_1), true));
                head = null;
            }
        }
        if (head != null) {
            messages.add(new Message(head, body.toString(StandardCharsets.ISO_8859_1), false));
        }
        return messages;
    }
}
