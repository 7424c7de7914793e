package io.broxy.jmh;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.HashMap;
import java.util.Map;

/** The engine threads in this JVM, identified by name, and their allocation. Threading: thread-safe. */
final class EngineThreads {
    private static final String PREFIX = "broxy-";
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private EngineThreads() {}

    /** The total allocation of each running engine thread, by thread id. Virtual threads are not included. */
    static Map<Long, Long> allocatedBytes() {
        Map<Long, Long> bytes = new HashMap<>();
        for (ThreadInfo thread : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().startsWith(PREFIX)) {
                bytes.put(thread.getThreadId(), THREADS.getThreadAllocatedBytes(thread.getThreadId()));
            }
        }
        return bytes;
    }

    /** The allocation of the running engine threads since an earlier snapshot. */
    static long allocatedBytesSince(Map<Long, Long> before) {
        return allocatedBytes().entrySet().stream()
                .mapToLong(now -> now.getValue() - before.getOrDefault(now.getKey(), 0L))
                .sum();
    }
}
