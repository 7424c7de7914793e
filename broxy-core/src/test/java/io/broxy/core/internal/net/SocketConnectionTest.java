package io.broxy.core.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.Connection;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies connections over socket channels, which always block for their user. */
@ExtendWith(LeakCheck.class)
class SocketConnectionTest implements ConnectionContract {

    @Override
    public Transferable connect(SocketAddress address) throws IOException {
        return SocketConnection.of(SocketChannel.open(address));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void connectionBlocksWhateverTheChannelsMode(boolean blocking) throws Exception {
        try (Origin origin = Origin.echo();
                SocketChannel channel = SocketChannel.open(origin.address())) {
            channel.configureBlocking(blocking);

            try (Connection connection = SocketConnection.of(channel)) {
                connection.write(ByteBuffer.wrap(new byte[] {7}));
                ByteBuffer into = ByteBuffer.allocate(10);
                assertThat(connection.read(into)).isEqualTo(1);
                assertThat(into.get(0)).isEqualTo((byte) 7);
                assertThat(connection.isOpen()).isTrue();
            }
            assertThat(channel.isOpen()).isFalse();
        }
    }

    @Test
    void channelThatIsNotConnectedIsClosed() throws Exception {
        SocketChannel channel = SocketChannel.open();

        assertThatThrownBy(() -> SocketConnection.of(channel))
                .isInstanceOf(SocketException.class)
                .hasMessageContaining("not connected");
        assertThat(channel.isOpen()).isFalse();
        assertThatThrownBy(() -> SocketConnection.of(channel)).isInstanceOf(ClosedChannelException.class);
    }
}
