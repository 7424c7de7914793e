package io.broxy.core.internal.upstream;

import io.broxy.AddressPolicy;
import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.time.Durations;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sends every request to its target, over a connection of one dialer.
 *
 * <p>Threading: thread-safe.
 */
final class TargetRouter implements HttpRouter {
    /** The default of every built-in dialer. */
    private static final long DEFAULT_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Dialer dialer;
    private final Workers workers;

    /** The latest request often comes again. */
    private volatile @Nullable OneWay latestWay;

    /** Most requests have the same policy. */
    private volatile @Nullable PolicyDialer latest;

    TargetRouter(Dialer dialer, Workers workers) {
        this.dialer = dialer;
        this.workers = workers;
    }

    @Override
    public HttpRoute route(DialRequest request) {
        OneWay last = latestWay;
        if (last == null || last.request() != request) {
            last = new OneWay(request, way(request));
            latestWay = last;
        }
        return last;
    }

    private HttpHop way(DialRequest request) {
        Duration own = request.timeout();
        long timeoutNanos = own == null ? DEFAULT_TIMEOUT_NANOS : Durations.positiveNanos(own, "a dial's timeout");
        ConnPool.Key key = ConnPool.Key.of(request.target(), keeping(request.addressPolicy()));
        return HttpHop.toTarget(key, timeoutNanos);
    }

    private Dialer keeping(AddressPolicy policy) {
        if (policy == AddressPolicy.any()) {
            return dialer; // so that these connections are shared with leases by the dialer itself
        }
        PolicyDialer last = latest;
        if (last == null || last.policy() != policy) {
            last = new PolicyDialer(dialer, policy, UserDialerAdapter.of(dialer, workers));
            latest = last;
        }
        return last;
    }

    /** Threading: immutable. */
    private record OneWay(DialRequest request, @Override HttpHop way) implements HttpRoute {
        @Override
        public void connected() {}

        @Override
        public DialException failed(DialException failure) {
            return failure;
        }
    }
}
