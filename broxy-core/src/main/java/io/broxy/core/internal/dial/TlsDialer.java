package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.Explanation;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.TimerQueue;
import io.broxy.core.internal.tls.Tls;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Dials with another dialer and does a TLS handshake over the connection, both under one deadline. Connections to an
 * {@code https} proxy are opened like this.
 *
 * <p>Threading: thread-safe.
 */
final class TlsDialer implements EngineDialer {
    private final Dialer toPeer;
    private final LoopDialer below;
    private final Tls tls;
    private final DialEngine engine;

    TlsDialer(Dialer toPeer, Tls tls, DialEngine engine) {
        this.toPeer = toPeer;
        this.below = UserDialerAdapter.of(toPeer, engine.workers());
        this.tls = tls;
        this.engine = engine;
    }

    @Override
    public DialEngine engine() {
        return engine;
    }

    /** Dials below the handshake. */
    Dialer toPeer() {
        return toPeer;
    }

    @Override
    public Explanation explain(DialRequest request) {
        return toPeer.explain(request);
    }

    @Override
    public DialHandle start(Dial dial) {
        return new TlsDial(dial).begin();
    }

    @Override
    public boolean sendsClientAddress() {
        return toPeer.sendsClientAddress();
    }

    /**
     * One dial: the dialer below keeps the deadline until it has connected, this one from then on.
     *
     * <p>Threading: owned by its event loop.
     */
    private final class TlsDial implements DialHandle, Completion<LoopConnection> {
        private final Dial dial;
        private @Nullable DialHandle step;
        private TimerQueue.@Nullable Timer deadline;
        private boolean over;

        TlsDial(Dial dial) {
            this.dial = dial;
        }

        DialHandle begin() {
            DialRequest request = dial.request().toBuilder()
                    .timeout(Duration.ofNanos(Math.max(1, dial.leftNanos())))
                    .build();
            DialHandle underWay = below.dial(dial.loop(), request, null, this);
            if (step == null && !over) { // else it has connected at once, and the handshake is the step
                step = underWay;
            }
            return this;
        }

        @Override
        public void done(LoopConnection connection) {
            deadline = dial.loop().timers().schedule(dial.endNanos(), this::timedOut);
            step = () -> {}; // the handshake may end before it has begun
            DialHandle handshake = tls.onLoop(connection, dial.target(), this::secured, this::handshakeFailed);
            if (!over) {
                step = handshake;
            }
        }

        @Override
        public void failed(DialException failure) {
            if (!over) {
                end();
                dial.completion().failed(failure);
            }
        }

        @Override
        public void broken(DialException failure) {
            Throwable cause = failure.getCause();
            if (cause instanceof SocketTimeoutException late) {
                fail(Reason.TIMEOUT, late);
            } else if (cause instanceof IOException why) {
                handshakeFailed(why);
            } else {
                fail(Reason.LOCAL, new IOException("the dialer or its connection failed", cause));
            }
        }

        private void secured(LoopConnection connection) {
            if (over) {
                connection.close();
                return;
            }
            end();
            dial.completion().done(connection);
        }

        private void handshakeFailed(IOException cause) {
            fail(dial.loop().isStopping() ? Reason.CANCELLED : Reason.PROTOCOL, cause);
        }

        private void timedOut() {
            DialHandle handshake = step;
            Reason reason = dial.loop().isStopping() ? Reason.CANCELLED : Reason.TIMEOUT;
            fail(reason, new SocketTimeoutException("the TLS handshake took too long"));
            if (handshake != null) {
                handshake.cancel();
            }
        }

        private void fail(Reason reason, IOException cause) {
            failed(dial.failure(reason).cause(cause).build());
        }

        private void end() {
            over = true;
            if (deadline != null) {
                dial.loop().timers().cancel(deadline);
            }
        }

        @Override
        public void cancel() {
            if (!over) {
                end();
                if (step != null) {
                    step.cancel();
                }
            }
        }
    }
}
