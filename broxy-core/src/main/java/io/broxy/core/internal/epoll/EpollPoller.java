package io.broxy.core.internal.epoll;

import io.broxy.core.internal.loop.CompanionPoller;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Poller;
import io.broxy.core.internal.net.Connector;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.socket.SocketOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Waits with {@code epoll} on sockets of the engine's own. What a socket waits for is passed to the kernel before the next wait,
 * so a change that is taken back within a turn costs no call.
 *
 * <p>Threading: as {@link Poller} says.
 */
final class EpollPoller extends CompanionPoller implements Connector {
    private static final int MAX_EVENTS = 1_024;
    /** {@code struct epoll_event} is packed on x86-64 only. */
    private static final boolean PACKED = System.getProperty("os.arch").equals("amd64");

    private static final int EVENT_BYTES = PACKED ? 12 : 16;
    private static final int DATA_OFFSET = PACKED ? 4 : 8;
    private static final long WAKEUP = -1;

    final Libc libc = new Libc();
    final KernelPipes pipes = new KernelPipes(libc);

    private final ByteBuffer events =
            ByteBuffer.allocateDirect(MAX_EVENTS * EVENT_BYTES).order(ByteOrder.nativeOrder());
    private final long eventsAddress = Libc.address(events);
    private final int epoll;
    private final int wakeup;
    /** For {@link #wakeup}, which other threads call; also the lock of the descriptor, which must not be used behind its close. */
    private final Libc wakeupLibc = new Libc();

    private boolean wakeable = true;

    /** By descriptor. */
    private @Nullable Member[] members = new Member[64];
    /** By descriptor; counts its members, so that an event for a former one is recognized. */
    private int[] generations = new int[64];

    /** The number of members; set by the loop only. */
    private final AtomicInteger count = new AtomicInteger();

    private final ArrayDeque<Member> changed = new ArrayDeque<>();

    /** A descriptor that the poller watches. Threading: owned by the loop. */
    abstract static class Member {
        final int fd;
        /** What it waits for, as events of epoll. */
        private int wanted;
        /** What the kernel knows; 0 if the descriptor is not registered. */
        private int registered;

        private boolean isChanged;

        Member(int fd) {
            this.fd = fd;
        }

        /** Receives the events of epoll. */
        abstract void ready(EventLoop loop, int events);

        /** The loop stops, or the kernel cannot watch the descriptor. */
        abstract void abandoned(EventLoop loop, Throwable cause);
    }

    EpollPoller() throws IOException {
        epoll = libc.checked(libc.call(Libc.EPOLL_CREATE1, Libc.SOCK_CLOEXEC));
        wakeup = libc.call(Libc.EVENTFD, 0, Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK);
        if (wakeup < 0 || control(Libc.EPOLL_CTL_ADD, wakeup, Libc.EPOLLIN | Libc.EPOLLET, WAKEUP) < 0) {
            IOException failure = libc.failure();
            libc.close(epoll);
            if (wakeup >= 0) {
                libc.close(wakeup);
            }
            throw failure;
        }
        wakeupLibc.scratch.putLong(0, 1);
    }

    @Override
    public Runnable connect(
            EventLoop loop,
            InetSocketAddress address,
            SocketOptions options,
            @Nullable InetAddress localAddress,
            Consumer<LoopConnection> connected,
            Consumer<IOException> failed)
            throws IOException {
        return EpollConnect.start(loop, address, options, localAddress, connected, failed);
    }

    private int control(int operation, int fd, int wanted, long data) {
        libc.scratch.putInt(0, wanted).putLong(DATA_OFFSET, data);
        return libc.call(Libc.EPOLL_CTL, epoll, operation, fd, libc.scratchAddress);
    }

    /** Watches a descriptor from now on; it waits for nothing yet. */
    void add(Member member) {
        int fd = member.fd;
        if (fd >= members.length) {
            int size = Math.max(fd + 1, 2 * members.length);
            members = Arrays.copyOf(members, size);
            generations = Arrays.copyOf(generations, size);
        }
        members[fd] = member;
        generations[fd]++;
        count.setOpaque(count.getPlain() + 1);
    }

    /** Changes what a member waits for. */
    void want(Member member, int wanted) {
        member.wanted = wanted;
        if (!member.isChanged && wanted != member.registered) {
            member.isChanged = true;
            changed.add(member);
        }
    }

    /** Another member takes over the descriptor, with what the kernel knows of it. */
    void replace(Member member, Member by) {
        members[member.fd] = by;
        by.registered = member.registered;
        by.wanted = by.registered;
        want(by, 0);
    }

    /** Forgets a descriptor that stays open. */
    void release(Member member) {
        if (member.registered != 0) {
            control(Libc.EPOLL_CTL_DEL, member.fd, 0, 0);
        }
        remove(member);
    }

    /** Forgets a descriptor, which the caller closes at once. */
    void remove(Member member) {
        members[member.fd] = null;
        member.wanted = 0;
        member.registered = 0;
        count.setOpaque(count.getPlain() - 1);
    }

    private void applyChanges(EventLoop loop) {
        for (Member member; (member = changed.poll()) != null; ) {
            member.isChanged = false;
            int fd = member.fd;
            if (members[fd] != member || member.wanted == member.registered) {
                continue;
            }
            int operation = member.wanted == 0
                    ? Libc.EPOLL_CTL_DEL
                    : member.registered == 0 ? Libc.EPOLL_CTL_ADD : Libc.EPOLL_CTL_MOD;
            if (control(operation, fd, member.wanted, (long) generations[fd] << 32 | fd) == 0) {
                member.registered = member.wanted;
            } else {
                member.abandoned(loop, libc.failure());
            }
        }
    }

    @Override
    protected void pollSockets(EventLoop loop, long millis) throws IOException {
        applyChanges(loop);
        int ready =
                libc.moved(libc.epollWait(epoll, eventsAddress, MAX_EVENTS, (int) Math.min(millis, Integer.MAX_VALUE)));
        for (int i = 0; i < ready; i++) {
            int at = i * EVENT_BYTES;
            long data = events.getLong(at + DATA_OFFSET);
            if (data == WAKEUP) {
                continue;
            }
            int fd = (int) data;
            Member member = members[fd];
            if (member != null && generations[fd] == (int) (data >>> 32)) {
                member.ready(loop, events.getInt(at));
            }
        }
    }

    @Override
    public void wakeup() {
        synchronized (wakeupLibc) {
            if (wakeable) {
                wakeupLibc.call(Libc.WRITE, wakeup, wakeupLibc.scratchAddress, Long.BYTES);
            }
        }
    }

    @Override
    protected int sockets() {
        return count.getOpaque();
    }

    @Override
    protected void abandonSockets(EventLoop loop, Throwable cause) {
        for (int fd = 0; fd < members.length; fd++) {
            Member member = members[fd];
            if (member != null) {
                member.abandoned(loop, cause);
            }
        }
    }

    @Override
    protected void closeSockets() {
        pipes.close();
        libc.close(epoll);
        synchronized (wakeupLibc) {
            wakeable = false;
            libc.close(wakeup);
        }
    }
}
