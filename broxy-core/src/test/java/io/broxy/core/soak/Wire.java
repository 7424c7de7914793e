package io.broxy.core.soak;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.core.testkit.Peer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A socket that counts what is read from it. Threading: one thread reads, and one writes. */
final class Wire implements AutoCloseable {
    /** The end of what a careful proxy can take for the end of a head. */
    private static final int LONGEST_LINE = 32 << 10;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final byte[] buffer = new byte[16 << 10];
    private int start;
    private int end;
    private long received;

    Wire(Socket socket) throws IOException {
        this.socket = socket;
        this.in = socket.getInputStream();
        this.out = socket.getOutputStream();
        socket.setSoTimeout(Peer.PATIENCE_MILLIS);
        socket.setTcpNoDelay(true);
    }

    /** The bytes that were taken from the stream so far, those of heads included. */
    long received() {
        return received;
    }

    /** Where a piece of a stream is written to. */
    OutputStream out() {
        return out;
    }

    void send(String text) throws IOException {
        send(text.getBytes(ISO_8859_1));
    }

    void send(byte[] bytes) throws IOException {
        out.write(bytes);
    }

    void shutdownOutput() throws IOException {
        socket.shutdownOutput();
    }

    /** Waits for what is read as long as it takes. */
    void waitForever() throws IOException {
        socket.setSoTimeout(0);
    }

    /** Closes it so that the other side sees a reset. */
    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    // ------------------------------------------------------------------ reading

    /** False at the end of the stream. */
    private boolean fill() throws IOException {
        if (start == end) {
            start = 0;
            end = 0; // and so it stays if the time is over
            end = Math.max(in.read(buffer), 0);
        }
        return start < end;
    }

    /** Whether within that time something comes, and be it the end of the stream. */
    boolean comes(int millis) throws IOException {
        socket.setSoTimeout(millis);
        try {
            fill();
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        } finally {
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
        }
    }

    private void take(int count) {
        start += count;
        received += count;
    }

    /** A line without its end; null at the end of the stream. */
    @Nullable
    String line() throws IOException {
        StringBuilder line = new StringBuilder();
        while (fill()) {
            char c = (char) (buffer[start] & 0xFF);
            take(1);
            if (c == '\n') {
                return line.length() > 0 && line.charAt(line.length() - 1) == '\r'
                        ? line.substring(0, line.length() - 1)
                        : line.toString();
            }
            line.append(c);
            if (line.length() > LONGEST_LINE) {
                throw new AssertionError("a line without an end: " + line.substring(0, 80));
            }
        }
        if (line.length() > 0) {
            throw new EOFException("the stream ended within a line: " + line);
        }
        return null;
    }

    /** Takes bytes that must be those of a pattern; fails at the end of the stream. */
    void expect(Pattern pattern, long from, long count) throws IOException {
        long got = take(pattern, from, count);
        if (got < count) {
            throw new EOFException("the stream ended after " + (from + got) + " of " + (from + count) + " bytes");
        }
    }

    /** Takes bytes that must be those of a pattern, to the end of the stream or so many; gives how many came. */
    long take(Pattern pattern, long from, long most) throws IOException {
        long done = 0;
        while (done < most && fill()) {
            int count = (int) Math.min(end - start, most - done);
            pattern.verify(buffer, start, count, from + done);
            take(count);
            done += count;
        }
        return done;
    }

    /** A byte, without its sign; -1 at the end of the stream. */
    int octet() throws IOException {
        if (!fill()) {
            return -1;
        }
        take(1);
        return buffer[start - 1] & 0xFF;
    }

    /** Takes so many bytes, whatever they are. */
    void skip(long count) throws IOException {
        for (long left = count; left > 0; ) {
            if (!fill()) {
                throw new EOFException("the stream ended " + left + " bytes too early");
            }
            int some = (int) Math.min(end - start, left);
            take(some);
            left -= some;
        }
    }

    /** The next thing must be the end of the stream. */
    void expectEnd() throws IOException {
        if (fill()) {
            throw new AssertionError("more came than was asked for: "
                    + new String(Arrays.copyOfRange(buffer, start, Math.min(end, start + 80)), ISO_8859_1));
        }
    }

    /** Takes and forgets what comes until the end of the stream, which may be a reset. */
    void drain() throws IOException {
        try {
            while (fill()) {
                take(end - start);
            }
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException e) {
            // that is an end, too
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
