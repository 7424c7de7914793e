package io.broxy.core.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies what the operating system reports when a peer breaks its connection, on which the relay's rules depend. */
@ExtendWith(LeakCheck.class)
class WriteFailuresTest {

    @FunctionalInterface
    private interface Step {
        void run(Peer peer, SocketChannel near) throws IOException;
    }

    private static void withConnection(Step step) throws IOException {
        try (ServerSocketChannel server =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                Peer peer = Peer.connect(server.getLocalAddress());
                SocketChannel near = server.accept()) {
            step.run(peer, near);
        }
    }

    private static IOException failureOfWriting(SocketChannel channel) {
        return catchThrowableOfType(IOException.class, () -> {
            for (int i = 0; i < 1_000; i++) {
                channel.write(ByteBuffer.allocate(1));
            }
        });
    }

    @Test
    void writeToPeerThatResetsAfterItsEndIsDistinguished() throws IOException {
        withConnection((peer, near) -> {
            peer.shutdownOutput();
            peer.reset();

            assertThat(failureOfWriting(near)).matches(WriteFailures::isAfterEnd);
        });
    }

    @Test
    void writeToPeerThatResetsBeforeItsEndIsDistinguished() throws IOException {
        withConnection((peer, near) -> {
            peer.reset();

            assertThat(failureOfWriting(near)).isNotNull().matches(failure -> !WriteFailures.isAfterEnd(failure));
        });
    }

    @Test
    void bytesOfPeerThatResetsAfterItsEndCanStillBeReadToTheirEnd() throws IOException {
        withConnection((peer, near) -> {
            peer.send(new byte[10_000]).shutdownOutput();
            peer.reset();
            assertThat(failureOfWriting(near)).matches(WriteFailures::isAfterEnd);

            assertThat(near.socket().getInputStream().readAllBytes()).hasSize(10_000);
        });
    }

    @Test
    void resetThatAWriteHasFoundIsNotReportedToReads() throws IOException {
        withConnection((peer, near) -> {
            peer.reset();
            assertThat(failureOfWriting(near)).isNotNull();

            assertThat(near.read(ByteBuffer.allocate(1)))
                    .as("why the write's failure must decide")
                    .isEqualTo(-1);
        });
    }

    @Test
    void bytesOfPeerThatResetsBeforeItsEndCanBeReadUpToTheReset() throws IOException {
        withConnection((peer, near) -> {
            peer.send("half");
            peer.reset();

            assertThat(near.read(ByteBuffer.allocate(10))).isEqualTo(4);
            assertThatThrownBy(() -> near.read(ByteBuffer.allocate(10))).isInstanceOf(IOException.class);
        });
    }

    @Test
    void streamsOfSocketsFailTheSameWay() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Peer ending = Peer.connect(server.getLocalSocketAddress());
                Socket nearEnding = server.accept();
                Peer breaking = Peer.connect(server.getLocalSocketAddress());
                Socket nearBreaking = server.accept()) {
            ending.shutdownOutput();
            ending.reset();
            breaking.reset();

            assertThat(failureOfWriting(nearEnding)).matches(WriteFailures::isAfterEnd);
            assertThat(failureOfWriting(nearBreaking)).isNotNull().matches(e -> !WriteFailures.isAfterEnd(e));
        }
    }

    private static IOException failureOfWriting(Socket socket) {
        return catchThrowableOfType(IOException.class, () -> {
            for (int i = 0; i < 1_000; i++) {
                socket.getOutputStream().write(1);
            }
        });
    }
}
