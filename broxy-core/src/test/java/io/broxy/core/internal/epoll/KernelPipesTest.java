package io.broxy.core.internal.epoll;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.epoll.KernelPipes.KernelPipe;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Sockets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how many pipes of the kernel a loop has, and which it keeps. */
@ExtendWith(LeakCheck.class)
class KernelPipesTest {
    private static final int MOST = 64;
    private static final int MOST_SPARE = 4;

    private final Libc libc = new Libc();
    private final List<KernelPipe> taken = new ArrayList<>();
    private List<String> before;
    private KernelPipes pipes;

    @BeforeAll
    static void needsTheTransport() {
        Sockets.EPOLL.assumePossible();
    }

    @BeforeEach
    void start() {
        before = EpollRig.descriptors("pipe:");
        pipes = new KernelPipes(libc);
    }

    @AfterEach
    void nothingIsLeft() {
        taken.forEach(pipes::close);
        pipes.close();
        assertThat(opened()).isEmpty();
    }

    private List<String> opened() {
        List<String> opened = EpollRig.descriptors("pipe:");
        opened.removeAll(before);
        return opened;
    }

    private void takeAll() {
        for (KernelPipe pipe; taken.size() < 2 * MOST && (pipe = pipes.take()) != null; ) {
            taken.add(pipe);
        }
    }

    @Test
    void noPipeIsOpenBeforeTheFirstIsTaken() {
        assertThat(opened()).isEmpty();
    }

    @Test
    void aPipeIsOfUseAndHasTwoDescriptors() {
        KernelPipe pipe = Objects.requireNonNull(pipes.take());
        taken.add(pipe);

        assertThat(pipe.size()).isGreaterThanOrEqualTo(256 << 10);
        assertThat(pipe.source()).isNotEqualTo(pipe.sink());
        assertThat(opened()).hasSize(2);
    }

    @Test
    void aPipeThatWasPutBackIsTakenAgain() {
        KernelPipe pipe = Objects.requireNonNull(pipes.take());
        pipes.putBack(pipe);

        KernelPipe again = Objects.requireNonNull(pipes.take());
        taken.add(again);

        assertThat(again).isSameAs(pipe);
        assertThat(opened()).hasSize(2);
    }

    @Test
    void theirNumberIsBounded() {
        takeAll();

        assertThat(taken).hasSizeLessThanOrEqualTo(MOST);
        assertThat(taken.size()).isPositive();
        Set<Integer> descriptors = new HashSet<>();
        taken.forEach(pipe -> {
            descriptors.add(pipe.source());
            descriptors.add(pipe.sink());
        });
        assertThat(descriptors).as("descriptors").hasSize(2 * taken.size());
        assertThat(opened()).hasSize(2 * taken.size());
    }

    @Test
    void aPlaceIsFreeAgainOnceAPipeIsClosed() {
        takeAll();
        int most = taken.size();
        pipes.close(taken.remove(0));

        takeAll();

        assertThat(taken).hasSize(most);
    }

    @Test
    void fewAreKept() {
        takeAll();
        assertThat(taken).hasSizeGreaterThan(MOST_SPARE);
        taken.forEach(pipes::putBack);
        taken.clear();

        assertThat(opened()).hasSize(2 * MOST_SPARE);
    }

    @Test
    void aSmallPipeIsOfNoUseAndIsClosed() {
        for (int size : new int[] {4_096, 64 << 10, 128 << 10}) {
            KernelPipes small = new KernelPipes(libc, size);

            assertThat(small.take()).isNull();
            assertThat(small.take()).as("and not asked for again").isNull();
            assertThat(opened()).isEmpty();
        }
    }
}
