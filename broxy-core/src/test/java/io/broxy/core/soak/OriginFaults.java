package io.broxy.core.soak;

import io.broxy.core.soak.HttpOrigin.Kind;
import io.broxy.core.soak.Messages.Answer;
import java.io.IOException;

/** Good clients of bad origins. Threading: stateless. */
final class OriginFaults {
    private static final int MOST = 300_000;
    private static final Kind[] CUTS = {Kind.CUT, Kind.CUT_CHUNKS, Kind.RESET};

    private OriginFaults() {}

    /** A response that is cut is cut to the client, too, and nothing is added to it. */
    static void cut(Client client) throws IOException {
        Kind kind = CUTS[client.below(CUTS.length)];
        Wire wire = ask(client, client.scene().httpPort(), kind, 100 + client.size(MOST));
        try {
            Answer answer = Messages.read(wire, client.down(), false);
            client.check(answer.own() && answer.status() == 502, "a response that was cut looks complete");
        } catch (IOException e) {
            client.account().client(books -> books.exchangeDown += wire.received());
        }
    }

    /** No answer, or none that is one. */
    static void noAnswer(Client client) throws IOException {
        Kind kind = client.oneIn(2) ? Kind.NO_ANSWER : Kind.NONSENSE;
        Wire wire = ask(client, client.scene().httpPort(), kind, 0);
        Answer answer = Messages.read(wire, client.down(), false);
        client.check(answer.own() && answer.status() == 502, kind + " was answered with " + answer.status());
    }

    /** The origin closes its connections at any time, which its clients do not notice. */
    static void gone(Client client) throws IOException {
        client.account().headsChange(); // what comes when the origin has gone is sent again
        Wire wire = client.connect();
        int requests = 1 + client.below(5);
        for (int i = 0; i < requests; i++) {
            client.account().client(books -> books.exchanges++);
            wire.send(client.requestHead("GET", Scene.DIRECT, client.scene().moodyPort(), Kind.GONE, client.size(MOST))
                    + "\r\n");
            long before = wire.received();
            Answer answer = Messages.read(wire, client.down(), false);
            client.account().client(books -> books.exchangeDown += wire.received() - before);
            client.check(answer.status() == 200, "a moody origin was answered for with " + answer.status());
        }
    }

    private static Wire ask(Client client, int port, Kind kind, long bytes) throws IOException {
        client.account().client(books -> books.exchanges++);
        Wire wire = client.connect();
        wire.send(client.requestHead("GET", Scene.DIRECT, port, kind, bytes) + "\r\n");
        return wire;
    }
}
