package io.broxy.examples.hosts;

import io.broxy.core.testkit.Certificates;

/** Specifies the tunnels of a Jetty server whose clients speak TLS. */
final class JettyTlsTest extends JettyTest {
    @Override
    Certificates certificates() {
        return Certificates.loopback();
    }

    /** Jetty reports a reset below TLS as the end of the stream. */
    @Override
    boolean seesResets() {
        return false;
    }
}
