package io.broxy.core.soak;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A web server. The path of a request selects the kind and size of the response; the field {@code X-Soak} names the client. It
 * closes no connection that it could keep, but for {@link Kind#GONE} and {@link Kind#DYING}.
 */
final class HttpOrigin {
    private static final int CHUNK = 5_000;
    private static final int PIECE = 32 << 10;

    /** How it answers. */
    enum Kind {
        LENGTH,
        CHUNKED,
        /** The end of the connection is the end of the body. */
        CLOSE,
        /** 204. */
        NOTHING,
        /** 304. */
        SAME,
        /** The connection becomes an echo. */
        UPGRADE,
        /** The stream ends within a body of announced length. */
        CUT,
        /** The same in chunks. */
        CUT_CHUNKS,
        /** The connection is reset within the body. */
        RESET,
        /** The connection ends instead of an answer. */
        NO_ANSWER,
        /** Something comes that is no answer. */
        NONSENSE,
        /** Nothing ever comes. */
        SILENT,
        /** As {@link #LENGTH}, but the connection is closed afterwards without a word of it. */
        GONE,
        /** The same up to a millisecond later, or at the end of the second that was promised. */
        DYING
    }

    private final Ledger ledger;

    private HttpOrigin(Ledger ledger) {
        this.ledger = ledger;
    }

    static Origin start(Ledger ledger) throws IOException {
        return Origin.start(new HttpOrigin(ledger)::play);
    }

    /** The path for an answer. */
    static String path(Kind kind, long bytes) {
        return "/" + kind.name().toLowerCase(Locale.ROOT) + "/" + bytes;
    }

    private void play(Peer peer) throws IOException {
        Wire wire = new Wire(peer.socket());
        wire.waitForever(); // a pool keeps its connections as long as it likes
        Asked asked;
        do {
            asked = Asked.read(wire);
        } while (asked != null && serve(asked, wire) && goesOn(asked, wire));
    }

    /** Whether the connection is kept after an answer. */
    private static boolean goesOn(Asked asked, Wire wire) throws IOException {
        if (asked.kind != Kind.DYING) {
            return true;
        }
        if (promises(asked)) {
            boolean asksMore = wire.comes(1_000);
            wire.waitForever();
            return asksMore;
        }
        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(asked.bytes % 1_000));
        return false;
    }

    private static boolean promises(Asked asked) {
        return asked.bytes % 4 == 0;
    }

    /** A request's head. */
    private record Asked(
            int client,
            boolean head,
            Kind kind,
            long bytes,
            long length,
            boolean chunked,
            boolean expects,
            long headBytes) {

        /** Null at the end of the stream. */
        static @Nullable Asked read(Wire wire) throws IOException {
            long before = wire.received();
            String line = wire.line();
            if (line == null) {
                return null;
            }
            String[] words = line.split("[ /]+", -1); // GET /length/17 HTTP/1.1
            int client = -1;
            long length = 0;
            boolean chunked = false;
            boolean expects = false;
            for (String field = wire.line(); field != null && !field.isEmpty(); field = wire.line()) {
                String lower = field.toLowerCase(Locale.ROOT);
                String value = field.substring(field.indexOf(':') + 1).trim();
                if (lower.startsWith("x-soak:")) {
                    client = Integer.parseInt(value);
                } else if (lower.startsWith("content-length:")) {
                    length = Long.parseLong(value);
                } else if (lower.startsWith("transfer-encoding:")) {
                    chunked = true;
                } else if (lower.startsWith("expect:")) {
                    expects = true;
                }
            }
            if (client < 0) {
                throw new AssertionError("a request arrived that no client has sent: " + line);
            }
            Kind kind = Kind.valueOf(words[1].toUpperCase(Locale.ROOT));
            long headBytes = wire.received() - before;
            return new Asked(
                    client,
                    words[0].equals("HEAD"),
                    kind,
                    Long.parseLong(words[2]),
                    length,
                    chunked,
                    expects,
                    headBytes);
        }
    }

    /** False if the connection ends with it. */
    private boolean serve(Asked asked, Wire wire) throws IOException {
        long before = wire.received() - asked.headBytes;
        Account account = ledger.of(asked.client);
        account.originBegins();
        try {
            if (asked.kind == Kind.UPGRADE) {
                upgrade(account, asked, wire);
                return false;
            }
            try {
                readBody(asked, wire);
            } finally {
                account.origin(books -> books.exchangeUp += wire.received() - before);
            }
            return answer(asked, wire);
        } catch (AssertionError e) {
            ledger.fault(account + ": its web server: " + e.getMessage());
            return false;
        } finally {
            account.originEnds();
        }
    }

    private static void readBody(Asked asked, Wire wire) throws IOException {
        if (asked.expects) {
            wire.send("HTTP/1.1 100 Continue\r\n\r\n");
        }
        Pattern pattern = Pattern.up(asked.client);
        if (asked.chunked) {
            Messages.readChunks(wire, pattern);
        } else {
            wire.expect(pattern, 0, asked.length);
        }
    }

    private static boolean answer(Asked asked, Wire wire) throws IOException {
        long bytes = asked.bytes;
        switch (asked.kind) {
            case LENGTH -> body(asked, wire, "Content-Length: " + bytes, bytes);
            case CHUNKED -> {
                wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                if (!asked.head) {
                    chunks(asked, wire, bytes);
                    wire.send("0\r\n\r\n");
                }
            }
            case CLOSE -> {
                body(asked, wire, "Connection: close", bytes);
                return false;
            }
            case NOTHING -> wire.send("HTTP/1.1 204 No Content\r\n\r\n");
            case SAME -> wire.send("HTTP/1.1 304 Not Modified\r\nContent-Length: " + bytes + "\r\n\r\n");
            case CUT -> {
                body(asked, wire, "Content-Length: " + bytes, bytes / 2);
                return false;
            }
            case CUT_CHUNKS -> {
                wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                chunks(asked, wire, bytes);
                return false;
            }
            case RESET -> {
                body(asked, wire, "Content-Length: " + bytes, bytes / 2);
                wire.reset();
                return false;
            }
            case NO_ANSWER -> {
                return false;
            }
            case NONSENSE -> {
                wire.send("SSH-2.0-OpenSSH_9.2p1\r\n\r\n");
                return false;
            }
            case SILENT -> {
                wire.drain();
                return false;
            }
            case GONE -> {
                body(asked, wire, "Content-Length: " + bytes, bytes);
                return false;
            }
            case DYING -> {
                String promise = promises(asked) ? "\r\nKeep-Alive: timeout=1, max=100" : "";
                body(asked, wire, "Content-Length: " + bytes + promise, bytes);
            }
            case UPGRADE -> throw new IllegalStateException("that is no answer");
        }
        return true;
    }

    private static void body(Asked asked, Wire wire, String framing, long bytes) throws IOException {
        byte[] head = ("HTTP/1.1 200 OK\r\nServer: soak\r\n" + framing + "\r\n\r\n").getBytes(ISO_8859_1);
        wire.send(head);
        if (!asked.head) {
            Pattern.down(asked.client).write(wire.out(), 0, bytes, PIECE);
        }
    }

    private static void chunks(Asked asked, Wire wire, long bytes) throws IOException {
        Pattern pattern = Pattern.down(asked.client);
        for (long done = 0; done < bytes; done += CHUNK) {
            Messages.writeChunk(wire, pattern, done, (int) Math.min(CHUNK, bytes - done));
        }
    }

    private static void upgrade(Account account, Asked asked, Wire wire) throws IOException {
        account.origin(books -> books.upgradeUp += asked.headBytes);
        wire.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: soak\r\n\r\n");
        long echoed =
                TunnelOrigin.echo(asked.client, wire, count -> account.origin(books -> books.tunnelDown += count));
        account.origin(books -> books.tunnelUp += echoed);
        wire.shutdownOutput();
    }
}
