package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AccessPolicy;
import io.broxy.AccessRequest;
import io.broxy.Authenticator;
import io.broxy.Credentials;
import io.broxy.HostPort;
import io.broxy.RefusedException;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.testkit.LeakCheck;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Specifies how clients are authenticated and throttled, with a manual clock and counted calls of the authenticator.
 */
@ExtendWith(LeakCheck.class)
class AccessControlTest {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final String RIGHT = Credentials.basic("somebody", "right").authorization();

    private final AtomicLong now = new AtomicLong();
    private final List<String> answers = new ArrayList<>();
    private final List<Runnable> callbacks = new ArrayList<>();
    private EventLoops loops;
    private EventLoop loop;
    private int asked;
    private int guesses;

    @BeforeEach
    void startLoop() throws Exception {
        loops = EventLoops.start(1, new BufferPool(1 << 16, 1 << 16), now::get);
        loop = loops.next();
    }

    @AfterEach
    void stopLoop() throws Exception {
        assertThat(loops.stop(PATIENCE_NANOS)).isTrue();
    }

    private AccessControl gate(AccessPolicy policy, Executor executor) {
        return new AccessControl(
                policy,
                new Authenticator() {
                    @Override
                    public @Nullable String authenticate(AccessRequest request, @Nullable String authorization) {
                        asked++;
                        return RIGHT.equals(authorization) ? "somebody" : null;
                    }

                    @Override
                    public List<String> challenges() {
                        return List.of("Test");
                    }
                },
                TIMEOUT_NANOS,
                executor);
    }

    /** Does it on the loop, and what follows from it. */
    private <T> T onLoop(Supplier<T> action) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        loop.execute(() -> {
            T result = action.get();
            loop.execute(() -> loop.execute(() -> done.complete(result)));
        });
        return done.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
    }

    private @Nullable Authentication ask(AccessControl gate, @Nullable String authorization) throws Exception {
        AccessRequest request =
                new AccessRequest(InetAddress.getLoopbackAddress(), "GET", HostPort.of("target.example", 80), null);
        return onLoop(() -> gate.ask(loop, request, authorization, new AccessControl.Outcome() {
            @Override
            public void admitted(@Nullable String identity) {
                answers.add("admitted " + identity);
            }

            @Override
            public void refused(RefusedException refusal) {
                answers.add("refused " + refusal.status());
            }
        }));
    }

    /** Lets time pass, and the timers that are due run. */
    private void pass(Duration time) throws Exception {
        now.addAndGet(time.toNanos());
        onLoop(() -> true);
        onLoop(() -> true);
    }

    /** Another wrong password of the same user. */
    private String guess() {
        return Credentials.basic("somebody", "wrong " + ++guesses).authorization();
    }

    private void guess(AccessControl gate, int times) throws Exception {
        for (int i = 0; i < times; i++) {
            ask(gate, guess());
        }
        assertThat(answers).hasSize(times).containsOnly("refused 407");
        answers.clear();
    }

    @Test
    void anAuthenticatedClientIsAdmittedIfThePolicyAgrees() throws Exception {
        ask(gate(AccessPolicy.identities("somebody"), Runnable::run), RIGHT);
        ask(gate(AccessPolicy.identities("somebody else"), Runnable::run), RIGHT);
        ask(gate(AccessPolicy.any(), Runnable::run), null);

        assertThat(answers).containsExactly("admitted somebody", "refused 403", "refused 407");
    }

    @Test
    void aGuesserWaitsForItsTurn() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), Runnable::run);
        guess(gate, UserFailures.FREE);

        ask(gate, guess());
        ask(gate, RIGHT);
        pass(Duration.ofMillis(249));
        assertThat(asked).isEqualTo(UserFailures.FREE);
        pass(Duration.ofMillis(1));
        assertThat(answers).containsExactly("refused 407");
        pass(Duration.ofMillis(250));

        assertThat(answers).containsExactly("refused 407", "admitted somebody");
        ask(gate, guess());
        assertThat(answers).as("right credentials end the waiting").hasSize(3);
    }

    @Test
    void beyondSomeTimeNoGuessWaits() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), Runnable::run);
        guess(gate, UserFailures.FREE);

        for (int i = 0; i < 6; i++) {
            ask(gate, guess());
        }
        assertThat(answers).isEmpty();
        ask(gate, RIGHT);

        assertThat(answers).containsExactly("refused 429");
        assertThat(asked).isEqualTo(UserFailures.FREE);
    }

    @Test
    void guessesAtOnceAreDecidedBeforeThereAreMoreOfThem() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), callbacks::add);
        for (int i = 0; i < 20; i++) {
            ask(gate, guess());
        }
        assertThat(callbacks).hasSize(UserFailures.FREE);

        runCallbacks();
        assertThat(answers).filteredOn("refused 407"::equals).hasSize(UserFailures.FREE);
        assertThat(answers)
                .as("all but six, which wait for their turns")
                .filteredOn("refused 429"::equals)
                .hasSize(20 - UserFailures.FREE - 6);
        assertThat(callbacks).isEmpty();
        pass(Duration.ofMillis(250));
        assertThat(callbacks).hasSize(1);
    }

    @Test
    void rightCredentialsDoNotWaitForThemselvesAndLetOthersIn() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), callbacks::add);
        for (int i = 1; i < UserFailures.FREE; i++) {
            ask(gate, guess());
        }
        for (int i = 0; i < 100; i++) {
            ask(gate, RIGHT);
        }
        ask(gate, guess());
        assertThat(callbacks).hasSize(UserFailures.FREE - 1 + 100);

        runCallbacks();

        assertThat(answers)
                .hasSize(UserFailures.FREE - 1 + 100)
                .filteredOn("admitted somebody"::equals)
                .hasSize(100);
        assertThat(callbacks).as("the other's").hasSize(1);
    }

    @Test
    void noLoginWaitsLongerForOthersThanForAnAnswer() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), callbacks::add);
        for (int i = 0; i <= UserFailures.FREE; i++) {
            ask(gate, guess());
        }
        pass(Duration.ofNanos(TIMEOUT_NANOS));

        assertThat(answers).hasSize(UserFailures.FREE + 1).containsOnly("refused 503");
        assertThat(callbacks).hasSize(UserFailures.FREE);
    }

    /** Those that wait now, and what follows from them. */
    private void runCallbacks() throws Exception {
        List<Runnable> waiting = List.copyOf(callbacks);
        callbacks.clear();
        waiting.forEach(Runnable::run);
        pass(Duration.ZERO);
    }

    @Test
    void theSameWrongPasswordIsRefusedAtOnceAndAskedAboutSeldom() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), Runnable::run);
        String outdated = guess();
        for (int i = 0; i < 100; i++) {
            ask(gate, outdated);
        }
        assertThat(answers).hasSize(100).containsOnly("refused 407");
        assertThat(asked).isEqualTo(1 + UserFailures.FREE + 1);

        ask(gate, RIGHT);
        assertThat(answers).endsWith("refused 407", "admitted somebody");
    }

    @Test
    void whatWasRightLatelyIsAskedAboutAtOnceAndEachTime() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), Runnable::run);
        ask(gate, RIGHT);
        answers.clear();
        guess(gate, UserFailures.FREE);
        ask(gate, guess());
        assertThat(answers).as("which waits").isEmpty();

        asked = 0;
        for (int i = 0; i < 24; i++) {
            ask(gate, RIGHT);
        }
        assertThat(answers).hasSize(24).containsOnly("admitted somebody");
        assertThat(asked).isEqualTo(24);
    }

    @Test
    void aRequestWithoutCredentialsIsNoGuess() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), Runnable::run);
        for (int i = 0; i < 2 * UserFailures.FREE; i++) {
            ask(gate, null);
        }
        ask(gate, RIGHT);

        assertThat(answers).hasSize(2 * UserFailures.FREE + 1).endsWith("refused 407", "admitted somebody");
    }

    @Test
    void theAuthenticatorIsNotAskedAboutAClientThatHasGone() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), Runnable::run);
        guess(gate, UserFailures.FREE);

        Authentication asking = ask(gate, RIGHT);
        assertThat(asking).isNotNull();
        onLoop(() -> {
            asking.cancel();
            return true;
        });
        pass(Duration.ofSeconds(10));

        assertThat(answers).isEmpty();
        assertThat(asked).isEqualTo(UserFailures.FREE);
    }

    @Test
    void anAnswerThatComesTooLateIsNone() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), callbacks::add);
        ask(gate, RIGHT);
        pass(Duration.ofNanos(TIMEOUT_NANOS - 1));
        assertThat(answers).isEmpty();
        pass(Duration.ofNanos(1));
        assertThat(answers).containsExactly("refused 503");

        callbacks.forEach(Runnable::run);
        pass(Duration.ZERO);

        assertThat(asked).isEqualTo(1);
        assertThat(answers).containsExactly("refused 503");
    }

    @Test
    void anExecutorThatHasEndedAdmitsNoClient() throws Exception {
        AccessControl gate = gate(AccessPolicy.any(), task -> {
            throw new RejectedExecutionException();
        });
        ask(gate, RIGHT);

        assertThat(answers).containsExactly("refused 503");
    }
}
