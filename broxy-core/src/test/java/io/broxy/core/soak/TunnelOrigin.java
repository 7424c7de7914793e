package io.broxy.core.soak;

import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** The far end of tunnels. The first line through each names the client and what must happen. */
final class TunnelOrigin {
    /** The size of a message in a conversation. */
    static final int MESSAGE = 64;

    private static final int PIECE = 32 << 10;

    /** What happens. */
    enum Mode {
        /** Both send and read concurrently, and the origin ends after the client. */
        BOTH,
        /** As {@link #BOTH}, but the origin ends as soon as it has sent all, and reads on. */
        ENDS_FIRST,
        /** One message after another. */
        TALK,
        /** The origin resets the connection halfway. */
        RESETS
    }

    private final Ledger ledger;
    private final Beside beside;

    private TunnelOrigin(Ledger ledger, Beside beside) {
        this.ledger = ledger;
        this.beside = beside;
    }

    static Origin start(Ledger ledger, Beside beside) throws IOException {
        return Origin.start(new TunnelOrigin(ledger, beside)::play);
    }

    /** The first line. */
    static String line(int client, Mode mode, long up, long down) {
        return client + " " + mode + " " + up + " " + down + "\n";
    }

    private void play(Peer peer) throws Exception {
        Wire wire = new Wire(peer.socket());
        String line = wire.line();
        if (line != null) { // else the client has broken off
            String[] words = line.split(" ", -1);
            int client = Integer.parseInt(words[0]);
            serve(client, wire, Mode.valueOf(words[1]), Long.parseLong(words[2]), Long.parseLong(words[3]));
        }
    }

    private void serve(int client, Wire wire, Mode mode, long up, long down) throws Exception {
        Account account = ledger.of(client);
        account.originBegins();
        try {
            account.origin(books -> books.tunnelDown += down);
            switch (mode) {
                case BOTH -> both(client, wire, up, down, false);
                case ENDS_FIRST -> both(client, wire, up, down, true);
                case TALK -> talk(client, wire, up);
                case RESETS -> {
                    Pattern.down(client).write(wire.out(), 0, down / 2, PIECE);
                    wire.expect(Pattern.up(client), 0, up / 2);
                    wire.reset();
                }
            }
        } catch (AssertionError e) {
            ledger.fault(account + ": its tunnel's origin: " + e.getMessage());
        } finally {
            account.origin(books -> books.tunnelUp += wire.received());
            account.originEnds();
        }
    }

    private void both(int client, Wire wire, long up, long down, boolean endsFirst) throws Exception {
        Future<?> sending = beside.run(() -> {
            Pattern.down(client).write(wire.out(), 0, down, PIECE);
            if (endsFirst) {
                wire.shutdownOutput();
            }
        });
        wire.expect(Pattern.up(client), 0, up);
        wire.expectEnd();
        Beside.join(sending);
        if (!endsFirst) {
            wire.shutdownOutput();
        }
    }

    private static void talk(int client, Wire wire, long bytes) throws IOException {
        for (long done = 0; done < bytes; done += MESSAGE) {
            wire.expect(Pattern.up(client), done, MESSAGE);
            Pattern.down(client).write(wire.out(), done, MESSAGE, MESSAGE);
        }
        wire.expectEnd();
        wire.shutdownOutput();
    }

    /** Echoes to the end of the stream what must be a client's pattern; gives how much it was. */
    static long echo(int client, Wire wire, Consumer<Long> before) throws IOException {
        long done = 0;
        while (true) {
            long start = done;
            long got = wire.take(Pattern.up(client), start, MESSAGE);
            if (got == 0) {
                return done;
            }
            before.accept(got);
            Pattern.up(client).write(wire.out(), start, got, PIECE);
            done += got;
        }
    }
}
