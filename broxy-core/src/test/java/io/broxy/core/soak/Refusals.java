package io.broxy.core.soak;

import io.broxy.HostPort;
import io.broxy.core.soak.HttpOrigin.Kind;
import io.broxy.core.soak.Messages.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Clients that want what they must not have, or what there is not. Threading: stateless. */
final class Refusals {
    /** More than receive a refusal; the rest are closed without a response. */
    private static final int FLOOD = Scene.CONNECTIONS + 20;

    private static final int GUESSES = 7;

    private Refusals() {}

    private static void expect(Client client, Wire wire, int status) throws IOException {
        Answer answer = Messages.read(wire, client.down(), false);
        client.check(answer.own(), status + " was expected from the proxy, but another server has answered");
        client.check(answer.status() == status, status + " was expected, not " + answer.status());
    }

    /** Whom the access policy refuses before anything is looked up. */
    static void forbidden(Client client) throws IOException {
        Wire wire = client.connect();
        client.account().client(books -> books.refusals++);
        if (client.oneIn(2)) {
            wire.send(client.connectHead(Scene.FORBIDDEN, client.scene().tunnelPort()));
        } else {
            wire.send(client.requestHead("GET", Scene.DIRECT, 25, Kind.LENGTH, 1) + "\r\n");
        }
        expect(client, wire, 403);
        wire.expectEnd();
    }

    /** What cannot be dialed, or must not be. */
    static void unreachable(Client client) throws IOException {
        switch (client.below(4)) {
            case 0 -> unreachable(client, Scene.INSIDE, 80, 403);
            case 1 -> unreachable(client, Scene.NOWHERE, 80, 502);
            case 2 -> unreachable(client, Scene.DIRECT, client.scene().closedPort(), 502);
            default -> tunnelFails(client, Scene.FAR, client.scene().closedPort(), 502);
        }
    }

    private static void unreachable(Client client, String host, int port, int status) throws IOException {
        if (client.oneIn(2)) {
            tunnelFails(client, host, port, status);
            return;
        }
        Wire wire = client.connect();
        client.account().client(books -> books.exchanges += 2);
        for (int i = 0; i < 2; i++) { // which may be asked for twice over one connection
            wire.send(client.requestHead("GET", host, port, Kind.LENGTH, 1) + "\r\n");
            expect(client, wire, status);
        }
    }

    private static void tunnelFails(Client client, String host, int port, int status) throws IOException {
        Wire wire = client.connect();
        client.account().client(books -> books.tunnels++);
        wire.send(client.connectHead(host, port));
        expect(client, wire, status);
        wire.expectEnd();
    }

    /** A target that does not accept the connection. */
    static void blackHole(Client client) throws Exception {
        HostPort target = client.scene().blackHole();
        Wire wire = client.connect();
        client.account().client(books -> books.tunnels++);
        wire.send(client.connectHead(target.host(), target.port()));
        if (client.oneIn(2) && client.await(wire)) {
            expect(client, wire, 504);
        } else {
            client.account().broke();
            client.pause(client.below(1_000));
            wire.reset();
        }
    }

    /** Names with hanging look-ups, as many concurrently as there may be connections. */
    static void hangingNames(Client client) throws Exception {
        List<Wire> wires = new ArrayList<>();
        for (int i = 0; i < Scene.CONNECTIONS; i++) {
            String host = (client.oneIn(2) ? "stubborn-" : "n-") + client.number() + "-" + i + Scene.HANGING;
            Wire wire = client.connect();
            wires.add(wire);
            if (client.oneIn(2)) {
                client.account().client(books -> books.tunnels++);
                wire.send(client.connectHead(host, 443));
            } else {
                client.account().client(books -> books.exchanges++);
                wire.send(client.requestHead("GET", host, 80, Kind.LENGTH, 1) + "\r\n");
            }
        }
        boolean waits = client.oneIn(2);
        for (Wire wire : wires) {
            if (waits && client.await(wire)) {
                expect(client, wire, 504);
            } else {
                client.account().broke();
                wire.reset();
            }
        }
    }

    /** Wrong credentials, or none, and the right ones over the same connection. */
    static void wrongPassword(Client client) throws IOException {
        Wire wire = client.connect();
        String target = "GET http://" + Scene.DIRECT + ":" + client.scene().httpPort() + "/length/1 HTTP/1.1\r\nHost: "
                + Scene.DIRECT + "\r\n";
        client.account().client(books -> books.refusals++);
        wire.send(target + (client.oneIn(2) ? client.authorization("guessed") : "") + "\r\n");
        expect(client, wire, 407);
        client.account().client(books -> books.exchanges++);
        wire.send(client.requestHead("GET", Scene.DIRECT, client.scene().httpPort(), Kind.LENGTH, 1_000) + "\r\n");
        long before = wire.received();
        Answer answer = Messages.read(wire, client.down(), false);
        client.account().client(books -> books.exchangeDown += wire.received() - before);
        client.check(answer.status() == 200, "the right credentials were answered with " + answer.status());
    }

    /** Further guesses wait. */
    static void guesses(Client client) throws Exception {
        for (int i = 0; i < GUESSES && client.pause(0); i++) {
            Wire wire = client.connect();
            client.account().client(books -> books.refusals++);
            String target = Scene.DIRECT + ":" + client.scene().tunnelPort();
            wire.send("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" + client.authorization("guess " + i)
                    + "\r\n");
            expect(client, wire, 407);
            wire.close();
        }
    }

    /** Many connections at once, of which so many are served and the others are not. */
    static void flood(Client client) throws Exception {
        List<Wire> wires = new ArrayList<>();
        for (int i = 0; i < Scene.CONNECTIONS; i++) {
            wires.add(client.tunnel(Scene.DIRECT)); // which keeps its place
        }
        for (int i = Scene.CONNECTIONS; i < FLOOD; i++) {
            wires.add(client.connect());
        }
        client.account().client(books -> books.refusals += FLOOD - Scene.CONNECTIONS);
        int told = 0;
        for (Wire wire : wires.subList(Scene.CONNECTIONS, FLOOD)) {
            told += isTold(client, wire) ? 1 : 0;
        }
        client.check(told > 0, "none of " + FLOOD + " concurrent clients received a refusal");
        wires.get(0).shutdownOutput(); // the origin of a tunnel through which nothing comes ends it, too
        wires.get(0).expectEnd();
    }

    private static boolean isTold(Client client, Wire wire) throws IOException {
        try {
            wire.send("G"); // which tells that it speaks HTTP
            String line = wire.line();
            client.check(line == null || line.startsWith("HTTP/1.1 503 "), "one too many was answered with " + line);
            wire.drain();
            return line != null;
        } catch (IOException e) {
            return false;
        }
    }
}
