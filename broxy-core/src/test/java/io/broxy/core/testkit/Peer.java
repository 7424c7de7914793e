package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;

/** A socket with the verbs of a script. No read waits longer than {@link #PATIENCE_MILLIS}. */
public final class Peer implements AutoCloseable {
    /** Long enough for a slow machine; a test that waits for it has failed. */
    public static final int PATIENCE_MILLIS = (int) TimeUnit.SECONDS.toMillis(20);

    private final Socket socket;
    private final InputStream in;

    /** A peer over a connected socket. */
    public Peer(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.setTcpNoDelay(true);
        in = socket.getInputStream();
    }

    /** Connects. */
    public static Peer connect(SocketAddress address) throws IOException {
        Socket socket = new Socket();
        try {
            socket.connect(address, PATIENCE_MILLIS);
            return new Peer(socket);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** Connects to a port of the loopback. */
    public static Peer connect(int port) throws IOException {
        return connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    /** The socket. */
    public Socket socket() {
        return socket;
    }

    /** Sends a text, in one piece. */
    public Peer send(String text) throws IOException {
        return send(text.getBytes(ISO_8859_1));
    }

    /** Sends bytes, in one piece. */
    public Peer send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    /** Reads as many bytes as that, no fewer. */
    public byte[] read(int count) throws IOException {
        byte[] bytes = in.readNBytes(count);
        if (bytes.length < count) {
            throw new EOFException("the stream ended after " + bytes.length + " of " + count + " bytes");
        }
        return bytes;
    }

    /** Reads as many bytes as that, as a text. */
    public String readText(int count) throws IOException {
        return new String(read(count), ISO_8859_1);
    }

    /** Reads to the end of the stream, as a text. */
    public String readAll() throws IOException {
        return new String(in.readAllBytes(), ISO_8859_1);
    }

    /** Reads a head up to its empty line, byte by byte, so that no later byte is consumed. */
    public String readHead() throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.length() < 4 || !head.substring(head.length() - 4).equals("\r\n\r\n")) {
            int b = in.read();
            if (b < 0) {
                throw new EOFException("the stream ended within a head: " + head);
            }
            head.append((char) b);
        }
        return head.toString();
    }

    /** Reads a line, and gives it without its end. */
    public String readLine() throws IOException {
        StringBuilder line = new StringBuilder();
        while (line.length() < 2 || !line.substring(line.length() - 2).equals("\r\n")) {
            int b = in.read();
            if (b < 0) {
                throw new EOFException("the stream ended within a line: " + line);
            }
            line.append((char) b);
        }
        return line.substring(0, line.length() - 2);
    }

    /** Expects the end of the stream, and no byte before it. */
    public void expectEnd() throws IOException {
        assertThat(in.read()).as("the end of the stream").isEqualTo(-1);
    }

    /** Expects a reset, possibly after bytes. */
    public void expectReset() {
        assertThatThrownBy(() -> in.transferTo(java.io.OutputStream.nullOutputStream()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("reset");
    }

    /** Ends the output; reading continues. */
    public Peer shutdownOutput() throws IOException {
        socket.shutdownOutput();
        return this;
    }

    /** Breaks the connection: the other side sees a reset. */
    public void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
