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
 * The engine's direct buffers: a few big ones for each loop ({@link LoopBuffers}), and one of 64 KiB for each platform
 * thread that copies, kept in a {@link ThreadLocal}. Virtual threads, nested uses and threads beyond the cap share a
 * bounded set of slots instead: thousands of parked threads must not each keep a buffer that is never used again.
 *
 * <p>Threading: thread-safe.
 */
public final class BufferPool {
    /** Copying gets little faster with more, and a caller's thread may keep its buffer for long. */
    public static final int CALLER_BUFFER_SIZE = 64 << 10;

    /** What a caller gets when the budget is used up: on the heap, and left to the garbage collector. */
    static final int OVERFLOW_BUFFER_SIZE = 8 << 10;

    private static final int SLOTS = 64;
    /** How many neighbors of its own slot a thread looks at. */
    private static final int PROBES = 8;

    @SuppressWarnings("ThreadLocalUsage") // one of each engine: its buffers end with it
    private final ThreadLocal<@Nullable OwnBuffer> own = new ThreadLocal<>();
    /** Buffers of threads that ended: they no longer count. */
    private final ReferenceQueue<OwnBuffer> ended = new ReferenceQueue<>();

    private final Set<Reference<OwnBuffer>> living = ConcurrentHashMap.newKeySet();
    private final AtomicReferenceArray<@Nullable ByteBuffer> slots = new AtomicReferenceArray<>(SLOTS);
    /** Buffers of callers that exist: in threads, in slots and in use. */
    private final AtomicInteger callerBuffers = new AtomicInteger();

    private final int maxCallerBuffers;
    private final AtomicLong heldBytes = new AtomicLong();
    private final long maxHeldBytes;

    /**
     * Creates a pool; it allocates nothing yet.
     *
     * @param maxCallerBytes cap for the buffers of callers' threads together
     * @param maxHeldBytes where loops begin to read less, see {@link LoopBuffers#readSize}
     */
    public BufferPool(long maxCallerBytes, long maxHeldBytes) {
        maxCallerBuffers = (int) Math.max(1, Math.min(maxCallerBytes / CALLER_BUFFER_SIZE, Integer.MAX_VALUE));
        this.maxHeldBytes = maxHeldBytes;
    }

    /** Creates a pool of 64 MiB, or in a small JVM an eighth of its heap: direct memory is by default as large as the heap. */
    public static BufferPool ofJvm() {
        long budget = Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 8);
        return new BufferPool(budget, budget);
    }

    /** A thread's buffer, and whether it is in use. */
    private static final class OwnBuffer {
        final ByteBuffer buffer;
        boolean inUse = true;

        OwnBuffer(ByteBuffer buffer) {
            this.buffer = buffer;
        }
    }

    /** The buffers of a new loop. */
    LoopBuffers forLoop() {
        return new LoopBuffers(heldBytes, maxHeldBytes);
    }

    /** A cleared buffer for the calling thread, to be {@linkplain #giveBack given back} by the same thread. */
    public ByteBuffer borrow() {
        Thread thread = Thread.currentThread();
        if (!VirtualThreads.isVirtual(thread)) {
            OwnBuffer mine = own.get();
            if (mine == null) {
                mine = makeOwn();
                if (mine != null) {
                    return mine.buffer;
                }
            } else if (!mine.inUse) {
                mine.inUse = true;
                return mine.buffer.clear();
            }
        }
        return borrowShared(thread);
    }

    /** Takes back a buffer. */
    @SuppressWarnings("ReferenceEquality") // equal buffers have the same content, and are two buffers
    public void giveBack(ByteBuffer buffer) {
        Thread thread = Thread.currentThread();
        OwnBuffer mine = VirtualThreads.isVirtual(thread) ? null : own.get();
        if (mine != null && mine.buffer == buffer) {
            mine.inUse = false;
        } else if (buffer.isDirect()) {
            giveBackShared(thread, buffer);
        }
    }

    private @Nullable OwnBuffer makeOwn() {
        ByteBuffer buffer = allocate();
        if (buffer == null) {
            return null;
        }
        OwnBuffer mine = new OwnBuffer(buffer);
        living.add(new WeakReference<>(mine, ended));
        own.set(mine);
        return mine;
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
        callerBuffers.decrementAndGet(); // left to the garbage collector
    }

    /** Consecutive ids are scattered (Fibonacci hashing), so that neighbors in time do not probe the same slots. */
    @SuppressWarnings("deprecation") // Thread.threadId() came with Java 19
    private static int slot(Thread thread) {
        return (int) ((thread.getId() * 0x9E3779B97F4A7C15L) >>> 58);
    }

    /** A new buffer, or null when the budget or the JVM's direct memory is used up. */
    private @Nullable ByteBuffer allocate() {
        for (Reference<? extends OwnBuffer> gone; (gone = ended.poll()) != null; ) {
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

    /** How many buffers of callers exist. */
    int callerBuffers() {
        return callerBuffers.get();
    }

    /** Bytes of unwritten remainders that all loops hold. */
    public long heldBytes() {
        return heldBytes.get();
    }
}
