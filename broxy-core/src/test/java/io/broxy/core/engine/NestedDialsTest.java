package io.broxy.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.broxy.AddressPolicy;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Specifies that an embedder's code that dials never waits for itself: with as many such dials at once as there are
 * threads, and several nested in each other.
 */
@ExtendWith(LeakCheck.class)
class NestedDialsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final int AT_ONCE = 64;
    private static final int LEVELS = 4;

    /** All are in their user's code before any continues. */
    private final CountDownLatch together = new CountDownLatch(AT_ONCE);

    private void awaitAll() {
        together.countDown();
        try {
            assertThat(together.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS))
                    .isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static DialRequest to(HostPort target) {
        return DialRequest.builder(target).timeout(PATIENCE).build();
    }

    private static void expectAll(Dialer dialer, List<HostPort> targets) {
        List<CompletableFuture<Connection>> dials = new ArrayList<>();
        for (HostPort target : targets) {
            dials.add(dialer.dialAsync(to(target), task -> {
                throw new AssertionError("a dialer of the engine needs no executor");
            }));
        }
        for (CompletableFuture<Connection> dial : dials) {
            assertThat(dial).succeedsWithin(PATIENCE).satisfies(Connection::close);
        }
    }

    private static List<HostPort> same(HostPort target) {
        return Collections.nCopies(AT_ONCE, target);
    }

    private static List<HostPort> names(int port) {
        List<HostPort> names = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++) {
            names.add(HostPort.of("n" + i + ".example", port));
        }
        return names;
    }

    /** A dialer of the engine's, which has a user's run on the engine's threads. */
    private static Dialer engines(Broxy broxy, Dialer user) {
        return broxy.routingDialer().direct(user).build();
    }

    /** A dialer of the engine's that dials with a user's, which the engine runs, which dials with another of the engine's. */
    private Dialer chained(Broxy broxy, int levels) {
        Dialer below = levels == 0 ? broxy.directDialer().build() : engines(broxy, chained(broxy, levels - 1));
        return request -> {
            if (levels == LEVELS) {
                awaitAll();
            }
            return levels == 0
                    ? below.dial(request)
                    : below.dialAsync(request, Runnable::run).join();
        };
    }

    @Test
    void dialersThatDialWithDialersOfTheEngine() throws Exception {
        try (Origin origin = Origin.discard();
                Broxy broxy = Broxy.builder().eventLoops(2).build()) {
            expectAll(engines(broxy, chained(broxy, LEVELS)), same(origin.target()));
        }
    }

    @Test
    void dialersThatWaitForFutures() throws Exception {
        try (Origin origin = Origin.discard();
                Broxy broxy = Broxy.builder().eventLoops(2).build()) {
            Dialer inner = engines(
                    broxy,
                    request -> broxy.directDialer()
                            .build()
                            .dialAsync(request, Runnable::run)
                            .join());
            Dialer outer = engines(broxy, request -> {
                awaitAll();
                return inner.dialAsync(request, Runnable::run).join();
            });

            expectAll(outer, same(origin.target()));
        }
    }

    @Test
    void resolversThatDial() throws Exception {
        try (Origin origin = Origin.discard();
                Broxy broxy = Broxy.builder().eventLoops(2).build()) {
            DirectDialer[] own = new DirectDialer[1];
            own[0] = broxy.directDialer()
                    .resolver(host -> {
                        if (host.startsWith("n")) {
                            awaitAll();
                        }
                        int level = host.charAt(0) == 'n' ? LEVELS : host.charAt(0) - '0';
                        if (level > 0) {
                            HostPort server = HostPort.of((level - 1) + "-" + host.substring(1), origin.port());
                            try {
                                own[0].dial(to(server)).close();
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        }
                        return List.of(InetAddress.getLoopbackAddress());
                    })
                    .build();

            expectAll(own[0], names(origin.port()));
        }
    }

    @Test
    void resolversThatWaitForFutures() throws Exception {
        try (Origin origin = Origin.discard();
                Broxy broxy = Broxy.builder().eventLoops(2).build()) {
            DirectDialer[] own = new DirectDialer[1];
            own[0] = broxy.directDialer()
                    .resolver(host -> {
                        if (host.startsWith("n")) {
                            awaitAll();
                            own[0].dialAsync(to(HostPort.of("dns-" + host, origin.port())), Runnable::run)
                                    .thenAccept(Connection::abort)
                                    .join();
                        }
                        return List.of(InetAddress.getLoopbackAddress());
                    })
                    .build();

            expectAll(own[0], names(origin.port()));
        }
    }

    @Test
    void authorizationsThatDial() throws Exception {
        try (Origin origin = Origin.discard();
                Broxy broxy = Broxy.builder().eventLoops(2).build();
                Broxy other = Broxy.builder().eventLoops(1).build()) {
            ProxyHandler handler =
                    other.proxyHandler().addressPolicy(AddressPolicy.any()).build();
            ProxyServer proxy = other.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), handler);
            HostPort address = HostPort.of("127.0.0.1", ((InetSocketAddress) proxy.localAddress()).getPort());
            Dialer inner =
                    broxy.httpProxyDialer(address).authorization(target -> null).build();
            Dialer outer = broxy.httpProxyDialer(address)
                    .authorization(target -> {
                        awaitAll();
                        try {
                            inner.dial(to(origin.target())).close();
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                        return null;
                    })
                    .build();

            expectAll(outer, same(origin.target()));
        }
    }

    @Test
    void dependentsThatDial() throws Exception {
        try (Origin origin = Origin.discard();
                Broxy broxy = Broxy.builder().eventLoops(2).build()) {
            CountDownLatch added = new CountDownLatch(1);
            DirectDialer dialer = broxy.directDialer()
                    .resolver(host -> {
                        try {
                            added.await();
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                        return List.of(InetAddress.getLoopbackAddress());
                    })
                    .build();
            List<CompletableFuture<Void>> all = new ArrayList<>();
            for (int i = 0; i < AT_ONCE; i++) {
                all.add(dialer.dialAsync(to(HostPort.of("db.example", origin.port())), Runnable::run)
                        .thenAccept(first -> {
                            awaitAll();
                            dialer.dialAsync(to(origin.target()), Runnable::run)
                                    .join()
                                    .abort();
                            first.abort();
                        }));
            }
            added.countDown();

            assertThat(all).allSatisfy(one -> assertThat(one).succeedsWithin(PATIENCE));
        }
    }

    @Test
    void aResolverThatNeedsItselfFailsAtOnce() throws Exception {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build()) {
            DirectDialer[] own = new DirectDialer[1];
            own[0] = broxy.directDialer()
                    .resolver(host -> {
                        try {
                            own[0].dial(to(HostPort.of(host, 1))).close();
                        } catch (IOException e) {
                            throw (UnknownHostException) new UnknownHostException(host).initCause(e);
                        }
                        return List.of(InetAddress.getLoopbackAddress());
                    })
                    .build();

            assertThatExceptionOfType(DialException.class)
                    .isThrownBy(() -> own[0].dial(to(HostPort.parse("dns.example:53"))))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(DialException.Reason.RESOLVE))
                    .havingRootCause()
                    .withMessageContaining("waits for itself");
        }
    }
}
