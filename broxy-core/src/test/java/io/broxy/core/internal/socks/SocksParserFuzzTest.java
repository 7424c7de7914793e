package io.broxy.core.internal.socks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.HostPort;
import io.broxy.core.internal.socks.SocksFeeding.Outcome;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Specifies that clients of SOCKS are read as by a blocking server, which reads the RFCs a second time. */
class SocksParserFuzzTest {

    @DictionaryEntries({
        "\\x05\\x01\\x00\\x05\\x01\\x00\\x01\\x7f\\x00\\x00\\x01\\x00P",
        "\\x05\\x01\\x00\\x05\\x01\\x00\\x03\\x09localhost\\x00P",
        "\\x05\\x02\\x00\\x02\\x01\\x01u\\x01p\\x05\\x01\\x00\\x04",
        "\\x04\\x01\\x00P\\x00\\x00\\x00\\x01\\x00localhost\\x00",
        "\\x04\\x01\\x00P\\x7f\\x00\\x00\\x01user\\x00",
        "::ffff:192.0.2.1",
        "127.0.0.1"
    })
    @FuzzTest
    void aClientIsReadAsABlockingServerReadsIt(byte[] bytes) throws IOException {
        check(bytes, false);
        check(bytes, true);
    }

    private static void check(byte[] bytes, boolean authenticates) throws IOException {
        Outcome outcome = SocksFeeding.talk(authenticates, bytes);
        BlockingServer server = new BlockingServer(bytes, authenticates);
        server.serve();

        assertThat(outcome.messages().stream().map(SocksParserFuzzTest::text)).containsExactlyElementsOf(server.said);
        assertThat(outcome.answer()).isEqualTo(server.refusal);
        assertThat(outcome.consumed()).isEqualTo(bytes.length - server.in.available());
        assertThat(outcome.needsMore()).isEqualTo(server.ended);
    }

    private static String text(SocksMessage message) {
        if (message instanceof SocksMessage.Login login) {
            String pair = login.authorization().substring("Basic ".length());
            return "login " + new String(Base64.getDecoder().decode(pair), ISO_8859_1);
        }
        if (message instanceof SocksMessage.Connect connect) {
            return connect.version() + " " + place(connect.target());
        }
        return "method " + ((SocksMessage.Greeting) message).method();
    }

    private static String place(HostPort target) {
        InetAddress address = target.address();
        return (address == null ? target.host() : address.getHostAddress()) + " " + target.port();
    }

    /** Reads from a stream, of which it takes what it needs next. Threading: for one thread. */
    private static final class BlockingServer {
        private final DataInputStream in;
        private final boolean authenticates;
        private final List<String> said = new ArrayList<>();
        private @Nullable String refusal;
        private boolean ended;

        BlockingServer(byte[] bytes, boolean authenticates) {
            this.in = new DataInputStream(new ByteArrayInputStream(bytes));
            this.authenticates = authenticates;
        }

        void serve() throws IOException {
            try {
                refusal = switch (in.readByte()) {
                    case 5 -> greeting();
                    case 4 -> authenticates ? "00 5d 00 00 00 00 00 00" : version4();
                    default -> "";
                };
            } catch (EOFException e) {
                ended = true;
            }
        }

        private @Nullable String greeting() throws IOException {
            String offered = new String(read(in.readUnsignedByte()), ISO_8859_1);
            if (offered.indexOf(0) >= 0 && !authenticates) {
                said.add("method 0");
                return version5();
            }
            if (offered.indexOf(2) < 0) {
                return "05 ff";
            }
            said.add("method 2");
            return login() ? version5() : "01 01";
        }

        private boolean login() throws IOException {
            if (in.readByte() != 1) {
                return false;
            }
            String user = new String(read(in.readUnsignedByte()), ISO_8859_1);
            if (user.isEmpty() || (authenticates && user.contains(":"))) {
                return false;
            }
            said.add("login " + user + ":" + new String(read(in.readUnsignedByte()), ISO_8859_1));
            return true;
        }

        private @Nullable String version5() throws IOException {
            if (in.readByte() != 5) {
                return failure5(1);
            }
            if (in.readByte() != 1) {
                return failure5(7);
            }
            if (in.readByte() != 0) {
                return failure5(1);
            }
            int type = in.readByte();
            String host;
            if (type == 1 || type == 4) {
                host = InetAddress.getByAddress(read(4 * type)).getHostAddress();
            } else if (type == 3) {
                int length = in.readUnsignedByte();
                if (length == 0) {
                    return failure5(1);
                }
                host = new String(read(length), ISO_8859_1);
            } else {
                return failure5(8);
            }
            return connect("SOCKS5", host, in.readUnsignedShort()) ? null : failure5(1);
        }

        private @Nullable String version4() throws IOException {
            String failure = "00 5b 00 00 00 00 00 00";
            if (in.readByte() != 1) {
                return failure;
            }
            int port = in.readUnsignedShort();
            byte[] address = read(4);
            if (zeroEnded() == null) {
                return failure;
            }
            String host = InetAddress.getByAddress(address).getHostAddress();
            if (host.startsWith("0.0.0.") && !host.equals("0.0.0.0")) {
                host = zeroEnded();
            }
            return host != null && connect("SOCKS4", host, port) ? null : failure;
        }

        private static String failure5(int code) {
            return "05 0" + code + " 00 01 00 00 00 00 00 00";
        }

        private boolean connect(String version, String host, int port) {
            try {
                said.add(version + " " + place(HostPort.of(host, port)));
                return true;
            } catch (IllegalArgumentException e) {
                return false;
            }
        }

        private byte[] read(int count) throws IOException {
            byte[] bytes = new byte[count];
            if (in.available() < count) {
                in.skipNBytes(in.available());
            }
            in.readFully(bytes);
            return bytes;
        }

        private @Nullable String zeroEnded() throws IOException {
            StringBuilder text = new StringBuilder();
            for (char c = (char) in.readUnsignedByte(); c != 0; c = (char) in.readUnsignedByte()) {
                if (text.append(c).length() == 256) {
                    return null;
                }
            }
            return text.toString();
        }
    }
}
