package io.broxy.examples.hosts;

import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Certificates;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import java.net.InetSocketAddress;
import org.xnio.Options;

/** Specifies the tunnels of an Undertow server. */
class UndertowTest extends HostContract {
    @Override
    final Host start(Broxy engine, ProxyHandler tunnels) throws Exception {
        Certificates certificates = certificates();
        Undertow.Builder builder = Undertow.builder();
        if (certificates == null) {
            builder.addHttpListener(0, "127.0.0.1");
        } else {
            builder.addHttpsListener(0, "127.0.0.1", certificates.server());
        }
        Undertow server = builder.setIoThreads(2)
                .setWorkerThreads(4)
                .setSocketOption(Options.BACKLOG, 1_024)
                .setServerOption(UndertowOptions.BUFFER_PIPELINED_DATA, false)
                .setHandler(new UndertowConnectHandler(
                        tunnels, exchange -> exchange.getResponseSender().send("hello\n")))
                .build();
        server.start();
        return new Host((InetSocketAddress) server.getListenerInfo().get(0).getAddress(), server::stop);
    }
}
