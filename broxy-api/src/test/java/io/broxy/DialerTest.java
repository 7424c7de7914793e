package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.DialException.Reason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Specifies the default methods of a dialer that implements {@code dial} alone. */
class DialerTest {
    private static final long PATIENCE_SECONDS = 20;
    private static final HostPort TARGET = HostPort.of("db.example", 5_432);
    private static final DialRequest REQUEST = DialRequest.to(TARGET);

    private final ExecutorService executor = Executors.newSingleThreadExecutor();

    @AfterEach
    void stop() throws Exception {
        executor.shutdownNow();
        assertThat(executor.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS))
                .isTrue();
    }

    @Test
    void dialsATargetWithDefaults() throws Exception {
        CompletableFuture<DialRequest> asked = new CompletableFuture<>();
        Dialer dialer = request -> {
            asked.complete(request);
            return new Opened();
        };

        assertThat(dialer.dial(TARGET)).isInstanceOf(Opened.class);

        DialRequest request = asked.join();
        assertThat(request.target()).isEqualTo(TARGET);
        assertThat(request.timeout()).isNull();
        assertThat(request.addressPolicy()).isSameAs(AddressPolicy.any());
    }

    @Test
    void dialsOnTheExecutor() throws Exception {
        CompletableFuture<Thread> dialing = new CompletableFuture<>();
        Opened opened = new Opened();
        Dialer dialer = request -> {
            dialing.complete(Thread.currentThread());
            return opened;
        };

        assertThat(dialer.dialAsync(REQUEST, executor).get(PATIENCE_SECONDS, TimeUnit.SECONDS))
                .isSameAs(opened);
        assertThat(dialing.join()).isSameAs(executorThread());
        assertThat(opened.closed.getCount()).as("open").isEqualTo(1);
    }

    @Test
    void failureOfTheDialIsThatOfTheFuture() {
        DialException failure = new DialException(Reason.REFUSED, TARGET, Duration.ZERO, List.of(), null);
        IllegalStateException bug = new IllegalStateException("a bug");

        assertThat(failureOf(request -> {
                    throw failure;
                }))
                .isSameAs(failure);
        assertThat(failureOf(request -> {
                    throw bug;
                }))
                .isSameAs(bug);
    }

    @Test
    @SuppressWarnings("NullAway") // a user's code may break its contract
    void dialerThatReturnsNothingFailsTheFuture() {
        assertThat(failureOf(request -> null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("the dialer returned no connection");
    }

    @Test
    void executorThatRejectsTheDialFailsTheFuture() {
        CompletableFuture<Connection> future = ((Dialer) request -> new Opened()).dialAsync(REQUEST, task -> {
            throw new RejectedExecutionException("full");
        });

        assertThatThrownBy(future::get).cause().isInstanceOfSatisfying(DialException.class, e -> {
            assertThat(e.reason()).isEqualTo(Reason.LOCAL);
            assertThat(e.target()).isEqualTo(TARGET);
            assertThat(e).hasCauseInstanceOf(RejectedExecutionException.class);
        });
    }

    @Test
    void cancellingInterruptsTheDialAndNothingElse() throws Exception {
        CountDownLatch dialing = new CountDownLatch(1);
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Dialer dialer = request -> {
            dialing.countDown();
            try {
                interrupted.complete(new CountDownLatch(1).await(PATIENCE_SECONDS, TimeUnit.SECONDS)); // false
            } catch (InterruptedException e) {
                interrupted.complete(true);
                Thread.currentThread().interrupt();
            }
            throw new DialException(Reason.CANCELLED, request.target(), Duration.ZERO, List.of(), null);
        };
        CompletableFuture<Connection> future = dialer.dialAsync(REQUEST, executor);
        dialing.await();

        future.cancel(false);

        assertThat(interrupted.get(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(executor.submit(() -> Thread.currentThread().isInterrupted()).get())
                .as("interrupt status of the executor's thread")
                .isFalse();
    }

    @Test
    void timeOutOfTheFutureInterruptsTheDial() {
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Dialer dialer = request -> {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.complete(true);
            }
            throw new DialException(Reason.CANCELLED, request.target(), Duration.ZERO, List.of(), null);
        };

        CompletableFuture<Connection> future =
                dialer.dialAsync(REQUEST, executor).orTimeout(50, TimeUnit.MILLISECONDS);

        assertThatThrownBy(future::get).hasCauseInstanceOf(TimeoutException.class);
        assertThat(interrupted.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join())
                .isTrue();
    }

    @Test
    void futureThatIsCancelledInTheQueueIsNeverDialed() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        executor.execute(() -> {
            try {
                free.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        CompletableFuture<Boolean> dialed = new CompletableFuture<>();
        Dialer dialer = request -> {
            dialed.complete(true);
            return new Opened();
        };

        dialer.dialAsync(REQUEST, executor).cancel(false);
        free.countDown();

        executor.submit(() -> {}).get();
        assertThat(dialed).isNotDone();
    }

    @Test
    void connectionThatComesTooLateIsClosed() throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        CountDownLatch dialing = new CountDownLatch(1);
        Opened late = new Opened();
        Dialer deaf = request -> {
            dialing.countDown();
            while (cancelled.getCount() > 0) {
                Thread.onSpinWait(); // which an interrupt does not end
            }
            return late;
        };
        CompletableFuture<Connection> future = deaf.dialAsync(REQUEST, executor);
        dialing.await();

        future.cancel(false);
        cancelled.countDown();

        assertThat(late.closed.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    }

    private Throwable failureOf(Dialer dialer) {
        try {
            dialer.dialAsync(REQUEST, executor).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            return Objects.requireNonNull(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("the dial has not ended", e);
        }
        throw new AssertionError("the dial has not failed");
    }

    private Thread executorThread() throws Exception {
        return executor.submit(Thread::currentThread).get();
    }

    /** A connection that only knows whether it was closed. */
    private static final class Opened implements Connection {
        final CountDownLatch closed = new CountDownLatch(1);

        @Override
        public int read(ByteBuffer into) {
            return -1;
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            throw new IOException("nothing is connected");
        }

        @Override
        public SocketAddress localAddress() {
            return new InetSocketAddress(0);
        }

        @Override
        public SocketAddress remoteAddress() {
            return new InetSocketAddress(0);
        }

        @Override
        public void shutdownOutput() {}

        @Override
        public void abort() {
            close();
        }

        @Override
        public Socket asSocket() throws IOException {
            throw new IOException("nothing is connected");
        }

        @Override
        public boolean isOpen() {
            return closed.getCount() > 0;
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }
}
