package io.broxy.examples.admin;

import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;

/**
 * The memory of this process.
 *
 * <p>Threading: immutable.
 *
 * @param heap of objects
 * @param direct bytes of direct buffers
 */
record JvmMemory(MemoryUsage heap, long direct) {
    /** Where there is no limit, as for the heap. */
    static final long NO_LIMIT = -1;

    static JvmMemory now() {
        long direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
        return new JvmMemory(ManagementFactory.getMemoryMXBean().getHeapMemoryUsage(), direct);
    }

    /** Publishes it under the names that the Prometheus client for the JVM uses, too. */
    static void addTo(PrometheusRegistry registry) {
        GaugeWithCallback.builder()
                .name("jvm_memory_used_bytes")
                .help("Bytes of memory in use")
                .labelNames("area")
                .callback(gauge -> gauge.call((double) now().heap().getUsed(), "heap"))
                .register(registry);
        GaugeWithCallback.builder()
                .name("jvm_memory_max_bytes")
                .help("The most bytes of memory that may be in use")
                .labelNames("area")
                .callback(gauge -> gauge.call((double) now().heap().getMax(), "heap"))
                .register(registry);
        GaugeWithCallback.builder()
                .name("jvm_buffer_pool_used_bytes")
                .help("Bytes of buffers in use")
                .labelNames("pool")
                .callback(gauge -> gauge.call((double) now().direct(), "direct"))
                .register(registry);
    }
}
