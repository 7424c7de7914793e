package io.broxy.core.internal.net;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.ForeignConnection;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksServer;
import io.broxy.core.testkit.TlsOrigin;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/** Every way in which a user comes to have a {@link Connection}. */
public enum ConnectionKind {
    /** A channel, dialed on the caller's thread. */
    CHANNEL {
        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            return rig.direct().dial(origin.target());
        }
    },
    /** A channel that an event loop had before. */
    FROM_A_LOOP {
        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            return rig.net.toUser(rig.net.toLoop(NetEngine.connect(origin.port())));
        }
    },
    /** A socket without a channel. */
    SOCKET {
        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            return rig.broxy.asConnection(new Socket(origin.address().getAddress(), origin.port()));
        }
    },
    /** The JDK's TLS over a socket without a channel. */
    SSL_SOCKET {
        @Override
        public Origin origin(Origin.Script script) throws IOException {
            return TlsOrigin.start(CERTIFICATES.server(), script);
        }

        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            return rig.broxy.asConnection(CERTIFICATES
                    .client()
                    .getSocketFactory()
                    .createSocket(origin.address().getAddress(), origin.port()));
        }
    },
    /** TLS of our own. */
    TLS {
        @Override
        public Origin origin(Origin.Script script) throws IOException {
            return TlsOrigin.start(CERTIFICATES.server(), script);
        }

        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            return rig.net.secure(NetEngine.connect(origin.port()), CERTIFICATES.client(), origin.target());
        }
    },
    /** A channel with bytes that were read too far and put back, all of which its user has read. */
    UNREAD {
        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            SocketConnection connection = NetEngine.connect(origin.port());
            connection.unread(ByteBuffer.wrap(new byte[] {1}));
            connection.read(ByteBuffer.allocate(1));
            return connection;
        }
    },
    /** The same of a connection that is not ours. */
    UNREAD_FOREIGN {
        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            Connection connection = UnreadConnection.of(
                    ForeignConnection.over(NetEngine.connect(origin.port())), ByteBuffer.wrap(new byte[] {1}));
            connection.read(ByteBuffer.allocate(1));
            return connection;
        }
    },
    /** A connection that blocks and that an event loop had over a bridge before. */
    BRIDGED {
        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            return rig.net.toUser(rig.net.bridge(
                    new StreamConnection(new Socket(origin.address().getAddress(), origin.port()))));
        }
    },
    /** Leased from a pool, in which it was idle before. */
    LEASED {
        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            ConnPool pool = rig.closedLater(rig.broxy.connPool().build());
            ConnPool.Key hop = ConnPool.Key.of(origin.target(), rig.direct());
            pool.lease(hop).giveBack();
            return rig.closedLater(pool.lease(hop)).connection();
        }
    },
    /** A tunnel through an HTTP proxy. */
    HTTP_PROXY {
        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            Proxy proxy = rig.closedLater(Proxy.start());
            return rig.broxy
                    .httpProxyDialer(HostPort.of("127.0.0.1", proxy.address().getPort()))
                    .build()
                    .dial(origin.target());
        }
    },
    /** A tunnel through a SOCKS5 proxy. */
    SOCKS5_PROXY {
        @Override
        public Connection open(Rig rig, Origin origin) throws Exception {
            Origin proxy = rig.closedLater(Origin.start(SocksServer::relay));
            return rig.broxy.socks5Dialer(proxy.target()).build().dial(origin.target());
        }
    };

    static final Certificates CERTIFICATES = Certificates.loopback();

    /** Starts a server that such a connection can talk to. */
    public Origin origin(Origin.Script script) throws IOException {
        return Origin.start(script);
    }

    /** Connects to it. */
    public abstract Connection open(Rig rig, Origin origin) throws Exception;

    /** What it takes to make them. */
    public static final class Rig implements AutoCloseable {
        public final Broxy broxy = Broxy.builder().eventLoops(1).build();
        final NetEngine net;
        private final Deque<AutoCloseable> toClose = new ArrayDeque<>();

        public Rig() throws IOException {
            net = new NetEngine();
        }

        public Dialer direct() {
            return broxy.directDialer().build();
        }

        <T extends AutoCloseable> T closedLater(T resource) {
            toClose.push(resource);
            return resource;
        }

        @Override
        public void close() throws Exception {
            while (!toClose.isEmpty()) {
                toClose.pop().close();
            }
            broxy.close();
            net.close();
        }
    }
}
