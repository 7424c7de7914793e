package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectResponse;
import io.broxy.Connection;
import io.broxy.Tunnel;
import io.broxy.core.internal.bridge.HandOff;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.SocketConnection;
import io.broxy.core.internal.net.Transferable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A response that a host server writes, with the tunnel behind it if it is open.
 *
 * <p>Threading: thread-safe.
 */
final class HostResponse implements ConnectResponse {
    private static final String END_OF_HEAD = "\r\n\r\n";
    /** In lower case. */
    private static final Set<String> FRAMING = Set.of("content-length", "connection");

    private final int status;
    private final ByteBuffer message;
    private final List<ConnectRequest.Field> fields;
    private final ByteBuffer body;
    private final ClientConnection connection;
    private final @Nullable OpenedStep opened;
    private final AtomicBoolean relayed = new AtomicBoolean();

    private HostResponse(
            int status,
            ByteBuffer message,
            List<ConnectRequest.Field> fields,
            ByteBuffer body,
            ClientConnection connection,
            @Nullable OpenedStep opened) {
        this.status = status;
        this.message = message;
        this.fields = fields;
        this.body = body;
        this.connection = connection;
        this.opened = opened;
    }

    /**
     * The response with the same content as an answer.
     *
     * @param opened waits for the client; null if the tunnel is not open
     */
    static HostResponse of(Answer answer, ClientConnection connection, @Nullable OpenedStep opened) {
        ByteBuffer message = answer.bytes().asReadOnlyBuffer();
        String text = ISO_8859_1.decode(message.duplicate()).toString();
        int headLength = text.indexOf(END_OF_HEAD) + END_OF_HEAD.length();
        ByteBuffer body = message.duplicate().position(message.position() + headLength);
        return new HostResponse(
                answer.status(), message, fields(text.substring(0, headLength)), body.slice(), connection, opened);
    }

    /** The fields of a head that {@link Responses} has written. */
    private static List<ConnectRequest.Field> fields(String head) {
        return Stream.of(head.split("\r\n"))
                .skip(1)
                .map(line -> {
                    int colon = line.indexOf(':');
                    return new ConnectRequest.Field(
                            line.substring(0, colon), line.substring(colon + 1).strip());
                })
                .filter(field -> !FRAMING.contains(field.name().toLowerCase(Locale.ROOT)))
                .toList();
    }

    @Override
    public boolean isOpen() {
        return opened != null;
    }

    @Override
    public int status() {
        return status;
    }

    @Override
    public List<ConnectRequest.Field> fields() {
        return fields;
    }

    @Override
    public ByteBuffer body() {
        return body.duplicate();
    }

    @Override
    public ByteBuffer message() {
        return message.duplicate();
    }

    // ------------------------------------------------------------------ the tunnel

    @Override
    public Tunnel relay(Connection client, ByteBuffer alreadyRead) {
        Objects.requireNonNull(client, "client");
        ByteBuffer read = Leftover.copy(alreadyRead.duplicate());
        if (opened == null) {
            throw new IllegalStateException("the response is " + status + ": there is no tunnel to relay");
        }
        if (!relayed.compareAndSet(false, true)) {
            throw new IllegalStateException("the tunnel was relayed before");
        }
        if (client instanceof Transferable own) {
            try {
                own.detach();
            } catch (ClosedChannelException e) {
                connection.onLoop(() -> opened.clientGone(e));
                return connection.tunnel();
            } catch (IllegalStateException e) {
                relayed.set(false);
                throw e;
            }
        }
        pass(client, read, opened);
        return connection.tunnel();
    }

    private void pass(Connection client, ByteBuffer read, OpenedStep to) {
        Connection detached = client instanceof Transferable own ? own.detached() : client;
        HandOff taken;
        try {
            if (client instanceof SocketConnection channel) {
                channel.sendAtOnce();
            }
            taken = HandOff.of(client, connection.context().engine().workers());
        } catch (IOException e) {
            HandOff.abort(detached);
            connection.onLoop(() -> to.clientGone(e));
            return;
        }
        if (!to.loop().tryExecute(() -> to.relay(taken.onLoop(to.loop()), read))) {
            HandOff.abort(detached);
        }
    }

    @Override
    public void close() {
        if (opened != null && !relayed.get()) {
            connection.tunnel().end(CloseReason.CLOSED);
        }
    }

    /** Names the status only: fields may hold secrets. */
    @Override
    public String toString() {
        return "ConnectResponse[" + status + "]";
    }
}
