package io.broxy.examples.admin;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.core.testkit.HeldPort;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * An {@link OperatedProxy} that goes through two proxies: first {@code broken}, where nothing listens, and then {@code
 * spare}. Threading: immutable.
 */
record OperatedRules(OperatedProxy operated) implements AutoCloseable {

    static OperatedRules start(int sparePort) throws IOException {
        AtomicReference<RoutingDialer> rules = new AtomicReference<>();
        OperatedProxy operated = OperatedProxy.start(
                AdminToken.of(OperatedProxy.TOKEN),
                () -> rules.get().hops().stream().map(UpstreamView::of).toList(),
                (broxy, settings) -> {
                    Dialer broken = broxy.httpProxyDialer(HeldPort.refusing()).build();
                    Dialer spare = broxy.httpProxyDialer(HostPort.of("127.0.0.1", sparePort))
                            .pool(broxy.connPool().build())
                            .build();
                    rules.set(broxy.routingDialer()
                            .hop("broken", broken)
                            .hop("spare", spare)
                            .rules(Rules.always(Route.via("broken", "spare")))
                            .build());
                    settings.dialer(rules.get());
                });
        return new OperatedRules(operated);
    }

    @Override
    public void close() {
        operated.close();
    }
}
