package io.broxy.examples.hosts;

import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import java.net.InetSocketAddress;

/** Specifies one port for a proxy and for a server that cannot serve CONNECT; each such server has a subclass. */
abstract class SharedPortContract extends HostContract {

    /** Starts the server at a free port of the loopback. */
    abstract Host startServer() throws Exception;

    @Override
    final Host start(Broxy engine, ProxyHandler tunnels) throws Exception {
        Host server = startServer();
        InetSocketAddress address = server.address();
        AutoCloseable declared = engine.declareListener(address);
        SharedPort port = SharedPort.start(ANY_PORT, engine, tunnels, HostPort.of("127.0.0.1", address.getPort()));
        return new Host(port.address(), () -> {
            port.close();
            server.end().end();
            declared.close();
        });
    }

    @Override
    boolean keepsConnectionBeforeConnect() {
        return false;
    }
}
