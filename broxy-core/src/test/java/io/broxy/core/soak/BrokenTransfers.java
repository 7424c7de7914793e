package io.broxy.core.soak;

import io.broxy.core.soak.HttpOrigin.Kind;
import io.broxy.core.soak.Messages.Answer;
import io.broxy.core.soak.TunnelOrigin.Mode;
import java.io.IOException;
import java.util.concurrent.Future;

/** Clients that break off, and such that stop. Threading: stateless. */
final class BrokenTransfers {
    /** More than the buffers of all sockets on the way hold. */
    private static final long HUGE = 32L << 20;

    /** A stall of 4 s begins when all buffers on the path are full, which takes seconds on a busy machine. */
    private static final long LONGER_THAN_A_STALL_MILLIS = 10_000;

    private static final int MOST = 1 << 20;

    private BrokenTransfers() {}

    /** Resets a tunnel in the middle. */
    static void resetTunnel(Client client) throws Exception {
        client.account().broke();
        Wire wire = client.tunnel(client.host());
        long before = wire.received();
        long size = 1_000L + client.size(MOST);
        wire.send(GoodTunnels.begin(client, Mode.BOTH, size, size));
        Future<?> sending =
                client.scene().beside().run(() -> client.up().write(wire.out(), 0, size / 2, 1 + client.below(MOST)));
        wire.expect(client.down(), 0, size / 2);
        client.account().client(books -> books.tunnelDown += wire.received() - before);
        if (client.oneIn(2)) {
            wire.shutdownOutput();
        }
        wire.reset();
        try {
            Beside.join(sending);
        } catch (IOException e) {
            // it was in the middle of it
        }
    }

    /** The origin resets it. */
    static void originResets(Client client) throws Exception {
        client.account().broke();
        Wire wire = client.tunnel(client.host());
        long before = wire.received();
        long size = 1_000L + client.size(MOST);
        wire.send(GoodTunnels.begin(client, Mode.RESETS, size, size));
        Future<?> sending = client.scene().beside().run(() -> client.up().write(wire.out(), 0, size, 1 + MOST));
        try {
            wire.take(client.down(), 0, Long.MAX_VALUE);
            throw new AssertionError("a stream that was reset looks complete");
        } catch (IOException e) {
            client.account().client(books -> books.tunnelDown += wire.received() - before);
        }
        try {
            Beside.join(sending);
        } catch (IOException e) {
            // the reset came before all was sent
        }
    }

    /** Resets the connection within a response. */
    static void resetDownload(Client client) throws IOException {
        client.account().broke();
        client.account().client(books -> books.exchanges++);
        Wire wire = client.connect();
        Kind kind = client.oneIn(2) ? Kind.CHUNKED : Kind.LENGTH;
        wire.send(client.requestHead("GET", Scene.DIRECT, client.scene().httpPort(), kind, MOST) + "\r\n");
        wire.skip(client.size(MOST / 2));
        client.account().client(books -> books.exchangeDown += wire.received());
        wire.reset();
    }

    /** Resets the connection within a request's body, or ends it there. */
    static void resetUpload(Client client) throws IOException {
        client.account().broke();
        client.account().client(books -> books.exchanges++);
        Wire wire = client.connect();
        wire.send(client.requestHead("POST", Scene.DIRECT, client.scene().httpPort(), Kind.LENGTH, 10)
                + "Content-Length: " + MOST + "\r\n\r\n");
        client.up().write(wire.out(), 0, client.size(MOST / 2), MOST);
        if (client.oneIn(2)) {
            wire.reset();
        }
    }

    /** Sends chunks that are none. */
    static void badChunks(Client client) throws IOException {
        client.account().broke(); // a reset tells the origin that the stream is incomplete
        client.account().client(books -> books.exchanges++);
        Wire wire = client.connect();
        wire.send(client.requestHead("POST", Scene.DIRECT, client.scene().httpPort(), Kind.LENGTH, 10)
                + "Transfer-Encoding: chunked\r\n\r\n");
        int chunk = 1 + client.size(50_000);
        Messages.writeChunk(wire, client.up(), 0, chunk);
        wire.send("ffffffffffffffffff\r\n");
        Answer answer = Messages.read(wire, client.down(), false);
        client.check(answer.own() && answer.status() == 400, "a bad chunk was answered with " + answer.status());
        wire.expectEnd();
    }

    // ------------------------------------------------------------------ those that stop

    /** Takes nothing any more while much is on its way. */
    static void stalledTunnel(Client client) throws Exception {
        client.account().broke();
        Wire wire = client.connectNarrow();
        client.tunnel(wire, Scene.DIRECT);
        wire.send(GoodTunnels.begin(client, Mode.BOTH, 0, HUGE));
        client.pause(LONGER_THAN_A_STALL_MILLIS);
        expectBroken(client, wire, "a tunnel");
    }

    /** The same of a response. */
    static void stalledDownload(Client client) throws Exception {
        client.account().broke();
        client.account().client(books -> books.exchanges++);
        Wire wire = client.connectNarrow();
        wire.send(client.requestHead("GET", Scene.DIRECT, client.scene().httpPort(), Kind.LENGTH, HUGE) + "\r\n");
        client.pause(LONGER_THAN_A_STALL_MILLIS);
        expectBroken(client, wire, "a response");
    }

    private static void expectBroken(Client client, Wire wire, String what) throws Exception {
        if (!client.pause(0)) {
            return;
        }
        wire.drain();
        client.check(wire.received() < HUGE, "the sender does not stall although " + what + " is not read");
    }

    /** Stops within the body of a request. */
    static void stalledUpload(Client client) throws Exception {
        client.account().broke();
        client.account().client(books -> books.exchanges++);
        Wire wire = client.connect();
        wire.send(client.requestHead("POST", Scene.DIRECT, client.scene().httpPort(), Kind.LENGTH, 10)
                + "Content-Length: 1000\r\n\r\n");
        client.up().write(wire.out(), 0, 500, 500);
        if (client.await(wire)) {
            Answer answer = Messages.read(wire, client.down(), false);
            client.check(answer.own() && answer.status() == 408, "half a body was answered with " + answer.status());
        }
    }

    /** A tunnel through which nothing comes, or nothing any more after one side has ended. */
    static void idleTunnel(Client client) throws Exception {
        client.account().broke();
        Wire wire = client.tunnel(client.host());
        wire.send(GoodTunnels.begin(client, client.oneIn(2) ? Mode.ENDS_FIRST : Mode.BOTH, 10_000, 10));
        wire.expect(client.down(), 0, 10);
        if (!client.pause(8_000)) {
            return;
        }
        try {
            for (int i = 0; i < 100; i++) {
                wire.send("is anybody there?");
                client.pause(10);
            }
        } catch (IOException e) {
            return; // no recipient
        }
        throw new AssertionError("a tunnel may be idle for any time");
    }

    /** The origin says nothing. */
    static void silentOrigin(Client client) throws Exception {
        client.account().client(books -> books.exchanges++);
        Wire wire = client.connect();
        wire.send(client.requestHead("GET", Scene.DIRECT, client.scene().httpPort(), Kind.SILENT, 0) + "\r\n");
        if (client.await(wire)) {
            Answer answer = Messages.read(wire, client.down(), false);
            client.check(answer.own() && answer.status() == 504, "silence was answered with " + answer.status());
        } else {
            client.account().broke();
        }
    }
}
