package io.broxy.core.soak;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.HostPort;
import java.io.IOException;
import java.util.Arrays;

/** Clients that never send a proper head. Threading: stateless. */
final class HostileHeads {
    private static final byte[] TLS_HELLO = {22, 3, 1, 2, 0, 1, 0, 1, (byte) 0xFC, 3, 3};
    private static final byte[] PROXY_2 = {13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x11, 0, 12};

    private HostileHeads() {}

    /** A byte each now and then. */
    static void slow(Client client) throws Exception {
        Wire wire = client.connect();
        byte[] head =
                (client.connectHead(Scene.DIRECT, client.scene().tunnelPort()) + "x".repeat(200)).getBytes(ISO_8859_1);
        for (int sent = 0; client.pause(0); sent++) {
            client.check(sent < head.length, "a slow head may take any time");
            wire.send(Arrays.copyOfRange(head, sent, sent + 1));
            if (wire.comes(100)) {
                expectTimeout(client, wire);
                return;
            }
        }
        client.account().broke();
    }

    private static void expectTimeout(Client client, Wire wire) throws IOException {
        String line = wire.line();
        client.check("HTTP/1.1 408 Request Timeout".equals(line), "what did not come was answered with " + line);
        client.account().client(books -> books.refusals++);
    }

    /** Nothing at all. */
    static void mute(Client client) throws Exception {
        Wire wire = client.connect();
        if (client.await(wire)) {
            expectTimeout(client, wire);
        } else {
            client.account().broke(); // which may be the same moment
        }
    }

    /** Bytes that are no request. */
    static void garbage(Client client) throws IOException {
        Wire wire = client.connect();
        wire.send(garbage(client, client.below(8)));
        wire.shutdownOutput();
        String line = wire.line();
        if (line != null) {
            client.check(line.matches("HTTP/1.1 [45]\\d\\d .*"), "garbage was answered with " + line);
            client.account().client(books -> books.refusals++);
            wire.drain();
        }
    }

    private static byte[] garbage(Client client, int kind) {
        byte[] noise = client.noise(client.size(30_000));
        return switch (kind) {
            case 0 -> join(new byte[] {(byte) (6 + client.below(250))}, noise); // 4 and 5 are SOCKS
            case 1 -> join(TLS_HELLO, noise);
            case 2 -> join(PROXY_2, noise);
            case 3 -> text("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + client.connectHead(Scene.DIRECT, 80));
            case 4 -> text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
            case 5 -> text("GET http://" + Scene.DIRECT + "/ HTTP/1.1\r\nX: " + "x".repeat(20_000));
            case 6 ->
                text("POST http://" + Scene.DIRECT + ":" + client.scene().httpPort() + "/ HTTP/1.1\r\nHost: "
                        + Scene.DIRECT + "\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
            default -> text("GET http://a b/ HTTP/1.1\nHost: a\n\n");
        };
    }

    private static byte[] text(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** A balancer that does not send the client's address. */
    static void badBalancer(Client client) throws IOException {
        Wire wire = client.connectAsBalancer();
        client.account().client(books -> books.refusals++);
        wire.send(client.connectHead(Scene.DIRECT, client.scene().tunnelPort()));
        try {
            client.check(wire.line() == null, "a balancer that says nothing was answered");
        } catch (IOException e) {
            // a reset is as good
        }
    }

    /** Comes and goes, perhaps with the beginning of a head. */
    static void vanish(Client client) throws IOException {
        Wire wire = client.connect();
        if (client.oneIn(2)) {
            String head = client.connectHead(Scene.DIRECT, client.scene().tunnelPort());
            wire.send(head.substring(0, client.below(head.length() - 1)));
        }
        if (client.oneIn(2)) {
            wire.reset();
        }
    }

    /** Goes while its target is being dialed. */
    static void vanishBeforeTunnel(Client client) throws IOException {
        Wire wire = client.connect();
        client.account().broke();
        client.account().client(books -> books.tunnels++);
        HostPort blackHole = client.scene().blackHole();
        if (client.oneIn(2)) {
            wire.send(client.connectHead(blackHole.host(), blackHole.port()));
            wire.reset(); // an end of the stream may be no more than a half-close
        } else {
            wire.send(client.connectHead(client.host(), client.scene().tunnelPort()));
        }
    }
}
