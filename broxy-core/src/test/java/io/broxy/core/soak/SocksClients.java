package io.broxy.core.soak;

import io.broxy.HostPort;
import io.broxy.core.soak.TunnelOrigin.Mode;
import io.broxy.core.testkit.SocksClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;

/** Clients that speak SOCKS to the proxy, as they are meant to and otherwise. Threading: stateless. */
final class SocksClients {
    private static final int MOST_MESSAGES = 20;

    /** The length of a reply with an IPv4 address. */
    private static final int REPLY = 10;

    private SocksClients() {}

    private static byte[] login(Client client, String password) {
        return SocksClient.login(Scene.user(client.number()), password);
    }

    private static byte[] rightLogin(Client client) {
        return login(client, Scene.password(Scene.user(client.number())));
    }

    private static void expect(Client client, Wire wire, int... bytes) throws IOException {
        for (int expected : bytes) {
            int came = wire.octet();
            client.check(came == expected, expected + " was expected, not " + came);
        }
    }

    /** A greeting and the right password. */
    private static Wire loggedIn(Client client) throws IOException {
        Wire wire = client.connect();
        wire.send(SocksClient.greetingWithPassword());
        expect(client, wire, 5, 2);
        wire.send(rightLogin(client));
        expect(client, wire, 1, 0);
        return wire;
    }

    private static void expectReply(Client client, Wire wire, int code) throws IOException {
        expect(client, wire, 5, code, 0, 1);
        wire.skip(REPLY - 4);
    }

    /** A tunnel, with a message after another; at times all that comes before them is sent at once, or byte by byte. */
    static void talk(Client client) throws IOException {
        HostPort target = HostPort.of(client.host(), client.scene().tunnelPort());
        client.account().client(books -> books.tunnels++);
        Wire wire;
        if (client.oneIn(2)) {
            wire = loggedIn(client);
            wire.send(SocksClient.connect(target));
        } else {
            wire = client.connect();
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.write(SocksClient.greetingWithPassword());
            all.write(rightLogin(client));
            all.write(SocksClient.connect(target));
            int piece = client.oneIn(4) ? 1 : all.size();
            for (int at = 0; at < all.size(); at += piece) {
                wire.send(Arrays.copyOfRange(all.toByteArray(), at, at + piece));
            }
            expect(client, wire, 5, 2, 1, 0);
        }
        expectReply(client, wire, 0);
        int messages = 1 + client.below(MOST_MESSAGES);
        int bytes = messages * TunnelOrigin.MESSAGE;
        wire.send(GoodTunnels.begin(client, Mode.TALK, bytes, bytes));
        GoodTunnels.exchange(client, wire, messages, client.down());
    }

    /** What the proxy does not serve, or cannot reach. */
    static void refused(Client client) throws IOException {
        switch (client.below(6)) {
            case 0 -> tunnelFails(client, Scene.NOWHERE, 80, 4);
            case 1 -> tunnelFails(client, Scene.INSIDE, 80, 2);
            case 2 -> tunnelFails(client, Scene.DIRECT, client.scene().closedPort(), 5);
            case 3 -> {
                Wire wire = refusal(client, loggedIn(client));
                wire.send(SocksClient.connect(HostPort.of(Scene.FORBIDDEN, 443)));
                expectReply(client, wire, 2);
                wire.expectEnd();
            }
            case 4 -> {
                Wire wire = refusal(client, client.connect());
                wire.send(SocksClient.greetingWithPassword());
                expect(client, wire, 5, 2);
                wire.send(login(client, "guessed"));
                expect(client, wire, 1, 1);
                wire.expectEnd();
            }
            default -> {
                Wire wire = refusal(client, client.connect());
                wire.send(SocksClient.connect4(HostPort.of("127.0.0.1", 80)));
                expect(client, wire, 0, 93);
                wire.drain();
            }
        }
    }

    private static Wire refusal(Client client, Wire wire) {
        client.account().client(books -> books.refusals++);
        return wire;
    }

    private static void tunnelFails(Client client, String host, int port, int code) throws IOException {
        Wire wire = loggedIn(client);
        client.account().client(books -> books.tunnels++);
        wire.send(SocksClient.connect(HostPort.of(host, port)));
        expectReply(client, wire, code);
        wire.expectEnd();
    }

    /** Messages that are cut, or go on as noise; the client ends, or is gone. */
    static void garbage(Client client) throws IOException {
        Wire wire = client.connect();
        client.account().broke(); // which of them were refused before the end came is not known here
        client.account().client(books -> books.refusals++);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(SocksClient.greetingWithPassword());
        all.write(rightLogin(client));
        byte[] right = Arrays.copyOf(all.toByteArray(), 1 + client.below(all.size()));
        byte[] noise = client.oneIn(2) ? new byte[0] : client.noise(client.size(2_000));
        if (client.oneIn(3)) {
            right[0] = 4;
        }
        wire.send(right);
        wire.send(noise);
        if (client.oneIn(2)) {
            wire.reset();
        } else {
            wire.shutdownOutput();
            wire.drain();
        }
    }

    /** A message that never ends. */
    static void stops(Client client) throws Exception {
        Wire wire = client.connect();
        byte[] login = rightLogin(client);
        wire.send(SocksClient.greetingWithPassword());
        expect(client, wire, 5, 2);
        wire.send(Arrays.copyOf(login, client.below(login.length)));
        if (client.await(wire)) {
            expect(client, wire, 1, 1);
            client.account().client(books -> books.refusals++);
        } else {
            client.account().broke(); // which may be the same moment
        }
    }
}
