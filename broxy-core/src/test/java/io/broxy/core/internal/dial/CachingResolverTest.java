package io.broxy.core.internal.dial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.Resolver;
import io.broxy.core.internal.loop.LookUpThreads;
import io.broxy.core.internal.net.ClientNetwork;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** Specifies what a resolver is asked, for which client, and which answers are cached. */
class CachingResolverTest {
    private static final long FOUND = 30;
    private static final long FAILED = 5;
    private static final int PLACES = 8;

    private final List<String> asked = new ArrayList<>();
    private final Queue<Runnable> lookUps = new ArrayDeque<>();
    private long now = Long.MAX_VALUE - 10; // the clock may wrap around

    @Test
    void lookUpRunsOnTheExecutorAndGivesAllAddressesInTheirOrder() throws Exception {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.2", "2001:db8::1", "192.0.2.1"));

        CompletableFuture<List<InetAddress>> answer = resolver.resolve("db.example", null);

        assertThat(answer).isNotDone();
        runLookUps();
        assertThat(answer.get()).isEqualTo(addresses("192.0.2.2", "2001:db8::1", "192.0.2.1"));
    }

    @Test
    void lookUpsOfOneNameAtTheSameTimeAreJoined() throws Exception {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"));

        CompletableFuture<List<InetAddress>> first = resolver.resolve("db.example", null);
        CompletableFuture<List<InetAddress>> second = resolver.resolve("db.example", null);
        CompletableFuture<List<InetAddress>> other = resolver.resolve("mail.example", null);
        runLookUps();

        assertThat(asked).containsExactly("db.example", "mail.example");
        assertThat(first.get()).isEqualTo(second.get()).isEqualTo(other.get());
    }

    @Test
    void addressesAreKeptForTheirTime() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"));
        look(resolver, "db.example");

        now += FOUND - 1;
        assertThat(resolver.resolve("db.example", null)).isCompleted();
        assertThat(asked).hasSize(1);

        now += 1;
        assertThat(resolver.resolve("db.example", null)).isNotDone();
        runLookUps();
        assertThat(asked).hasSize(2);
    }

    @Test
    void failureIsKeptForItsOwnTime() {
        CachingResolver resolver = resolver(host -> {
            throw new UnknownHostException(host);
        });
        look(resolver, "nowhere.example");

        now += FAILED - 1;
        assertThat(resolver.resolve("nowhere.example", null)).isCompletedExceptionally();
        assertThat(asked).hasSize(1);

        now += 1;
        assertThat(resolver.resolve("nowhere.example", null)).isNotDone();
    }

    @Test
    void zeroKeepsNothingButStillJoins() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"), lookUps::add, 0, 0);

        resolver.resolve("db.example", null);
        resolver.resolve("db.example", null);
        runLookUps();
        assertThat(asked).hasSize(1);

        look(resolver, "db.example");
        assertThat(asked).hasSize(2);
    }

    @Test
    void zeroKeepsNoFailureEither() {
        CachingResolver resolver = resolver(
                host -> {
                    throw new UnknownHostException(host);
                },
                lookUps::add,
                FOUND,
                0);

        look(resolver, "nowhere.example");
        look(resolver, "nowhere.example");

        assertThat(asked).hasSize(2);
    }

    @Test
    void onlyTheNamesUsedLastAreKept() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"));
        look(resolver, "used-first.example");
        look(resolver, "unused.example");
        for (int i = 2; i < CachingResolver.MAX_NAMES; i++) {
            look(resolver, i + ".example");
        }
        assertThat(resolver.resolve("used-first.example", null)).as("all fit").isDone();

        look(resolver, "one-more.example");

        assertThat(resolver.resolve("used-first.example", null)).isDone();
        assertThat(resolver.resolve("unused.example", null)).isNotDone();
    }

    @Test
    void moreLookUpsThanCachedNamesAreJoinedNonetheless() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"));
        CompletableFuture<List<InetAddress>> first = resolver.resolve("first.example", null);
        for (int i = 0; i < 2 * CachingResolver.MAX_NAMES; i++) {
            resolver.resolve(i + ".example", null);
        }

        CompletableFuture<List<InetAddress>> joined = resolver.resolve("first.example", null);
        runLookUps();

        assertThat(first).isCompleted();
        assertThat(joined).isCompleted();
        assertThat(asked).hasSize(2 * CachingResolver.MAX_NAMES + 1).doesNotHaveDuplicates();
    }

    @Test
    void lookUpsThatWaitAreBounded() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"));
        for (int i = 0; i < PLACES + LookUpThreads.MAX_QUEUED; i++) {
            resolver.resolve(i + ".example", null);
        }

        assertFailure(resolver.resolve("one-more.example", null), "too many names");
        assertThat(resolver.resolve("0.example", null)).as("a joined one").isNotDone();

        runLookUps();
        assertThat(look(resolver, "one-more.example")).isCompleted();
    }

    @Test
    void lookUpThatNoDialWaitsForIsNotStarted() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"));

        resolver.resolve("db.example", null).cancel(false);
        runLookUps();

        assertThat(asked).isEmpty();
        assertThat(look(resolver, "db.example")).as("asked again").isCompleted();
    }

    @Test
    void aQueryThatIsGivenUpLeavesTheOthersTheirLookUp() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"));
        CompletableFuture<List<InetAddress>> first = resolver.resolve("db.example", null);
        CompletableFuture<List<InetAddress>> second = resolver.resolve("db.example", null);

        first.cancel(false);
        runLookUps();

        assertThat(first).isCancelled();
        assertThat(second).isCompleted();
    }

    @Test
    void hugeAnswerIsCutAndKeepsBothFamilies() throws Exception {
        List<InetAddress> many = new ArrayList<>();
        for (int i = 0; i < 4_000; i++) {
            many.add(InetAddress.getByName("2001:db8::" + Integer.toHexString(i)));
        }
        many.addAll(addresses("192.0.2.1"));
        CachingResolver resolver = resolver(host -> many);

        look(resolver, "huge.example");

        assertThat(resolver.resolve("huge.example", null).get())
                .hasSize(CachingResolver.MAX_ADDRESSES)
                .hasAtLeastOneElementOfType(Inet4Address.class);
    }

    @Test
    void answerOutlivesChangesOfTheResolversOwnList() throws Exception {
        List<InetAddress> own = new ArrayList<>(addresses("192.0.2.1"));
        CachingResolver resolver = resolver(host -> own);
        look(resolver, "db.example");

        own.clear();

        assertThat(resolver.resolve("db.example", null).get()).hasSize(1);
    }

    @Test
    @SuppressWarnings("NullAway") // a user's code may break its contract
    void resolverThatGivesNothingFails() {
        assertFailure(look(resolver(host -> List.of()), "db.example"), "no address for db.example");
        assertFailure(look(resolver(host -> null), "db.example"), "no address for db.example");
    }

    @Test
    @SuppressWarnings("NullAway") // a user's code may break its contract
    void resolverThatGivesANullAddressFails() {
        assertThat(look(resolver(host -> Arrays.asList((InetAddress) null)), "db.example"))
                .isCompletedExceptionally();
    }

    @Test
    void whateverTheResolverThrowsIsTheFailure() {
        AssertionError thrown = new AssertionError("a bug");

        CompletableFuture<List<InetAddress>> answer = look(
                resolver(host -> {
                    throw thrown;
                }),
                "db.example");

        assertThatThrownBy(answer::get).isInstanceOf(ExecutionException.class).hasCause(thrown);
    }

    @Test
    @SuppressWarnings("NullAway") // what a resolver must not do
    void whatAResolverMustNotThrowOrAnswerIsNotKept() {
        List<Resolver> faults = List.of(
                host -> {
                    throw new IllegalStateException("a bug");
                },
                host -> {
                    throw new StackOverflowError();
                },
                host -> List.of(),
                host -> null,
                host -> Arrays.asList(InetAddress.getLoopbackAddress(), null));
        for (Resolver fault : faults) {
            asked.clear();
            CachingResolver resolver =
                    resolver(host -> asked.size() == 1 ? fault.resolve(host) : addresses("192.0.2.1"));
            assertThat(look(resolver, "db.example")).isCompletedExceptionally();

            assertThat(look(resolver, "db.example")).as("asked again").isCompletedWithValue(addresses("192.0.2.1"));
        }
    }

    @Test
    void aFailureThatComesOfAnInterruptIsNotKeptAndAnAnswerIs() {
        List<CompletableFuture<?>> gone = new ArrayList<>();
        CachingResolver resolver = resolver(host -> {
            gone.get(0).cancel(false); // the last one that has waited for it
            if (host.startsWith("no")) {
                throw new UnknownHostException(host);
            }
            return addresses("192.0.2.1");
        });
        for (String host : List.of("nowhere.example", "db.example")) {
            gone.clear();
            gone.add(resolver.resolve(host, null));
            runLookUps();
        }

        assertThat(resolver.resolve("nowhere.example", null)).isNotDone();
        assertThat(resolver.resolve("db.example", null)).isCompleted();
    }

    @Test
    void aNewLookUpOfANameDoesNotWaitForOneThatWasAbandoned() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"));
        resolver.resolve("db.example", null).cancel(false);

        CompletableFuture<List<InetAddress>> second = resolver.resolve("db.example", null);
        runLookUps();

        assertThat(asked).hasSize(1);
        assertThat(second).isCompleted();
    }

    @Test
    void aNameThatAnotherClientHasQueuedIsLookedUpInTheTurnOfTheOneThatHasRoom() throws Exception {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"));
        ClientNetwork hostile = share("192.0.2.66");
        for (int i = 0; i < 100; i++) {
            resolver.resolve(i + ".tarpit.example", hostile);
        }
        resolver.resolve("good.example", hostile);

        CompletableFuture<List<InetAddress>> other = resolver.resolve("good.example", share("192.0.2.7"));
        assertThat(lookUps).hasSize(PLACES / 4 + 1);
        Runnable itsOwn = lookUps.stream().skip(PLACES / 4).findFirst().orElseThrow();
        itsOwn.run();

        assertThat(other).isCompleted();
    }

    @Test
    void clientsAreCountedByIpv4AddressAndIpv6Network() throws Exception {
        assertThat(share("192.0.2.7")).isEqualTo(share("192.0.2.7")).isNotEqualTo(share("192.0.2.8"));
        assertThat(share("2001:db8::1")).isEqualTo(share("2001:db8::ffff:2")).isNotEqualTo(share("2001:db8:0:1::1"));
    }

    private static ClientNetwork share(String address) throws UnknownHostException {
        InetSocketAddress client = new InetSocketAddress(InetAddress.getByName(address), 1);
        DialRequest request = DialRequest.builder(HostPort.parse("a.example:1"))
                .client(new DialRequest.Client(client, client))
                .build();
        return Objects.requireNonNull(Dial.network(request));
    }

    @Test
    void whatIsForgottenIsLookedUpAgain() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2." + asked.size()));
        look(resolver, "db.example");
        look(resolver, "mail.example");

        resolver.forget("db.example");
        resolver.forget("unknown.example");

        assertThat(look(resolver, "db.example")).isCompletedWithValue(addresses("192.0.2.3"));
        assertThat(look(resolver, "mail.example")).isCompletedWithValue(addresses("192.0.2.2"));
    }

    @Test
    void aLookUpThatHadBegunBeforeANameWasForgottenServesThoseThatWaitAlone() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2." + asked.size()));
        CompletableFuture<List<InetAddress>> before = resolver.resolve("db.example", null);

        resolver.forget("db.example");
        CompletableFuture<List<InetAddress>> after = resolver.resolve("db.example", null);
        runLookUps();

        assertThat(before).isCompletedWithValue(addresses("192.0.2.1"));
        assertThat(after).isCompletedWithValue(addresses("192.0.2.2"));
        assertThat(resolver.resolve("db.example", null)).isCompletedWithValue(addresses("192.0.2.2"));
    }

    @Test
    void anewMeansWhateverIsKeptAndTheNewAnswerIsKept() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2." + asked.size()));
        look(resolver, "db.example");

        NameQuery anew = resolver.resolveAnew("db.example", null);
        assertThat(anew).isNotDone();
        runLookUps();

        assertThat(anew.isFromCache()).isFalse();
        NameQuery kept = resolver.resolve("db.example", null);
        assertThat(kept).isCompletedWithValue(addresses("192.0.2.2"));
        assertThat(kept.isFromCache()).isTrue();
    }

    @Test
    void aLookUpThatWaitsForItselfFailsAtOnce() {
        List<CompletableFuture<List<InetAddress>>> nested = new ArrayList<>();
        List<CachingResolver> own = new ArrayList<>();
        own.add(resolver(host -> {
            nested.add(own.get(0).resolve(host, null));
            return addresses("192.0.2.1");
        }));

        assertThat(look(own.get(0), "db.example")).isCompleted();

        assertFailure(nested.get(0), "waits for itself");
    }

    @Test
    void aDialThatGivesUpCanSayHowLongItWaitedForWhat() {
        CachingResolver resolver = resolver(host -> addresses("192.0.2.1"));
        List<NameQuery> queries = new ArrayList<>();
        for (int i = 0; i <= PLACES; i++) {
            queries.add(resolver.resolve(i + ".example", null));
        }
        now += 3_100_000_000L;

        assertThat(queries.get(0).timedOut())
                .hasMessageContaining("queued 0.0 s for a look-up thread, then looked up for 3.1 s");
        assertThat(queries.get(PLACES).timedOut())
                .hasMessageContaining(
                        "queued 3.1 s for a look-up thread, and not started (8 look-ups are running, 1 wait)");
        lookUps.remove().run();
        now += 400_000_000L;
        assertThat(queries.get(PLACES).timedOut())
                .hasMessageContaining("queued 3.1 s for a look-up thread, then looked up for 0.4 s");
    }

    @Test
    void closedExecutorFailsTheLookUp() {
        Executor closed = task -> {
            throw new RejectedExecutionException("closed");
        };

        assertFailure(
                resolver(host -> addresses("192.0.2.1"), closed, FOUND, FAILED).resolve("db.example", null), "closed");
    }

    private CachingResolver resolver(Resolver answers) {
        return resolver(answers, lookUps::add, FOUND, FAILED);
    }

    private CachingResolver resolver(Resolver answers, Executor executor, long found, long failed) {
        Resolver counting = host -> {
            asked.add(host);
            return answers.resolve(host);
        };
        LookUpThreads threads = new LookUpThreads(executor, PLACES, 3 * PLACES, Runnable::run, () -> now);
        return new CachingResolver(counting, threads, () -> now, found, failed);
    }

    private CompletableFuture<List<InetAddress>> look(CachingResolver resolver, String host) {
        CompletableFuture<List<InetAddress>> answer = resolver.resolve(host, null);
        runLookUps();
        return answer;
    }

    private void runLookUps() {
        for (Runnable lookUp; (lookUp = lookUps.poll()) != null; ) {
            lookUp.run();
        }
    }

    private static void assertFailure(CompletableFuture<List<InetAddress>> answer, String message) {
        assertThatThrownBy(answer::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(UnknownHostException.class)
                .hasMessageContaining(message);
    }

    private static List<InetAddress> addresses(String... literals) {
        List<InetAddress> addresses = new ArrayList<>();
        for (String literal : literals) {
            try {
                addresses.add(InetAddress.getByName(literal));
            } catch (UnknownHostException e) {
                throw new AssertionError(literal + " is no literal address", e);
            }
        }
        return addresses;
    }
}
