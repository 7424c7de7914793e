package io.broxy.core.soak;

import io.broxy.core.soak.TunnelOrigin.Mode;
import io.broxy.core.testkit.TlsProxy;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/** Clients that speak TLS to the proxy, or pretend to. Most of those that mean it resume a session. Threading: stateless. */
final class TlsClients {
    /** The engine wants room for the largest record. */
    private static final int ROOM = 64 << 10;

    private static final int MOST_NOISE = 30_000;
    private static final int MOST_BYTES = 1 << 20;
    private static final byte HANDSHAKE = 22;

    private TlsClients() {}

    /** The connection below, and the one that is secure. */
    private record Secure(Socket below, Wire wire) {}

    private static Secure secure(Client client, String version) throws IOException {
        Socket below = client.connectForTls();
        SSLContext context = client.scene().tlsClients();
        return new Secure(below, client.with(TlsProxy.secure(below, context, version)));
    }

    private static String version(Client client) {
        return client.oneIn(2) ? "TLSv1.3" : "TLSv1.2";
    }

    /** One message after another. */
    static void talk(Client client) throws IOException {
        Secure secure = secure(client, version(client));
        GoodTunnels.talk(client, client.tunnel(secure.wire, client.host()));
    }

    /** Both directions at once, each with its own end, which only TLS 1.3 has. */
    static void transfer(Client client) throws Exception {
        Secure secure = secure(client, "TLSv1.3");
        Wire wire = client.tunnel(secure.wire, client.host());
        GoodTunnels.transfer(client, wire, client.oneIn(3) ? Mode.ENDS_FIRST : Mode.BOTH);
    }

    /** A stream that ends without a close_notify, or with a reset. */
    static void cut(Client client) throws Exception {
        client.account().broke();
        Secure secure = secure(client, version(client));
        Wire wire = client.tunnel(secure.wire, client.host());
        long before = wire.received();
        long size = 1_000L + client.size(MOST_BYTES);
        wire.send(GoodTunnels.begin(client, Mode.BOTH, size, size));
        client.up().write(wire.out(), 0, size / 2, 1 + client.size(MOST_BYTES));
        wire.expect(client.down(), 0, size / 4);
        client.account().client(books -> books.tunnelDown += wire.received() - before);
        if (client.oneIn(2)) {
            secure.below.shutdownOutput();
        } else {
            secure.below.setSoLinger(true, 0);
        }
        secure.below.close();
    }

    /** Goes within the handshake. */
    static void vanish(Client client) throws IOException {
        client.account().broke();
        Socket below = client.connectForTls();
        byte[] hello = hello(client);
        below.getOutputStream().write(hello, 0, client.below(hello.length + 1));
        if (client.oneIn(2)) {
            below.setSoLinger(true, 0);
        }
        below.close();
    }

    /** Bytes that are no handshake, all of them or some. */
    static void garbage(Client client) throws IOException {
        client.account().broke(); // for an end that comes too early is no refusal
        client.account().client(books -> books.refusals++);
        Wire wire = client.with(client.connectForTls());
        try {
            wire.send(noise(client));
            wire.shutdownOutput();
        } catch (IOException e) {
            return; // it was refused before all was sent
        }
        wire.drain();
    }

    private static byte[] noise(Client client) throws SSLException {
        byte[] noise = client.noise(1 + client.size(MOST_NOISE));
        switch (client.below(4)) {
            case 0 -> {
                return noise;
            }
            case 1 -> {
                noise[0] = HANDSHAKE;
                return noise;
            }
            case 2 -> {
                byte[] hello = hello(client);
                hello[client.below(hello.length)] ^= (byte) (1 + client.below(255));
                return hello;
            }
            default -> {
                byte[] hello = hello(client);
                byte[] both = Arrays.copyOf(hello, hello.length + noise.length);
                System.arraycopy(noise, 0, both, hello.length, noise.length);
                return both;
            }
        }
    }

    /** A byte of the handshake each now and then. */
    static void slow(Client client) throws Exception {
        client.account().broke(); // for a reset says no reason
        client.account().client(books -> books.refusals++);
        byte[] hello = hello(client);
        Wire wire = client.with(client.connectForTls());
        try {
            for (int sent = 0; client.pause(0); sent++) {
                client.check(sent < hello.length - 1, "a slow handshake may take any time");
                wire.send(Arrays.copyOfRange(hello, sent, sent + 1));
                if (wire.comes(100)) {
                    wire.expectEnd();
                    return;
                }
            }
        } catch (IOException e) {
            // a reset is what it is to get
        }
    }

    private static byte[] hello(Client client) throws SSLException {
        SSLEngine engine = client.scene().tlsClients().createSSLEngine();
        engine.setUseClientMode(true);
        engine.setEnabledProtocols(new String[] {version(client)});
        engine.beginHandshake();
        ByteBuffer hello = ByteBuffer.allocate(ROOM);
        engine.wrap(ByteBuffer.allocate(0), hello);
        return Arrays.copyOf(hello.array(), hello.position());
    }
}
