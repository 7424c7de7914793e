package io.broxy.examples.hosts;

import io.broxy.core.testkit.Certificates;

/** Specifies the tunnels of a Netty server whose clients speak TLS. */
final class NettyTlsTest extends NettyTest {
    @Override
    Certificates certificates() {
        return Certificates.loopback();
    }
}
