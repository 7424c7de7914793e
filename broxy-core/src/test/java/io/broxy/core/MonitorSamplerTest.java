package io.broxy.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import io.broxy.ActiveTunnel;
import io.broxy.CloseReason;
import io.broxy.EngineStats;
import io.broxy.ExchangeResult;
import io.broxy.HostPort;
import io.broxy.LookUpStats;
import io.broxy.ProxyHandler;
import io.broxy.ProxyListener.Client;
import io.broxy.ProxyListener.Request;
import io.broxy.ProxyStats;
import io.broxy.RequestId;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.ProxyMonitor.Order;
import io.broxy.core.ProxyMonitor.Sample;
import io.broxy.core.ProxyMonitor.TunnelRate;
import io.broxy.core.ProxyMonitor.Usage;
import io.broxy.core.internal.observe.DurationRecorder;
import io.broxy.core.testkit.ManualTicker;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Specifies the figures of a monitor, by a clock that the test moves: samples, rates, and the busiest targets and identities. */
class MonitorSamplerTest {
    private static final HostPort DB = HostPort.of("db.example", 5432);
    private static final HostPort WEB = HostPort.of("web.example", 443);

    private final ManualTicker ticker = new ManualTicker();
    private final long startNanos = ticker.nanos();
    private final DurationRecorder dials = new DurationRecorder();
    private final DurationRecorder responses = new DurationRecorder();
    private final ProxyHandler handler = mock();
    private final MonitorSampler sampler = new MonitorSampler(ticker, this::engine);
    private final List<ActiveTunnel> running = new ArrayList<>();
    private long connections;
    private long toClient;
    private long busyNanos;

    private EngineStats engine() {
        Duration now = Duration.ofNanos(ticker.nanos() - startNanos);
        return new EngineStats(
                EngineStats.Transport.NIO,
                List.of(
                        new EngineStats.Loop("idle", 0, 0, Duration.ZERO, now),
                        new EngineStats.Loop("busy", 0, 0, Duration.ofNanos(busyNanos), now)),
                0,
                0,
                0,
                new LookUpStats(0, 0, 0, 1));
    }

    private void begin() {
        when(handler.stats()).thenAnswer(call -> stats());
        when(handler.activeTunnels()).thenAnswer(call -> List.copyOf(running));
        sampler.begin(handler);
    }

    private ProxyStats stats() {
        ProxyStats stats = mock();
        when(stats.totalConnections()).thenReturn(connections);
        when(stats.openConnections()).thenReturn(3L);
        when(stats.bytesToClient()).thenReturn(toClient);
        when(stats.dialTimes()).thenReturn(dials.snapshot());
        when(stats.responseTimes()).thenReturn(responses.snapshot());
        return stats;
    }

    private Sample second() {
        ticker.advance(Duration.ofSeconds(1));
        sampler.sample();
        return Objects.requireNonNull(sampler.latest());
    }

    private static ActiveTunnel tunnel(
            long number, HostPort target, @Nullable String identity, long toOrigin, long toClient) {
        return new ActiveTunnel(
                number, target, identity, null, null, Instant.EPOCH, toOrigin, toClient, mock(Tunnel.class));
    }

    private static Request request(long number, @Nullable HostPort target, @Nullable String identity) {
        return new Request(
                new RequestId(number, 1),
                new Client(number, null, Instant.EPOCH, null),
                Instant.EPOCH,
                "CONNECT",
                target,
                identity);
    }

    private static TunnelResult ended(HostPort target, long toOrigin, long toClient) {
        return new TunnelResult(target, null, toOrigin, toClient, Duration.ofSeconds(1), CloseReason.FINISHED, null);
    }

    // ------------------------------------------------------------------ samples

    @Test
    void aSampleHasWhatHappenedInItsTime() {
        connections = 100;
        toClient = 5_000;
        dials.record(Duration.ofSeconds(5).toNanos());
        begin();
        assertThat(sampler.latest()).isNull();

        connections = 107;
        toClient = 8_000;
        busyNanos = Duration.ofMillis(1_500).toNanos();
        dials.record(Duration.ofMillis(10).toNanos());
        ticker.advance(Duration.ofSeconds(2));
        sampler.sample();

        Sample sample = sampler.samples().get(0);
        assertThat(sample.duration()).isEqualTo(Duration.ofSeconds(2));
        assertThat(sample.openConnections()).isEqualTo(3);
        assertThat(sample.connections()).isEqualTo(7);
        assertThat(sample.bytesToClient()).isEqualTo(3_000);
        assertThat(sample.bytesToClientPerSecond()).isEqualTo(1_500);
        assertThat(sample.bytesToOriginPerSecond()).isZero();
        assertThat(sample.dials()).isEqualTo(1);
        assertThat(sample.dialMedian()).isEqualTo(Duration.ofMillis(10));
        assertThat(sample.dialP99()).isEqualTo(Duration.ofMillis(10));
        assertThat(sample.busiestLoop()).isEqualTo(0.75);
        assertThat(second().dials()).isZero();
    }

    @Test
    void tenMinutesAreKept() {
        begin();
        for (int i = 1; i <= 700; i++) {
            connections += i;
            second();
        }
        assertThat(sampler.samples()).hasSize(ProxyMonitor.MAX_SAMPLES);
        assertThat(sampler.samples().get(0).connections()).isEqualTo(101);
        assertThat(sampler.samples().get(599).connections()).isEqualTo(700);
    }

    @Test
    void aSampleWithoutTimeIsNone() {
        sampler.sample();
        begin();
        sampler.sample();
        assertThat(sampler.samples()).isEmpty();
        second();
        sampler.sample();
        assertThat(sampler.samples()).hasSize(1);
    }

    @Test
    void theDistributionsAreThoseOfTheLastMinute() {
        assertThatIllegalStateException().isThrownBy(() -> sampler.ofLastMinute(ProxyStats::dialTimes));
        begin();
        dials.record(Duration.ofSeconds(5).toNanos());
        responses.record(Duration.ofSeconds(7).toNanos());
        second();
        assertThat(sampler.ofLastMinute(ProxyStats::dialTimes).max()).isEqualTo(Duration.ofSeconds(5));
        assertThat(sampler.ofLastMinute(ProxyStats::responseTimes).count()).isEqualTo(1);
        dials.record(Duration.ofMillis(5).toNanos());
        for (int i = 0; i < 60; i++) {
            second();
        }
        assertThat(sampler.ofLastMinute(ProxyStats::dialTimes).count()).isEqualTo(1);
        assertThat(sampler.ofLastMinute(ProxyStats::dialTimes).max()).isEqualTo(Duration.ofMillis(5));
        second();
        assertThat(sampler.ofLastMinute(ProxyStats::dialTimes).count()).isZero();
    }

    @Test
    void aSecondHandlerIsRefused() {
        begin();
        assertThatIllegalStateException().isThrownBy(() -> sampler.begin(handler));
    }

    // ------------------------------------------------------------------ tunnels

    @Test
    void aRunningTunnelHasItsRate() {
        begin();
        assertThat(sampler.tunnels()).isEmpty();
        running.add(tunnel(1, DB, null, 100, 200));
        second();
        running.set(0, tunnel(1, DB, null, 100, 5_200));
        ticker.advance(Duration.ofSeconds(1));
        second();

        TunnelRate rate = sampler.tunnels().get(0);
        assertThat(rate.tunnel()).isEqualTo(running.get(0));
        assertThat(rate.bytesToOriginPerSecond()).isZero();
        assertThat(rate.bytesToClientPerSecond()).isEqualTo(2_500);
        running.clear();
        second();
        assertThat(sampler.tunnels()).isEmpty();
    }

    // ------------------------------------------------------------------ targets and identities

    @Test
    void bytesOfTunnelsCountAsTheyFlowAndNoneTwice() {
        begin();
        sampler.tunnelEstablished(request(1, DB, "alice"));
        running.add(tunnel(1, DB, "alice", 10, 100));
        second();
        Usage first = new Usage("db.example:5432", 1, 10, 100);
        assertThat(sampler.targets(9, Order.BYTES).usages()).containsExactly(first);

        running.set(0, tunnel(1, DB, "alice", 10, 150));
        second();
        running.clear();
        sampler.tunnelEnded(request(1, DB, "alice"), ended(DB, 12, 180));
        second();
        assertThat(sampler.targets(9, Order.BYTES).usages()).containsExactly(new Usage("db.example:5432", 1, 12, 180));
        assertThat(sampler.identities(9, Order.BYTES).usages()).containsExactly(new Usage("alice", 1, 12, 180));
    }

    @Test
    void aTunnelBetweenTwoSamplesCountsAtItsEnd() {
        begin();
        sampler.tunnelEstablished(request(1, WEB, null));
        sampler.tunnelEnded(request(1, WEB, null), ended(WEB, 1, 2));
        assertThat(sampler.targets(9, Order.BYTES).usages()).containsExactly(new Usage("web.example:443", 1, 1, 2));
        assertThat(sampler.identities(9, Order.BYTES).usages()).isEmpty();
    }

    @Test
    void exchangesCountWhenTheyEndAndRequestsToTheProxyForTheirIdentityOnly() {
        begin();
        ExchangeResult result = new ExchangeResult(200, 5, 7, Duration.ZERO, CloseReason.FINISHED, null);
        sampler.exchangeEnded(request(1, WEB, "bob"), result);
        sampler.exchangeEnded(request(2, null, "bob"), result);
        assertThat(sampler.targets(9, Order.REQUESTS).usages()).containsExactly(new Usage("web.example:443", 1, 5, 7));
        assertThat(sampler.identities(9, Order.REQUESTS).usages()).containsExactly(new Usage("bob", 2, 10, 14));
    }

    @Test
    void theOthersAreInOneSum() {
        begin();
        ExchangeResult result = new ExchangeResult(200, 5, 7, Duration.ZERO, CloseReason.FINISHED, null);
        for (int i = 0; i < 5_000; i++) {
            sampler.exchangeEnded(request(i, HostPort.of("host-" + i, 80), null), result);
        }
        sampler.exchangeEnded(request(5_000, HostPort.of("host-0", 80), null), result);
        ProxyMonitor.Top top = sampler.targets(1, Order.REQUESTS);
        assertThat(top.usages()).containsExactly(new Usage("host-0:80", 2, 10, 14));
        assertThat(top.others()).isEqualTo(new Usage("", 4_999, 4_999 * 5, 4_999 * 7));
        assertThatIllegalArgumentException().isThrownBy(() -> sampler.targets(-1, Order.BYTES));
    }

    @Test
    void aFailedDialUsesNothing() {
        begin();
        sampler.tunnelEnded(request(1, DB, "alice"), ended(DB, 0, 0));
        assertThat(sampler.targets(9, Order.REQUESTS).usages()).isEmpty();
        assertThat(sampler.identities(9, Order.REQUESTS).usages()).isEmpty();
    }

    @Test
    void aTunnelWhoseEndIsNeverReportedIsForgotten() {
        begin();
        running.add(tunnel(1, DB, null, 10, 100));
        second();
        running.clear();
        for (int i = 0; i < 11; i++) {
            second();
        }
        sampler.tunnelEnded(request(1, DB, null), ended(DB, 10, 100));
        assertThat(sampler.targets(9, Order.BYTES).usages())
                .as("counted anew, for nothing is remembered")
                .containsExactly(new Usage("db.example:5432", 0, 20, 200));
    }
}
