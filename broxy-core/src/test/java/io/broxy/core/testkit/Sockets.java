package io.broxy.core.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.EngineStats;
import io.broxy.core.TransportMode;
import io.broxy.core.internal.epoll.EpollTransport;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.time.Ticker;
import java.io.IOException;
import java.util.Objects;

/** The kinds of sockets that an engine relays between; a test of the engine's own is skipped where they are not possible. */
public enum Sockets {
    NIO,
    EPOLL;

    /** The name of the threads of their loops, before the number. */
    public String loopName() {
        return this == NIO ? "broxy-loop" : "broxy-epoll";
    }

    /** The setting of an engine that is to use them. */
    public TransportMode mode() {
        return this == NIO ? TransportMode.NIO : TransportMode.AUTO;
    }

    /** What such an engine tells. */
    public EngineStats.Transport stats() {
        return this == NIO ? EngineStats.Transport.NIO : EngineStats.Transport.EPOLL;
    }

    /** Skips the test where they are not possible. */
    public void assumePossible() {
        assumeTrue(
                this == NIO || EpollTransport.open() != null,
                "sockets of the engine's own take Linux, Java 22 and --enable-native-access=ALL-UNNAMED");
    }

    /** These; the test is skipped where they are not possible. */
    public Sockets ifPossible() {
        assumePossible();
        return this;
    }

    /** Starts loops for them. */
    public EventLoops startLoops(int count, BufferPool buffers, Ticker ticker) throws IOException {
        if (this == NIO) {
            return EventLoops.start(count, buffers, ticker);
        }
        assumePossible();
        return EventLoops.start(
                loopName(), count, buffers, ticker, Objects.requireNonNull(EpollTransport.open())::openPoller);
    }
}
