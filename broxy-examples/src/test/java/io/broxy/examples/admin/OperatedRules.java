package io.broxy.examples.admin;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.core.testkit.HeldPort;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * An {@link OperatedProxy} that goes through two proxies: first {@code broken}, where nothing listens, and then {@code
 * spare}. Threading: immutable.
 */
record OperatedRules(OperatedProxy operated) implements AutoCloseable {

    static OperatedRules start(int sparePort) throws IOException {
        List<RoutingDialer> dialers = new ArrayList<>();
        OperatedProxy operated = OperatedProxy.start(
                AdminToken.of(OperatedProxy.TOKEN),
                () -> dialers.get(0).hops().stream().map(UpstreamView::of).toList(),
                (broxy, settings) -> {
                    Dialer broken = broxy.httpProxyDialer(HeldPort.refusing()).build();
                    Dialer spare = broxy.httpProxyDialer(HostPort.of("127.0.0.1", sparePort))
                            .pool(broxy.connPool().build())
                            .build();
                    RoutingDialer rules = broxy.routingDialer()
                            .hop("broken", broken)
                            .hop("spare", spare)
                            .rules(Rules.always(Route.via("broken", "spare")))
                            .build();
                    dialers.add(rules);
                    settings.dialer(rules);
                });
        return new OperatedRules(operated);
    }

    @Override
    public void close() {
        operated.close();
    }
}
