package io.broxy.core.proxyprotocol;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.ProxyProtocol;
import io.broxy.core.testkit.Peer;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import io.netty.handler.codec.haproxy.HAProxyProtocolVersion;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** What a header of the PROXY protocol says to Netty. Threading: stateless. */
final class SentHeader {
    private static final int BINARY_START = 16;

    private SentHeader() {}

    /** Reads one header and nothing after it, and formats it like {@link #of}. */
    static String read(Peer peer) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] first = peer.read(1);
        bytes.write(first);
        if (first[0] == 'P') {
            bytes.write((peer.readLine() + "\r\n").getBytes(ISO_8859_1));
        } else {
            byte[] start = peer.read(BINARY_START - 1);
            bytes.write(start);
            bytes.write(peer.read(((start[13] & 0xff) << 8) | (start[14] & 0xff)));
        }
        return parsed(bytes.toByteArray());
    }

    private static String parsed(byte[] header) {
        EmbeddedChannel channel = new EmbeddedChannel(new HAProxyMessageDecoder());
        try {
            channel.writeInbound(Unpooled.wrappedBuffer(header));
            HAProxyMessage message = channel.readInbound();
            String text = message.protocolVersion() + " " + message.command() + " " + message.proxiedProtocol();
            if (message.sourceAddress() != null) {
                text += " " + message.sourceAddress() + " " + message.sourcePort();
                text += " " + message.destinationAddress() + " " + message.destinationPort();
            }
            message.release();
            return text;
        } finally {
            channel.finishAndReleaseAll();
        }
    }

    /** What is expected to be sent for a client over IPv4. */
    static String of(ProxyProtocol version, SocketAddress source, SocketAddress destination) {
        InetSocketAddress from = (InetSocketAddress) source;
        InetSocketAddress to = (InetSocketAddress) destination;
        return netty(version) + " PROXY TCP4 " + from.getAddress().getHostAddress() + " " + from.getPort() + " "
                + to.getAddress().getHostAddress() + " " + to.getPort();
    }

    /** The expected header without a client. */
    static String ofNobody(ProxyProtocol version) {
        return netty(version) + (version == ProxyProtocol.V1 ? " PROXY UNKNOWN" : " LOCAL UNKNOWN");
    }

    private static HAProxyProtocolVersion netty(ProxyProtocol version) {
        return version == ProxyProtocol.V1 ? HAProxyProtocolVersion.V1 : HAProxyProtocolVersion.V2;
    }
}
