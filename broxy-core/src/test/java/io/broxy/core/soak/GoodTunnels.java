package io.broxy.core.soak;

import io.broxy.core.soak.TunnelOrigin.Mode;
import java.io.IOException;
import java.util.concurrent.Future;

/** Clients that use tunnels as they are meant. Threading: stateless. */
final class GoodTunnels {
    private static final int MOST = 1 << 20;

    private GoodTunnels() {}

    /** Both directions at once. */
    static void transfer(Client client) throws Exception {
        Mode mode = client.oneIn(3) ? Mode.ENDS_FIRST : Mode.BOTH;
        transfer(client, client.tunnel(client.host()), mode);
    }

    /** The same over a connection with an open tunnel. */
    static void transfer(Client client, Wire wire, Mode mode) throws Exception {
        long before = wire.received();
        long up = client.size(MOST);
        long down = client.size(MOST);
        String line = begin(client, mode, up, down);
        int piece = 1 + client.size(MOST);
        Future<?> sending = client.scene().beside().run(() -> {
            wire.send(line);
            client.up().write(wire.out(), 0, up, piece);
            wire.shutdownOutput();
        });
        wire.expect(client.down(), 0, down);
        wire.expectEnd();
        Beside.join(sending);
        client.account().client(books -> books.tunnelDown += wire.received() - before);
    }

    /** Books what is about to be sent, and gives the line that says so. */
    static String begin(Client client, Mode mode, long up, long down) {
        String line = TunnelOrigin.line(client.number(), mode, up, down);
        client.account().client(books -> books.tunnelUp += line.length() + up);
        return line;
    }

    /** The first bytes come together with the request. */
    static void inOneGo(Client client) throws Exception {
        long bytes = client.size(MOST);
        String line = begin(client, Mode.BOTH, 0, bytes);
        client.account().client(books -> books.tunnels++);
        Wire wire = client.connect();
        wire.send(client.connectHead(client.host(), client.scene().tunnelPort()) + line);
        client.check("HTTP/1.1 200 OK".equals(wire.line()) && "".equals(wire.line()), "the tunnel does not stand");
        long before = wire.received();
        wire.shutdownOutput();
        wire.expect(client.down(), 0, bytes);
        wire.expectEnd();
        client.account().client(books -> books.tunnelDown += wire.received() - before);
    }

    /** One message after another. */
    static void talk(Client client) throws IOException {
        talk(client, client.tunnel(client.host()));
    }

    /** The same over a connection with an open tunnel. */
    static void talk(Client client, Wire wire) throws IOException {
        int messages = 1 + client.below(20);
        int bytes = messages * TunnelOrigin.MESSAGE;
        wire.send(begin(client, Mode.TALK, bytes, bytes));
        exchange(client, wire, messages, client.down());
    }

    /** Sends messages, gets one for each, and ends. */
    static void exchange(Client client, Wire wire, int messages, Pattern answers) throws IOException {
        long before = wire.received();
        for (int done = 0; done < messages; done++) {
            long at = (long) done * TunnelOrigin.MESSAGE;
            client.up().write(wire.out(), at, TunnelOrigin.MESSAGE, TunnelOrigin.MESSAGE);
            wire.expect(answers, at, TunnelOrigin.MESSAGE);
        }
        wire.shutdownOutput();
        wire.expectEnd();
        client.account().client(books -> books.tunnelDown += wire.received() - before);
    }

    /** Through a load balancer that sends the client's address. */
    static void balanced(Client client) throws Exception {
        Wire wire = client.connectAsBalancer();
        byte[] from = Ledger.address(client.number());
        wire.send("PROXY TCP4 " + (from[0] & 0xFF) + "." + (from[1] & 0xFF) + "." + (from[2] & 0xFF) + "."
                + (from[3] & 0xFF) + " 192.0.2.1 40000 3128\r\n");
        talk(client, client.tunnel(wire, client.host()));
    }

    /** Reads slowly, but reads on. */
    static void slowReader(Client client) throws Exception {
        Wire wire = client.connectNarrow();
        client.tunnel(wire, client.host());
        long before = wire.received();
        long down = 200_000L + client.size(MOST);
        wire.send(begin(client, Mode.BOTH, 0, down));
        wire.shutdownOutput();
        for (long done = 0; done < down; ) {
            long some = Math.min(down - done, 1 + client.below(100_000));
            wire.expect(client.down(), done, some);
            done += some;
            if (!client.pause(20)) {
                wire.expect(client.down(), done, down - done);
                break;
            }
        }
        wire.expectEnd();
        client.account().client(books -> books.tunnelDown += wire.received() - before);
    }
}
