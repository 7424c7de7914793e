package io.broxy.core.soak;

import io.broxy.core.soak.HttpOrigin.Kind;
import io.broxy.core.soak.Messages.Answer;
import java.io.IOException;

/**
 * Clients of an origin that closes connections just as the next request may arrive: after an answer, or at the end of the time
 * that it has promised. Threading: stateless.
 */
final class DyingOrigins {
    private static final int MOST = 100_000;

    private DyingOrigins() {}

    /** Requests of all kinds, those among them that cannot be sent twice: all are answered. */
    static void mixed(Client client) throws IOException, InterruptedException {
        client.account().headsChange(); // a GET that comes when the origin has gone is sent again
        String host = client.host();
        Wire wire = client.connect();
        int requests = 1 + client.below(8);
        for (int i = 0; i < requests && client.pause(client.oneIn(4) ? client.below(5) : 0); i++) {
            boolean post = client.oneIn(2);
            int length = post ? client.size(MOST) : 0;
            String head = client.requestHead(
                    post ? "POST" : "GET", host, client.scene().moodyPort(), Kind.DYING, client.size(MOST));
            client.account().client(books -> books.exchanges++);
            wire.send(head + (post ? "Content-Length: " + length + "\r\n\r\n" : "\r\n"));
            client.up().write(wire.out(), 0, length, 1 + client.size(MOST));
            long before = wire.received();
            Answer answer = Messages.read(wire, client.down(), false);
            client.account().client(books -> books.exchangeDown += wire.received() - before);
            client.check(
                    answer.status() == 200,
                    "a " + (post ? "POST" : "GET") + " of a dying origin was answered with " + answer.status());
        }
    }
}
