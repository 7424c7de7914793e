package io.broxy.core.internal.haproxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.core.testkit.Pieces;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.haproxy.HAProxyCommand;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Specifies that PROXY headers are parsed as Netty parses them, and that a parsed header can be written and parsed
 * again.
 */
class ProxyHeaderFuzzTest {

    @DictionaryEntries({
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\\x0d\\x0a",
        "PROXY TCP6 ::1 2001:db8::2 1 2\\x0d\\x0a",
        "PROXY UNKNOWN",
        "TCP6 ",
        "\\x0d\\x0a",
        "::ffff:192.0.2.1",
        "65535",
        "\\x0d\\x0a\\x0d\\x0a\\x00\\x0d\\x0aQUIT\\x0a!\\x11\\x00\\x0c",
        "\\x0d\\x0a\\x0d\\x0a\\x00\\x0d\\x0aQUIT\\x0a!!\\x00$",
        "\\x0d\\x0a\\x0d\\x0a\\x00\\x0d\\x0aQUIT\\x0a \\x00\\x00\\x00",
        "\\x03\\x00\\x04"
    })
    @FuzzTest
    void aHeaderIsReadAsNettyReadsIt(byte[] bytes) throws ProxyHeaderException {
        Pieces.Outcome outcome = Pieces.outcome(bytes, Parsing::new);

        assertThat(outcome.consumed()).isLessThanOrEqualTo(ProxyHeaderParser.MAX_BINARY);
        if (outcome.result() instanceof ProxyHeader header) {
            Netty.check(Arrays.copyOf(bytes, outcome.consumed()), header);
            assertThat(new ProxyHeaderParser().feed(ByteBuffer.wrap(ProxyHeaderWriter.version1(header))))
                    .isEqualTo(header);
            assertThat(new ProxyHeaderParser().feed(ByteBuffer.wrap(ProxyHeaderWriter.version2(header))))
                    .isEqualTo(header);
        }
    }

    private static final class Parsing implements Pieces.Parser {
        private final ProxyHeaderParser parser = new ProxyHeaderParser();

        @Override
        public @Nullable Object feed(ByteBuffer in) throws ProxyHeaderException {
            return parser.feed(in);
        }
    }

    /**
     * A class of its own, so that JUnit, which looks at the methods of the test, does not load the record: a JVM that has
     * loaded a record with annotated components lets agents break it (seen on 17.0.15).
     */
    private static final class Netty {
        /**
         * Where addresses are given. Netty refuses the port 0, which the specification allows, and IPv6 addresses of version
         * 1 that end like IPv4 ones and are not mapped, which RFC 4291, section 2.2, allows; and it reads into the values
         * about TLS, which are skipped here.
         */
        static void check(byte[] bytes, ProxyHeader header) {
            InetSocketAddress source = header.source();
            InetSocketAddress destination = header.destination();
            if (source == null || destination == null || hasTlsValue(bytes)) {
                return;
            }
            boolean ipv4AtTheEnd = bytes[9] == '6' && new String(bytes, US_ASCII).indexOf('.') >= 0;
            if (source.getPort() == 0 || destination.getPort() == 0 || ipv4AtTheEnd) {
                return;
            }
            EmbeddedChannel channel = new EmbeddedChannel(new HAProxyMessageDecoder());
            try {
                channel.writeInbound(Unpooled.wrappedBuffer(bytes));
                HAProxyMessage message = channel.readInbound();
                assertThat(message.command()).isEqualTo(HAProxyCommand.PROXY);
                assertThat(address(message.sourceAddress(), message.sourcePort()))
                        .isEqualTo(source);
                assertThat(address(message.destinationAddress(), message.destinationPort()))
                        .isEqualTo(destination);
                message.release();
            } finally {
                channel.finishAndReleaseAll();
            }
        }

        /** In version 2, anywhere after the addresses: a closer look would be a third parser. */
        private static boolean hasTlsValue(byte[] bytes) {
            for (int at = 16 + 12; bytes[0] == '\r' && at < bytes.length; at++) {
                if (bytes[at] == 0x20) {
                    return true;
                }
            }
            return false;
        }

        private static InetSocketAddress address(String literal, int port) {
            try {
                return new InetSocketAddress(InetAddress.getByName(literal), port);
            } catch (UnknownHostException e) {
                throw new AssertionError("no address: " + literal, e);
            }
        }
    }
}
