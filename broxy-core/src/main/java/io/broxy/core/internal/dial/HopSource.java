package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.core.internal.http.KeepAlive;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.upstream.LoopDialer;

/** Where connections to one proxy come from: opened for each dial, or taken from a pool. Threading: thread-safe. */
interface HopSource {

    /** A connection to the proxy, which ends in one of three ways. Threading: owned by its event loop. */
    interface Hop {
        /** The connection itself. */
        LoopConnection connection();

        /** Whether it may have been idle before, so that the proxy may have given it up meanwhile. */
        boolean wasIdle();

        /** The way to a target has been opened over it, and it belongs to whoever asked for that. */
        void detach();

        /** The proxy has answered, and can be asked for something else, for as long and as often as it has said. */
        void reuse(KeepAlive said);

        /** It has ended, or was spoilt, before an answer came. */
        void discardUnanswered();

        /** It is of no use any more. */
        void discard();
    }

    /** Told what came of it, once, on the loop. Threading: owned by its event loop. */
    interface Taker {
        void taken(Hop hop);

        void failed(DialException failure);
    }

    /**
     * Begins to get a connection.
     *
     * @param request names the proxy, and the time for this step
     * @param fresh whether it must not have been idle
     * @param taker told the end, possibly before this method returns
     */
    DialHandle open(EventLoop loop, DialRequest request, boolean fresh, Taker taker);

    /** Opens a connection for each dial. */
    static HopSource opening(LoopDialer dialer) {
        return (loop, request, fresh, taker) -> dialer.dial(loop, request, new LoopDialer.UserOutcome() {
            @Override
            public void connected(LoopConnection connection) {
                taker.taken(new FreshHop(connection));
            }

            @Override
            public void failed(DialException failure) {
                taker.failed(failure);
            }

            @Override
            public void dialerFailed(Throwable failure) {
                taker.failed(DialException.builder(DialException.Reason.LOCAL, request.target())
                        .cause(failure)
                        .build());
            }
        });
    }

    /** A connection that nobody else has had or will have. Threading: owned by its event loop. */
    record FreshHop(LoopConnection connection) implements Hop {
        @Override
        public boolean wasIdle() {
            return false;
        }

        @Override
        public void detach() {}

        @Override
        public void reuse(KeepAlive said) {
            connection.close();
        }

        @Override
        public void discardUnanswered() {
            connection.close();
        }

        @Override
        public void discard() {
            connection.close();
        }
    }
}
