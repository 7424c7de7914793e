package io.broxy.jmh;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.HashMap;
import java.util.Map;

/** The threads of the engines in this JVM, known by their names, and what they have allocated. Threading: thread-safe. */
final class EngineThreads {
    private static final String PREFIX = "broxy-";
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private EngineThreads() {}

    /** What each thread that runs now has allocated in its life, by the thread's id. Virtual threads are not seen. */
    static Map<Long, Long> allocatedBytes() {
        Map<Long, Long> bytes = new HashMap<>();
        for (ThreadInfo thread : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().startsWith(PREFIX)) {
                bytes.put(thread.getThreadId(), THREADS.getThreadAllocatedBytes(thread.getThreadId()));
            }
        }
        return bytes;
    }

    /** What the threads that run now have allocated since an earlier time. */
    static long allocatedBytesSince(Map<Long, Long> before) {
        return allocatedBytes().entrySet().stream()
                .mapToLong(now -> now.getValue() - before.getOrDefault(now.getKey(), 0L))
                .sum();
    }
}
