package io.broxy.examples.hosts;

import io.broxy.core.testkit.Certificates;

/** Specifies the tunnels of an Undertow server whose clients speak TLS. */
final class UndertowTlsTest extends UndertowTest {
    @Override
    Certificates certificates() {
        return Certificates.loopback();
    }
}
