package io.broxy.core.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Specifies the states of a connection's ownership, and that it ends once. */
class OwnershipTest {
    private final Ownership ownership = new Ownership();

    @Test
    void beginsWithTheUser() {
        assertThat(ownership.isOwned()).isTrue();
        assertThatCode(ownership::ensureOwned).doesNotThrowAnyException();
    }

    @Test
    void endsOnce() {
        assertThat(ownership.end()).isTrue();
        assertThat(ownership.end()).isFalse();
        assertThat(ownership.isOwned()).isFalse();
        assertThatThrownBy(ownership::ensureOwned).isInstanceOf(ClosedChannelException.class);
    }

    @Test
    void isDetachedOnce() throws Exception {
        ownership.detach();

        assertThat(ownership.isOwned()).isFalse();
        assertThatThrownBy(ownership::ensureOwned)
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(ownership::detach).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void userCannotEndADetachedConnection() throws Exception {
        ownership.detach();

        assertThat(ownership.end()).isFalse();
    }

    @Test
    void whatHasEndedCannotBeDetached() {
        ownership.end();

        assertThatThrownBy(ownership::detach).isInstanceOf(ClosedChannelException.class);
    }

    @Test
    void isReattachedOnlyWhereItWasDetached() throws Exception {
        ownership.reattach();
        assertThat(ownership.isOwned()).isTrue();

        ownership.detach();
        ownership.reattach();
        assertThat(ownership.isOwned()).isTrue();

        ownership.end();
        ownership.reattach();
        assertThat(ownership.isOwned()).isFalse();
    }

    @Test
    void oneOfManyThreadsEndsIt() throws Exception {
        AtomicInteger ended = new AtomicInteger();
        CountDownLatch together = new CountDownLatch(1);
        Thread[] threads = new Thread[8];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                try {
                    together.await();
                } catch (InterruptedException e) {
                    return;
                }
                if (ownership.end()) {
                    ended.incrementAndGet();
                }
            });
            threads[i].start();
        }
        together.countDown();
        for (Thread thread : threads) {
            thread.join();
        }

        assertThat(ended).hasValue(1);
    }
}
