package io.broxy.examples.hosts;

import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;

/** Specifies the tunnels of a server with an accept loop of its own. */
class AcceptLoopTest extends HostContract {
    @Override
    Host start(Broxy engine, ProxyHandler tunnels) throws Exception {
        AcceptLoop server = AcceptLoop.start(ANY_PORT, tunnels);
        return new Host(server.address(), server::close);
    }
}
