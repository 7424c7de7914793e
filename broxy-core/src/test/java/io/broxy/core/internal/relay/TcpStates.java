package io.broxy.core.internal.relay;

import static io.broxy.core.internal.relay.RelayRig.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Linux tells about the state of a TCP connection (proc_net_tcp.txt); a test that needs it is skipped elsewhere. */
final class TcpStates {
    private static final List<Path> TABLES = List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"));
    private static final String FIN_WAIT2 = "05";

    private TcpStates() {}

    /** Waits until the other side's kernel has everything that was sent, the end of the stream included. */
    static void awaitEndDelivered(Socket socket) throws IOException {
        assumeTrue(Files.isReadable(TABLES.get(0)), "the system shows no states");
        await().until(() -> FIN_WAIT2.equals(state(socket.getLocalPort(), socket.getPort())));
    }

    private static String state(int localPort, int remotePort) throws IOException {
        Pattern row = Pattern.compile(String.format(
                Locale.ROOT, "\\d+: [0-9A-F]+:%04X [0-9A-F]+:%04X ([0-9A-F]{2}) .*", localPort, remotePort));
        for (Path table : TABLES) {
            for (String line : Files.isReadable(table) ? Files.readAllLines(table) : List.<String>of()) {
                Matcher matcher = row.matcher(line.trim());
                if (matcher.matches()) {
                    return matcher.group(1);
                }
            }
        }
        return "";
    }
}
