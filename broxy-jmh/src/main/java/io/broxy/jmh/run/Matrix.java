package io.broxy.jmh.run;

import io.broxy.jmh.CopyConnBenchmark;
import io.broxy.jmh.DialDirectBenchmark;
import io.broxy.jmh.DialHttpProxyBenchmark;
import io.broxy.jmh.HandleConnectDirectBenchmark;
import io.broxy.jmh.HandleConnectHttpProxyBenchmark;
import io.broxy.jmh.HandleHttpDirectBenchmark;
import io.broxy.jmh.LeaseHttpProxyBenchmark;
import io.broxy.jmh.TunnelBulkBenchmark;
import io.broxy.jmh.peer.Peer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The rows of the matrix in order, and the implementations measured in each. Threading: immutable. */
final class Matrix {
    private static final String UNPOOLED = "unpooled";
    private static final String POOLED = "pooled";
    private static final String WARM = "pooled+warm";

    private static final Map<String, Long> SIZES = sizes();

    private Matrix() {}

    private static Map<String, Long> sizes() {
        Map<String, Long> sizes = new LinkedHashMap<>();
        sizes.put("1 KiB", 1L << 10);
        sizes.put("32 KiB", 32L << 10);
        sizes.put("256 KiB", 256L << 10);
        sizes.put("1 MiB", 1L << 20);
        return sizes;
    }

    /** All cases, including those that cannot run here. */
    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        SIZES.forEach((label, size) -> {
            cases.add(copy(label, size, "jdk", UNPOOLED));
            cases.add(copy(label, size, Peer.BROXY.label(), POOLED));
        });
        for (Peer peer : Peer.values()) {
            cases.add(proxied(
                    "HandleConnect_Direct",
                    peer,
                    HandleConnectDirectBenchmark.class,
                    HandleConnectDirectBenchmark.BYTES));
        }
        for (String phase : List.of(POOLED, WARM)) {
            cases.add(upstream(
                    "HandleConnect_HTTPProxy",
                    phase,
                    HandleConnectHttpProxyBenchmark.class,
                    HandleConnectDirectBenchmark.BYTES));
        }
        cases.add(dial(Peer.BROXY.label(), POOLED));
        cases.add(dial("jdk", ""));
        for (String phase : List.of(POOLED, WARM)) {
            cases.add(upstream("Dial_HTTPProxy", phase, DialHttpProxyBenchmark.class, 0));
        }
        cases.add(new Case("Lease_HTTPProxy", Peer.BROXY.label(), WARM, LeaseHttpProxyBenchmark.class, Map.of(), 0));
        for (Peer peer : Peer.values()) {
            if (peer.forwardsPlainHttp()) {
                cases.add(proxied("HandleHTTP_Direct", peer, HandleHttpDirectBenchmark.class, 0));
            }
        }
        for (Peer peer : Peer.values()) {
            cases.add(proxied("TunnelBulk 4 MiB", peer, TunnelBulkBenchmark.class, TunnelBulkBenchmark.BYTES));
        }
        return cases;
    }

    private static Case copy(String label, long size, String implementation, String phase) {
        return new Case(
                "CopyConn " + label,
                implementation,
                phase,
                CopyConnBenchmark.class,
                Map.of("size", String.valueOf(size), "phase", phase),
                size);
    }

    private static Case proxied(String row, Peer peer, Class<?> benchmark, long bytes) {
        String phase = switch (peer) {
            case BROXY -> POOLED;
            case BLOCKING -> UNPOOLED;
            default -> "";
        };
        return new Case(row, peer.label(), phase, benchmark, Map.of("implementation", peer.label()), bytes);
    }

    private static Case upstream(String row, String phase, Class<?> benchmark, long bytes) {
        return new Case(row, Peer.BROXY.label(), phase, benchmark, Map.of("phase", phase), bytes);
    }

    private static Case dial(String implementation, String phase) {
        return new Case(
                "Dial_Direct",
                implementation,
                phase,
                DialDirectBenchmark.class,
                Map.of("implementation", implementation),
                0);
    }
}
