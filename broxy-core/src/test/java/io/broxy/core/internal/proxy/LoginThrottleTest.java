package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.net.ClientNetwork;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which credentials are delayed and for how long, with a manual clock. */
class LoginThrottleTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final InetAddress CLIENT = address("192.0.2.1");

    private final LoginThrottle throttle = new LoginThrottle();
    private final List<String> woken = new ArrayList<>();
    private long now = Long.MAX_VALUE - SECOND; // soon wraps around
    private int shown;

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static String basic(String user, String password) {
        return "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(UTF_8));
    }

    private LoginThrottle.Attempt attempt(@Nullable InetAddress client, String user, String password) {
        return throttle.attempt(client, basic(user, password), () -> woken.add(user));
    }

    /** With a password that was not shown before. */
    private LoginThrottle.Attempt guess(@Nullable InetAddress client, String user) {
        return attempt(client, user, "guess " + ++shown);
    }

    private void fail(@Nullable InetAddress client, String user, int times) {
        for (int i = 0; i < times; i++) {
            fail(guess(client, user));
        }
    }

    private void fail(LoginThrottle.Attempt attempt) {
        attempt.waitNanos(now);
        attempt.failed(now);
    }

    private void logIn(String user, String password) {
        LoginThrottle.Attempt attempt = attempt(CLIENT, user, password);
        attempt.waitNanos(now);
        attempt.succeeded(now);
    }

    private long waitMillis(LoginThrottle.Attempt attempt) {
        return millis(attempt.waitNanos(now));
    }

    private static long millis(long nanos) {
        return nanos < 0 || nanos == LoginThrottle.PARKED ? nanos : TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    /** What an attempt that goes away would have had to wait. */
    private long wouldWait(LoginThrottle.Attempt attempt) {
        long millis = waitMillis(attempt);
        attempt.cancel(now);
        return millis;
    }

    /** Waits for the turns of an attempt, until it may be asked about; gives the milliseconds. */
    private long await(LoginThrottle.Attempt attempt) {
        long begin = now;
        for (long nanos; (nanos = attempt.waitNanos(now)) > 0; ) {
            assertThat(nanos).isNotEqualTo(LoginThrottle.PARKED);
            now += nanos;
        }
        return millis(now - begin);
    }

    private long awaitAndFail(String user) {
        LoginThrottle.Attempt attempt = guess(CLIENT, user);
        long millis = await(attempt);
        attempt.failed(now);
        return millis;
    }

    // ------------------------------------------------------------------ guesses at one user

    @Test
    void aFewMistakesCostNothing() {
        fail(CLIENT, "bob", UserFailures.FREE - 1);

        for (int i = 0; i < 2; i++) {
            assertThat(wouldWait(guess(CLIENT, "bob"))).isZero();
        }
    }

    @Test
    void furtherOnesWaitLongerEachTimeUpToALimit() {
        fail(CLIENT, "bob", UserFailures.FREE);

        assertThat(IntStream.range(0, 6).mapToLong(i -> awaitAndFail("bob")))
                .containsExactly(250L, 250L, 500L, 1_000L, 2_000L, 4_000L);
        for (int i = 0; i < 100; i++) {
            assertThat(awaitAndFail("bob")).isEqualTo(8_000);
        }
    }

    @Test
    void manyConnectionsAtOnceGetTheirTurnsOneAfterAnother() {
        fail(CLIENT, "bob", UserFailures.FREE);

        List<LoginThrottle.Attempt> waiting = guesses(6, "bob");
        assertThat(waits(waiting).stream().map(LoginThrottleTest::millis))
                .as("as if each were wrong")
                .containsExactly(250L, 500L, 1_000L, 2_000L, 4_000L, 8_000L);
        assertThat(waitMillis(guess(CLIENT, "bob")))
                .as("it is not worth waiting")
                .isEqualTo(LoginThrottle.REFUSED);
        now += 8 * SECOND;
        assertThat(waits(waiting)).containsOnly(0L);
        waiting.forEach(attempt -> attempt.cancel(now));
        assertThat(waitMillis(guess(CLIENT, "bob"))).isEqualTo(8_000);
        assertThat(waitMillis(guess(CLIENT, "bob")))
                .as("none of them was wrong")
                .isEqualTo(8_250);
    }

    @Test
    void theSameCredentialsWaitForOneTurn() {
        fail(CLIENT, "bob", UserFailures.FREE);
        for (int i = 0; i < 100; i++) {
            assertThat(waitMillis(attempt(CLIENT, "bob", "right"))).isEqualTo(250);
        }

        assertThat(waitMillis(guess(CLIENT, "bob"))).isEqualTo(500);
    }

    @Test
    void aNewSuccessClearsItsUsersFailures() {
        fail(CLIENT, "bob", UserFailures.FREE + 3);
        logIn("bob", "right");

        fail(CLIENT, "bob", UserFailures.FREE - 1);
        assertThat(wouldWait(guess(CLIENT, "bob"))).isZero();
    }

    /** An own right login before every fourth guess, as fast as can be. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4})
    void anOwnLoginDoesNotResetWhatAnotherUserIsGuessed(int every) {
        long end = now + 10 * SECOND;
        int guesses = 0;
        while (end - now > 0) {
            if (guesses % every == 0) {
                LoginThrottle.Attempt own = attempt(CLIENT, "mallory", "mallory's");
                assertThat(own.waitNanos(now)).isZero();
                own.succeeded(now);
            }
            awaitAndFail("bob");
            guesses++;
            now += TimeUnit.MILLISECONDS.toNanos(1);
        }
        assertThat(guesses).as("in 10 s").isBetween(10, 13);
    }

    @Test
    void aVictimsOwnLoginsDoNotResetItEither() {
        logIn("bob", "right");
        int guesses = 0;
        for (long end = now + 10 * SECOND; end - now > 0; guesses++) {
            logIn("bob", "right"); // from behind the same address
            awaitAndFail("bob");
        }
        assertThat(guesses).isLessThan(14);
    }

    @Test
    void failuresAreForgottenTenMinutesAfterTheLast() {
        fail(CLIENT, "bob", 20);
        now += TimeUnit.MINUTES.toNanos(10) + 1;

        fail(CLIENT, "bob", 1);
        assertThat(wouldWait(guess(CLIENT, "bob"))).isZero();
    }

    @Test
    void otherNetworksDoNotWait() {
        fail(CLIENT, "bob", 20);

        assertThat(wouldWait(guess(address("192.0.2.2"), "bob"))).isZero();
        fail(null, "bob", 20);
        attempt(null, "bob", "right").succeeded(now);
        assertThat(waitMillis(guess(null, "bob"))).as("without an address").isZero();
    }

    @Test
    void ofIpv6TheNetworkCounts() {
        fail(address("2001:db8:1:2::1"), "bob", UserFailures.FREE);

        assertThat(wouldWait(guess(address("2001:db8:1:2:ffff::2"), "bob"))).isEqualTo(250);
        assertThat(wouldWait(guess(address("2001:db8:1:3::1"), "bob"))).isZero();
    }

    // ------------------------------------------------------------------ neighbours

    @Test
    void aGuessedUserMakesNoOtherUserWait() {
        fail(CLIENT, "bob", UserFailures.FREE);
        for (int i = 0; i < 100; i++) {
            guess(CLIENT, "bob").waitNanos(now);
            now += SECOND / 100;
        }
        for (int i = 0; i < 20; i++) {
            awaitAndFail("bob");
        }

        assertThat(wouldWait(attempt(CLIENT, "alice", "right for the first time")))
                .isZero();
    }

    @Test
    void guessesAtManyUsersWaitByNetworkAfterTenFree() {
        for (int i = 0; i < NetworkFailures.FREE; i++) {
            assertThat(awaitAndFail("user " + i)).isZero();
        }

        assertThat(IntStream.range(0, 8).mapToLong(i -> awaitAndFail("another " + i)))
                .containsExactly(250L, 250L, 500L, 1_000L, 2_000L, 2_000L, 2_000L, 2_000L);
        assertThat(wouldWait(guess(address("192.0.2.2"), "user 1"))).isZero();
    }

    @Test
    void sprayingGoesOnAtThePaceThatIsDocumented() {
        int guesses = 0;
        for (long end = now + 30 * SECOND; end - now > 0; guesses++) {
            awaitAndFail("user " + guesses);
        }
        assertThat(guesses).as("in 30 s").isBetween(20, 30);
    }

    @Test
    void credentialsThatWereRightLatelyPassWhateverElseIsWrongThere() {
        logIn("alice", "right");
        for (int i = 0; i < 60; i++) {
            fail(CLIENT, "user " + i, 1);
        }
        for (int i = 0; i < 40; i++) {
            guess(CLIENT, "x" + i).waitNanos(now);
        }
        assertThat(waitMillis(guess(CLIENT, "x"))).isEqualTo(LoginThrottle.REFUSED);

        for (int i = 0; i < 24; i++) {
            LoginThrottle.Attempt alice = attempt(CLIENT, "alice", "right");
            assertThat(alice.waitNanos(now)).isZero();
            alice.succeeded(now);
        }
        now += ProvenCredentials.KEPT_NANOS;
        assertThat(attempt(CLIENT, "alice", "right").waitNanos(now)).isZero();
        assertThat(wouldWait(attempt(address("192.0.2.2"), "alice", "right")))
                .as("elsewhere they are a guess like any other")
                .isZero();
    }

    @Test
    void whatWasRightLongAgoIsAGuessAgain() {
        logIn("alice", "right");
        now += ProvenCredentials.KEPT_NANOS + 1;
        fail(CLIENT, "alice", UserFailures.FREE);

        assertThat(waitMillis(attempt(CLIENT, "alice", "right"))).isEqualTo(250);
    }

    @Test
    void theUsersTurnComesBeforeTheNetworksIsTaken() {
        for (int i = 0; i < 15; i++) {
            awaitAndFail("bob");
        }
        fail(CLIENT, "carol", UserFailures.FREE);
        LoginThrottle.Attempt later = guess(CLIENT, "bob");
        assertThat(waitMillis(later)).as("8 s after the last").isEqualTo(8_000);

        assertThat(wouldWait(guess(CLIENT, "alice")))
                .as("which takes no turn of the network now")
                .isLessThan(2_000);
        now += later.waitNanos(now);
        assertThat(waitMillis(later)).as("its turns have come").isZero();
    }

    // ------------------------------------------------------------------ the same again

    @Test
    void theSameWrongPasswordCountsOnce() {
        for (int i = 0; i < 1_000; i++) {
            fail(attempt(CLIENT, "bob", "outdated"));
        }
        fail(CLIENT, "bob", UserFailures.FREE - 2);

        assertThat(wouldWait(guess(CLIENT, "bob"))).isZero();
        fail(CLIENT, "bob", 1);
        assertThat(wouldWait(guess(CLIENT, "bob"))).isEqualTo(250);
    }

    @Test
    void itIsAskedAboutAgainAsSeldomAsAGuessAndNeverWaits() {
        fail(attempt(CLIENT, "bob", "outdated"));
        List<Long> asked = new ArrayList<>();
        long begin = now;
        while (now - begin < 40 * SECOND) {
            LoginThrottle.Attempt again = attempt(CLIENT, "bob", "outdated");
            long wait = again.waitNanos(now);
            assertThat(wait).isIn(0L, LoginThrottle.WRONG);
            if (wait == 0) {
                asked.add(millis(now - begin));
                again.failed(now);
            } else {
                again.cancel(now);
            }
            now += SECOND / 20;
        }
        assertThat(asked)
                .containsExactly(
                        0L, 50L, 100L, 150L, 200L, 250L, 500L, 1_000L, 2_000L, 4_000L, 8_000L, 16_000L, 24_000L,
                        32_000L);
    }

    @Test
    void asLongAsItComesItIsNotCountedAnew() {
        fail(attempt(CLIENT, "bob", "outdated"));
        for (int minutes = 0; minutes < 60; minutes++) {
            now += TimeUnit.MINUTES.toNanos(1);
            fail(attempt(CLIENT, "bob", "outdated"));
        }
        fail(CLIENT, "bob", UserFailures.FREE - 1);
        assertThat(wouldWait(guess(CLIENT, "bob"))).isZero();
    }

    @Test
    void manyClientsWithAnOutdatedPasswordEachDoNotKeepOthersOut() {
        for (int i = 0; i < 200; i++) {
            LoginThrottle.Attempt first = attempt(CLIENT, "user " + i, "outdated");
            await(first);
            first.failed(now);
        }
        for (int i = 0; i < 2_000; i++) {
            LoginThrottle.Attempt again = attempt(CLIENT, "user " + i % 200, "outdated");
            assertThat(again.waitNanos(now)).isIn(0L, LoginThrottle.WRONG);
            again.failed(now);
        }
        now += 2 * SECOND;

        assertThat(wouldWait(attempt(CLIENT, "alice", "right for the first time")))
                .isZero();
    }

    @Test
    void whatWasWrongMayBeRightByNow() {
        fail(attempt(CLIENT, "bob", "future"));
        LoginThrottle.Attempt again = attempt(CLIENT, "bob", "future");
        assertThat(again.waitNanos(now)).isZero();
        again.succeeded(now);
        for (int i = 0; i < 20; i++) {
            assertThat(waitMillis(attempt(CLIENT, "bob", "future"))).isZero();
        }
    }

    @Test
    void aPasswordThatWasChangedIsNoGuess() {
        logIn("bob", "former");
        for (int i = 0; i < 20; i++) {
            fail(attempt(CLIENT, "bob", "former"));
        }
        fail(CLIENT, "bob", UserFailures.FREE - 1);
        assertThat(wouldWait(guess(CLIENT, "bob"))).isZero();
        fail(CLIENT, "bob", 1);
        assertThat(wouldWait(guess(CLIENT, "bob")))
                .as("its former success is no pass either")
                .isEqualTo(250);
    }

    @Test
    void onlyTheLatestWrongOnesAreRemembered() {
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 5; i++) {
                LoginThrottle.Attempt attempt = attempt(CLIENT, "bob", "one of five: " + i);
                await(attempt);
                attempt.failed(now);
            }
        }
        assertThat(awaitAndFail("bob")).as("10 guesses were counted").isGreaterThan(2_000);
    }

    // ------------------------------------------------------------------ users and spellings

    @ParameterizedTest
    @CsvSource({"bob, BOB", "bob, Bob", "ÄRGER, ärger", "straße, STRASSE"})
    void theLetterCaseOfAUserMakesNoOtherUser(String one, String other) {
        fail(CLIENT, one, 3);
        fail(CLIENT, other, 2);

        assertThat(waitMillis(guess(CLIENT, one))).isEqualTo(250);
        assertThat(waitMillis(guess(CLIENT, other))).as("the next turn").isEqualTo(500);
    }

    /** It may be another account: that of an attacker that guesses the password of the first. */
    @Test
    void aSuccessClearsNothingOfAnotherSpelling() {
        fail(CLIENT, "Bob", UserFailures.FREE - 1);
        logIn("bob", "right");
        fail(CLIENT, "Bob", 1);

        assertThat(wouldWait(guess(CLIENT, "Bob"))).isEqualTo(250);
    }

    @Test
    void anotherSpellingOfTheSameCredentialsIsNoOtherGuess() {
        String pair = basic("bob", "wrong!").substring("Basic ".length()); // ends with padding
        assertThat(pair).endsWith("=");
        for (String same : List.of(
                "Basic " + pair,
                "basic " + pair,
                "BASIC   " + pair + " ",
                "Basic " + pair.replace("=", ""),
                "bAsIc " + pair)) {
            fail(throttle.attempt(CLIENT, same, () -> {}));
        }
        fail(CLIENT, "bob", UserFailures.FREE - 2);
        assertThat(wouldWait(guess(CLIENT, "bob"))).isZero();
        fail(CLIENT, "bob", 1);
        assertThat(wouldWait(guess(CLIENT, "bob"))).isEqualTo(250);
    }

    @Test
    void anEmptyPasswordAndAnEmptyUserAreCredentialsAsOthers() {
        fail(attempt(CLIENT, "bob", ""));
        fail(attempt(CLIENT, "bob", ""));
        fail(attempt(CLIENT, "", "bob"));
        fail(CLIENT, "bob", UserFailures.FREE - 1);

        assertThat(wouldWait(guess(CLIENT, "bob"))).isEqualTo(250);
        assertThat(wouldWait(guess(CLIENT, ""))).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer %d", "Basic !%d", "Basic", "Digest username=\"bob\", response=\"%d\"", "%d", ""})
    void credentialsWhoseUserIsNotKnownCountByNetwork(String form) {
        int shownBefore = 30;
        for (int i = 0; i < shownBefore; i++) {
            LoginThrottle.Attempt attempt = throttle.attempt(CLIENT, String.format(form, i), () -> {});
            await(attempt);
            attempt.failed(now);
        }
        boolean differ = form.contains("%d");

        assertThat(wouldWait(throttle.attempt(CLIENT, "Bearer another", () -> {})))
                .isEqualTo(differ ? 2_000 : 0);
    }

    @Test
    void anOwnTokenDoesNotResetGuessesOfOthers() {
        for (int i = 0; i < NetworkFailures.FREE; i++) {
            fail(throttle.attempt(CLIENT, "Bearer wrong " + i, () -> {}));
            LoginThrottle.Attempt own = throttle.attempt(CLIENT, "Bearer mine", () -> {});
            assertThat(own.waitNanos(now)).isZero();
            own.succeeded(now);
        }
        assertThat(wouldWait(throttle.attempt(CLIENT, "Bearer wrong", () -> {})))
                .isEqualTo(250);
    }

    // ------------------------------------------------------------------ floods

    @Test
    void aFloodOfNetworksClearsNoPenaltyAndIsBounded() {
        fail(CLIENT, "bob", UserFailures.FREE);
        for (int i = 0; i < 20_000; i++) {
            fail(address("10.0." + i / 256 + "." + i % 256), "bob", 1);
        }

        assertThat(wouldWait(guess(CLIENT, "bob"))).isEqualTo(250);
        LoginFailures failures = new LoginFailures();
        for (int i = 0; i < 20_000; i++) {
            failures.failed(new ClientNetwork(i, true), new CredentialMarks.Mark(i, i, i), true, now);
            assertThat(failures.networks()).isLessThanOrEqualTo(LoginFailures.MAX_NETWORKS);
        }
        assertThat(failures.networks()).isEqualTo(LoginFailures.MAX_NETWORKS);
        assertThat(failures.users()).isEqualTo(LoginFailures.MAX_NETWORKS);
    }

    @Test
    void aFloodOfUsersIsBoundedToo() {
        LoginFailures failures = new LoginFailures();
        for (int network = 0; network < 200; network++) {
            for (int user = 0; user < 300; user++) {
                failures.failed(
                        new ClientNetwork(network, false), new CredentialMarks.Mark(user, user, user), true, now);
            }
            assertThat(failures.users()).isLessThanOrEqualTo(LoginFailures.MAX_USERS);
        }
        assertThat(failures.networks()).isEqualTo(LoginFailures.MAX_USERS / NetworkFailures.MAX_USERS);
        now += NetworkFailures.KEPT_NANOS + 1;
        for (int network = 0; network < 200; network++) {
            assertThat(failures.at(new ClientNetwork(network, false), now)).isSameAs(NetworkFailures.NONE);
        }
        assertThat(failures.users()).isZero();
    }

    @Test
    void manyUsersOfOneNetworkClearNoPenaltyOfAGuessedOne() {
        fail(CLIENT, "bob", UserFailures.FREE);
        for (int i = 0; i < 1_000; i++) {
            fail(CLIENT, "user " + i, 1);
        }
        LoginThrottle.Attempt bob = guess(CLIENT, "bob");

        assertThat(waitMillis(bob)).isEqualTo(250);
    }

    @Test
    void aFloodOfSuccessesIsBounded() {
        ProvenCredentials proven = new ProvenCredentials();
        for (int i = 0; i <= ProvenCredentials.MAX_ENTRIES; i++) {
            proven.add(new ClientNetwork(i, true), 1, now);
        }
        assertThat(proven.contain(new ClientNetwork(0, true), 1, now)).isFalse();
        assertThat(proven.contain(new ClientNetwork(1, true), 1, now)).isTrue();
        assertThat(proven.contain(new ClientNetwork(1, false), 1, now)).isFalse();
    }

    // ------------------------------------------------------------------ at once

    private List<LoginThrottle.Attempt> guesses(int count, String user) {
        return IntStream.range(0, count).mapToObj(i -> guess(CLIENT, user)).toList();
    }

    private List<Long> waits(List<LoginThrottle.Attempt> attempts) {
        return attempts.stream().map(attempt -> attempt.waitNanos(now)).toList();
    }

    @Test
    void noMoreGuessesAreLookedAtTogetherThanMayBeWrong() {
        List<LoginThrottle.Attempt> free = guesses(UserFailures.FREE, "bob");
        List<LoginThrottle.Attempt> more = guesses(60, "bob");
        assertThat(waits(free)).containsOnly(0L);
        assertThat(waits(more)).containsOnly(LoginThrottle.PARKED);

        free.forEach(attempt -> attempt.failed(now));

        assertThat(woken).hasSize(60);
        assertThat(waits(more.subList(0, 6)).stream().map(LoginThrottleTest::millis))
                .containsExactly(250L, 500L, 1_000L, 2_000L, 4_000L, 8_000L);
        assertThat(waits(more.subList(6, 60))).containsOnly(LoginThrottle.REFUSED);
    }

    @Test
    void nowhereAreMoreThanFiveLookedAtTogether() {
        List<LoginThrottle.Attempt> spray =
                IntStream.range(0, 20).mapToObj(i -> guess(CLIENT, "user " + i)).toList();
        assertThat(waits(spray)).filteredOn(wait -> wait == 0).hasSize(GuessQueue.MAX_CONCURRENT);

        spray.subList(0, 5).forEach(attempt -> attempt.failed(now));
        assertThat(woken).containsExactly("user 5", "user 6", "user 7", "user 8", "user 9");
        spray.subList(5, 10).forEach(attempt -> attempt.failed(now));
        assertThat(woken).hasSize(15);
        assertThat(waits(spray.subList(10, 12))).containsExactly(SECOND / 4, SECOND / 2);
    }

    @Test
    void whatWasWrongBeforeLeavesFewerOfThem() {
        fail(CLIENT, "bob", UserFailures.FREE - 2);

        assertThat(waits(guesses(4, "bob"))).containsExactly(0L, 0L, LoginThrottle.PARKED, LoginThrottle.PARKED);
        assertThat(waits(guesses(2, "alice"))).as("of others").containsExactly(0L, 0L);
    }

    @Test
    void theSameCredentialsManyTimesAreOneGuess() {
        for (int i = 0; i < 1_000; i++) {
            assertThat(attempt(CLIENT, "bob", "right").waitNanos(now)).isZero();
        }
        assertThat(waits(guesses(UserFailures.FREE - 1, "bob"))).containsOnly(0L);
        assertThat(attempt(CLIENT, "bob", "right").waitNanos(now)).isZero();
        assertThat(guess(CLIENT, "bob").waitNanos(now)).isEqualTo(LoginThrottle.PARKED);
    }

    @Test
    void manyAtOnceWithOneWrongPasswordFailOnce() {
        List<LoginThrottle.Attempt> same = IntStream.range(0, 50)
                .mapToObj(i -> attempt(CLIENT, "bob", "outdated"))
                .toList();
        assertThat(waits(same)).containsOnly(0L);
        same.forEach(attempt -> attempt.failed(now));

        fail(CLIENT, "bob", UserFailures.FREE - 2);
        assertThat(wouldWait(guess(CLIENT, "bob"))).isZero();
    }

    @Test
    void eachDecisionLetsTheNextOneInWithAllItsConnections() {
        List<LoginThrottle.Attempt> asked = IntStream.range(0, 5)
                .mapToObj(i -> attempt(CLIENT, "user " + i, "right"))
                .toList();
        assertThat(waits(asked)).containsOnly(0L);
        List<LoginThrottle.Attempt> bobs = IntStream.range(0, 3)
                .mapToObj(i -> attempt(CLIENT, "bob", "right"))
                .toList();
        LoginThrottle.Attempt carol = guess(CLIENT, "carol");
        assertThat(waits(bobs)).containsOnly(LoginThrottle.PARKED);
        assertThat(carol.waitNanos(now)).isEqualTo(LoginThrottle.PARKED);

        asked.get(0).succeeded(now);
        assertThat(woken).containsExactly("bob", "bob", "bob");
        assertThat(waits(bobs)).containsOnly(0L);
        bobs.get(0).cancel(now);
        bobs.get(1).cancel(now);
        assertThat(woken).hasSize(3);
        bobs.get(2).cancel(now);
        assertThat(woken).containsExactly("bob", "bob", "bob", "carol");
        assertThat(carol.waitNanos(now)).isZero();
    }

    @Test
    void usersAreLetInOneAfterAnotherHoweverManyGuessesOneOfThemMakes() {
        List<LoginThrottle.Attempt> asked = guesses(5, "x");
        waits(asked);
        waits(guesses(100, "bob"));
        waits(List.of(guess(CLIENT, "alice"), guess(CLIENT, "carol")));

        asked.get(0).cancel(now);
        asked.get(1).cancel(now);
        asked.get(2).cancel(now);
        asked.get(3).cancel(now);
        assertThat(woken).containsExactly("bob", "alice", "carol", "bob");
    }

    @Test
    void aClientThatLeavesLeavesNothingBehind() {
        List<LoginThrottle.Attempt> asked = guesses(UserFailures.FREE, "bob");
        List<LoginThrottle.Attempt> parked = guesses(10, "bob");
        waits(asked);
        waits(parked);

        parked.forEach(attempt -> attempt.cancel(now));
        asked.forEach(attempt -> attempt.cancel(now));
        asked.forEach(attempt -> attempt.failed(now)); // too late

        assertThat(woken).isEmpty();
        assertThat(waits(guesses(UserFailures.FREE, "bob"))).containsOnly(0L);
    }
}
