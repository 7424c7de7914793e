package io.broxy.core.soak;

import io.broxy.core.soak.HttpOrigin.Kind;
import io.broxy.core.soak.Messages.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Clients that send requests as they are meant. Threading: stateless. */
final class GoodRequests {
    private static final int MOST = 300_000;
    private static final Kind[] KINDS = {Kind.LENGTH, Kind.LENGTH, Kind.CHUNKED, Kind.NOTHING, Kind.SAME};

    private GoodRequests() {}

    private static String host(Client client) {
        String host = client.host();
        if (host.equals(Scene.FAR)) {
            client.account().headsChange();
        }
        return host;
    }

    /** Several requests over one connection, some of them at once. */
    static void keepAlive(Client client) throws IOException {
        String host = host(client);
        Wire wire = client.connect();
        int requests = 1 + client.below(10);
        for (int sent = 0; sent < requests; ) {
            int burst = Math.min(requests - sent, 1 + client.below(4));
            sent += burst;
            boolean last = sent == requests && client.oneIn(2);
            if (burst(client, host, wire, burst, last)) {
                wire.expectEnd();
            }
        }
    }

    private record Asked(Kind kind, boolean head) {}

    /** True if the last response is one that ends the connection. */
    private static boolean burst(Client client, String host, Wire wire, int count, boolean last) throws IOException {
        StringBuilder all = new StringBuilder();
        List<Asked> asked = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            Kind kind = last && i == count ? Kind.CLOSE : KINDS[client.below(KINDS.length)];
            boolean head = kind == Kind.LENGTH && client.oneIn(5);
            asked.add(new Asked(kind, head));
            all.append(client.requestHead(
                            head ? "HEAD" : "GET", host, client.scene().httpPort(), kind, client.size(MOST)))
                    .append("\r\n");
        }
        client.account().client(books -> books.exchanges += count);
        wire.send(all.toString());
        for (Asked request : asked) {
            answer(client, wire, request.kind, request.head);
        }
        return last;
    }

    private static void answer(Client client, Wire wire, Kind kind, boolean head) throws IOException {
        long before = wire.received();
        Answer answer = Messages.read(wire, client.down(), head);
        client.account().client(books -> books.exchangeDown += wire.received() - before);
        int expected = kind == Kind.NOTHING ? 204 : kind == Kind.SAME ? 304 : 200;
        client.check(answer.status() == expected, kind + " was answered with " + answer.status());
    }

    /** A client that ends its stream after its request still gets its answer. */
    static void thatIsAll(Client client) throws IOException {
        String host = host(client);
        Wire wire = client.connect();
        client.account().client(books -> books.exchanges++);
        wire.send(client.requestHead("GET", host, client.scene().httpPort(), Kind.LENGTH, client.size(MOST)) + "\r\n");
        wire.shutdownOutput();
        answer(client, wire, Kind.LENGTH, false);
        wire.expectEnd();
    }

    /** Bodies of known length, in chunks, and such that wait until they are asked for. */
    static void post(Client client) throws IOException {
        String host = host(client);
        Wire wire = client.connect();
        int requests = 1 + client.below(3);
        for (int i = 0; i < requests; i++) {
            Kind kind = client.oneIn(2) ? Kind.LENGTH : Kind.CHUNKED;
            String head = client.requestHead("POST", host, client.scene().httpPort(), kind, client.size(MOST));
            int length = client.size(MOST);
            client.account().client(books -> books.exchanges++);
            if (client.oneIn(3)) {
                chunks(client, wire, head, length);
            } else {
                body(client, wire, head + "Content-Length: " + length + "\r\n", length);
            }
            answer(client, wire, kind, false);
        }
    }

    private static void body(Client client, Wire wire, String head, int length) throws IOException {
        if (client.oneIn(4) && length > 0) {
            wire.send(head + "Expect: 100-continue\r\n\r\n");
            long before = wire.received();
            Answer answer = Messages.read(wire, client.down(), false);
            client.account().client(books -> books.exchangeDown += wire.received() - before);
            client.check(answer.status() == 100, "a body was not asked for, but " + answer.status());
        } else {
            wire.send(head + "\r\n");
        }
        client.up().write(wire.out(), 0, length, 1 + client.size(MOST));
    }

    private static void chunks(Client client, Wire wire, String head, int length) throws IOException {
        wire.send(head + "Transfer-Encoding: chunked\r\n\r\n");
        for (int done = 0; done < length; ) {
            int chunk = Math.min(length - done, 1 + client.size(50_000));
            Messages.writeChunk(wire, client.up(), done, chunk);
            done += chunk;
        }
        wire.send("0\r\n\r\n");
    }

    /** A connection that changes its protocol, and is a tunnel from there on. */
    static void upgrade(Client client) throws IOException {
        Wire wire = client.connect();
        client.account().client(books -> {
            books.tunnels++;
            books.upgrades++;
        });
        wire.send(client.requestHead("GET", Scene.DIRECT, client.scene().httpPort(), Kind.UPGRADE, 0)
                + "Connection: upgrade\r\nUpgrade: soak\r\n\r\n");
        Answer answer = Messages.read(wire, client.down(), true);
        client.account().client(books -> books.upgradeDown += wire.received());
        client.check(answer.status() == 101, "the protocol was not changed, but " + answer.status());
        int messages = client.below(20);
        client.account().client(books -> books.tunnelUp += (long) messages * TunnelOrigin.MESSAGE);
        GoodTunnels.exchange(client, wire, messages, client.up());
    }

    /** Requests to the proxy itself. */
    static void ofTheProxy(Client client) throws IOException {
        Wire wire = client.connect();
        int requests = 1 + client.below(3);
        client.account().client(books -> books.exchanges += requests);
        for (int i = 0; i < requests; i++) {
            wire.send("GET /healthz HTTP/1.1\r\nHost: proxy.test\r\n\r\n");
            Answer answer = Messages.read(wire, client.down(), false);
            client.check(answer.own() && answer.status() == 200, "the proxy is not well: " + answer.status());
        }
    }
}
