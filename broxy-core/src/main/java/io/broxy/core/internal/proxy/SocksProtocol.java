package io.broxy.core.internal.proxy;

import io.broxy.DialException;
import io.broxy.RefusedException;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.socks.SocksException;
import io.broxy.core.internal.socks.SocksParser;
import io.broxy.core.internal.socks.SocksReply;
import io.broxy.core.internal.socks.SocksVersion;
import io.broxy.core.internal.socks.SocksWriter;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * SOCKS: until the request is complete, a refusal has the form of the message that the client waits for; from then on it is a reply
 * to the request.
 *
 * <p>Threading: owned by the client's event loop.
 */
final class SocksProtocol implements ClientProtocol {
    private final SocksVersion version;
    /** Null once the request is complete. */
    private @Nullable SocksParser parser;

    /** Begins with a client that has said nothing but its version. */
    SocksProtocol(SocksVersion version, SocksParser parser) {
        this.version = version;
        this.parser = parser;
    }

    /** The request is complete. */
    void requested() {
        parser = null;
    }

    @Override
    public String logName() {
        return switch (version) {
            case SOCKS4 -> "socks4";
            case SOCKS5 -> "socks5";
        };
    }

    @Override
    public Answer refused(RefusedException refusal, boolean withBody) {
        return answer(refusal.status(), SocksReply.of(refusal.reason()));
    }

    /** The last answer to a message that breaks the protocol, or asks for what is not served. */
    Answer refused(SocksException problem) {
        return answer(problem.refusal().status(), problem.reply());
    }

    @Override
    public Answer failed(DialException failure) {
        return answer(Responses.status(failure), SocksReply.of(failure));
    }

    @Override
    public Answer internalError() {
        return answer(Responses.INTERNAL_ERROR, SocksReply.GENERAL_FAILURE);
    }

    private Answer answer(int status, SocksReply reply) {
        byte[] bytes = parser == null ? SocksWriter.reply(version, reply, null) : parser.refusal(reply);
        return new Answer(status, ByteBuffer.wrap(bytes));
    }

    @Override
    public ByteBuffer established(LoopBuffers buffers, LoopConnection origin) {
        byte[] reply = SocksWriter.reply(version, SocksReply.SUCCEEDED, origin.localAddress());
        return buffers.borrow(reply.length).put(reply).flip();
    }
}
