package io.broxy.core.internal.loop;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The engine's direct buffers: a few large ones for each loop ({@link LoopBuffers}), and one of 64 KiB for each platform thread
 * that copies, kept in a {@link ThreadLocal}. Virtual threads, nested uses and threads beyond the cap share a bounded set of
 * slots instead, so that thousands of parked threads do not each retain an unused buffer.
 *
 * <p>Threading: thread-safe.
 */
public final class BufferPool {
    /** Larger buffers hardly speed up copying, and a caller's thread may retain its buffer for long. */
    public static final int CALLER_BUFFER_SIZE = 64 << 10;

    /** The size of the heap buffer that a caller gets when the budget is exhausted. */
    static final int OVERFLOW_BUFFER_SIZE = 8 << 10;

    private static final int SLOTS = 64;
    /** The number of adjacent slots that a thread probes. */
    private static final int PROBES = 8;

    @SuppressWarnings("ThreadLocalUsage") // one per engine, whose buffers are freed with it
    private final ThreadLocal<@Nullable ThreadBuffer> threadBuffer = new ThreadLocal<>();
    /** Buffers of ended threads, which no longer count. */
    private final ReferenceQueue<ThreadBuffer> ended = new ReferenceQueue<>();

    private final Set<Reference<ThreadBuffer>> living = ConcurrentHashMap.newKeySet();
    private final AtomicReferenceArray<@Nullable ByteBuffer> slots = new AtomicReferenceArray<>(SLOTS);
    /** The number of callers' buffers: in threads, in slots and in use. */
    private final AtomicInteger callerBuffers = new AtomicInteger();

    private final int maxCallerBuffers;
    private final AtomicLong heldBytes = new AtomicLong();
    private final AtomicLong loopBytes = new AtomicLong();
    private final long maxHeldBytes;

    /**
     * Creates a pool, which allocates nothing yet.
     *
     * @param maxCallerBytes cap on all buffers of callers' threads
     * @param maxHeldBytes the level at which loops start to read less; see {@link LoopBuffers#readSize}
     */
    public BufferPool(long maxCallerBytes, long maxHeldBytes) {
        maxCallerBuffers = (int) Math.max(1, Math.min(maxCallerBytes / CALLER_BUFFER_SIZE, Integer.MAX_VALUE));
        this.maxHeldBytes = maxHeldBytes;
    }

    /**
     * Creates a pool of 64 MiB, or of an eighth of the heap in a small JVM, where direct memory is by default limited to the
     * heap's size.
     */
    public static BufferPool ofJvm() {
        long budget = Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 8);
        return new BufferPool(budget, budget);
    }

    /** A thread's buffer, and whether it is in use. */
    private static final class ThreadBuffer {
        final ByteBuffer buffer;
        boolean inUse = true;

        ThreadBuffer(ByteBuffer buffer) {
            this.buffer = buffer;
        }
    }

    /** The buffers of a new loop. */
    LoopBuffers forLoop() {
        return new LoopBuffers(heldBytes, maxHeldBytes, loopBytes);
    }

    /** A cleared buffer for the calling thread, to be {@linkplain #giveBack given back} by the same thread. */
    public ByteBuffer borrow() {
        Thread thread = Thread.currentThread();
        if (!VirtualThreads.isVirtual(thread)) {
            ThreadBuffer cached = threadBuffer.get();
            if (cached == null) {
                cached = createThreadBuffer();
                if (cached != null) {
                    return cached.buffer;
                }
            } else if (!cached.inUse) {
                cached.inUse = true;
                return cached.buffer.clear();
            }
        }
        return borrowShared(thread);
    }

    /** Returns a buffer to the pool. */
    @SuppressWarnings("ReferenceEquality") // two buffers with the same content are equal
    public void giveBack(ByteBuffer buffer) {
        Thread thread = Thread.currentThread();
        ThreadBuffer cached = VirtualThreads.isVirtual(thread) ? null : threadBuffer.get();
        if (cached != null && cached.buffer == buffer) {
            cached.inUse = false;
        } else if (buffer.isDirect()) {
            giveBackShared(thread, buffer);
        }
    }

    private @Nullable ThreadBuffer createThreadBuffer() {
        ByteBuffer buffer = allocate();
        if (buffer == null) {
            return null;
        }
        ThreadBuffer created = new ThreadBuffer(buffer);
        living.add(new WeakReference<>(created, ended));
        threadBuffer.set(created);
        return created;
    }

    private ByteBuffer borrowShared(Thread thread) {
        int start = slot(thread);
        for (int i = 0; i < PROBES; i++) {
            ByteBuffer buffer = slots.getAndSet((start + i) % SLOTS, null);
            if (buffer != null) {
                return buffer.clear();
            }
        }
        ByteBuffer buffer = allocate();
        return buffer != null ? buffer : ByteBuffer.allocate(OVERFLOW_BUFFER_SIZE);
    }

    private void giveBackShared(Thread thread, ByteBuffer buffer) {
        int start = slot(thread);
        for (int i = 0; i < PROBES; i++) {
            if (slots.compareAndSet((start + i) % SLOTS, null, buffer)) {
                return;
            }
        }
        callerBuffers.decrementAndGet(); // garbage collected
    }

    /** Scatters consecutive ids (Fibonacci hashing), so that threads created one after another do not probe the same slots. */
    @SuppressWarnings("deprecation") // Thread.threadId() came with Java 19
    private static int slot(Thread thread) {
        return (int) ((thread.getId() * 0x9E3779B97F4A7C15L) >>> 58);
    }

    /** Allocates a buffer; null if the budget or the JVM's direct memory is exhausted. */
    private @Nullable ByteBuffer allocate() {
        for (Reference<? extends ThreadBuffer> gone; (gone = ended.poll()) != null; ) {
            living.remove(gone);
            callerBuffers.decrementAndGet();
        }
        if (callerBuffers.incrementAndGet() > maxCallerBuffers) {
            callerBuffers.decrementAndGet();
            return null;
        }
        try {
            return AlignedMemory.allocate(CALLER_BUFFER_SIZE);
        } catch (OutOfMemoryError e) {
            callerBuffers.decrementAndGet();
            return null;
        }
    }

    /** The number of callers' buffers. */
    int callerBuffers() {
        return callerBuffers.get();
    }

    /** The number of unwritten bytes that all loops hold. */
    public long heldBytes() {
        return heldBytes.get();
    }

    /** The number of held bytes at which loops start to read less. */
    public long maxHeldBytes() {
        return maxHeldBytes;
    }

    /** The bytes of all buffers that are kept or lent. */
    public long bytes() {
        return loopBytes.get() + (long) callerBuffers.get() * CALLER_BUFFER_SIZE;
    }
}
