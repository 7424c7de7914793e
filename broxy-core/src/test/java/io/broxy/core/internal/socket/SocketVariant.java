package io.broxy.core.internal.socket;

import io.broxy.Dialer;
import io.broxy.core.Broxy;
import io.broxy.core.NamedSockets;
import io.broxy.core.NamedTlsSockets;
import io.broxy.core.SocketsBuilder.Names;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.TlsOrigin;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.SocketFactory;
import javax.net.ssl.SSLSocket;

/** Every factory of sockets that a dialer connects, and the servers that its sockets can talk to. */
enum SocketVariant {
    /** Plain sockets of the short form. */
    PLAIN {
        @Override
        SocketFactory factory(Broxy broxy, Dialer dialer) {
            return broxy.asSocketFactory(dialer);
        }
    },
    /** Plain sockets for which names that come with addresses do not count. */
    PLAIN_BY_ADDRESS {
        @Override
        SocketFactory factory(Broxy broxy, Dialer dialer) {
            return broxy.sockets(dialer).names(Names.ADDRESS).plain();
        }
    },
    /** Plain sockets by a class name. */
    NAMED {
        @Override
        SocketFactory factory(Broxy broxy, Dialer dialer) {
            return new NamedSockets(registered(broxy, dialer));
        }
    },
    /** TLS sockets, for certificates of other hosts too. */
    TLS {
        @Override
        SocketFactory factory(Broxy broxy, Dialer dialer) {
            return broxy.sockets(dialer)
                    .endpointIdentification(false)
                    .tls(Certificates.loopback().client());
        }
    },
    /** TLS sockets by a class name. */
    NAMED_TLS {
        @Override
        SocketFactory factory(Broxy broxy, Dialer dialer) {
            return new NamedTlsSockets(registered(broxy, dialer));
        }
    };

    private static final AtomicInteger NAMES = new AtomicInteger();

    /** A factory; its registration ends with the engine. */
    abstract SocketFactory factory(Broxy broxy, Dialer dialer);

    String registered(Broxy broxy, Dialer dialer) {
        String name = name() + " " + NAMES.incrementAndGet();
        broxy.sockets(dialer)
                .endpointIdentification(false)
                .register(name, Certificates.loopback().client());
        return name;
    }

    boolean isTls() {
        return this == TLS || this == NAMED_TLS;
    }

    /** A server for the sockets. */
    Origin origin(Origin.Script script) throws IOException {
        return isTls() ? TlsOrigin.start(Certificates.loopback().server(), script) : Origin.start(script);
    }

    /** A server that sends back what it gets, and ends its stream behind the client's. */
    Origin echo() throws IOException {
        return origin(peer -> {
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
            peer.shutdownOutput();
        });
    }

    /** Completes the handshake of a socket that has one. */
    static Socket shaken(Socket socket) throws IOException {
        if (socket instanceof SSLSocket secure) {
            secure.startHandshake();
        }
        return socket;
    }
}
