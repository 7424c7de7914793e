package io.broxy.core.internal.dial;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AddressPolicy;
import io.broxy.DialException.Attempt;
import io.broxy.DialException.Reason;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * Specifies the order and the timing of connect attempts to a host's addresses (RFC 8305), and which failure is
 * reported.
 */
class AddressRaceTest {
    private static final String A = "192.0.2.1";
    private static final String B = "192.0.2.2";
    private static final String C = "192.0.2.3";

    private final List<String> events = new ArrayList<>();
    private final Map<String, AddressRace.Contender<String>> running = new HashMap<>();
    private final Map<String, Reason> failingAtOnce = new HashMap<>();
    private final TimerQueue timers = new TimerQueue();
    private AddressPolicy policy = AddressPolicy.any();
    private long millis = 1_000;

    @Nested
    class Order {
        @Test
        void familiesTakeTurnsAndTheFirstOnesBegins() {
            assertThat(order("2001:db8::1", "2001:db8::2", "2001:db8::3", A, B))
                    .isEqualTo(literals("2001:db8::1", A, "2001:db8::2", B, "2001:db8::3"));
            assertThat(order(A, B, C, "2001:db8::1")).isEqualTo(literals(A, "2001:db8::1", B, C));
        }

        @Test
        void oneFamilyKeepsItsOrder() {
            assertThat(order(C, A, B)).isEqualTo(literals(C, A, B));
        }

        @Test
        void repeatedAddressIsTriedOnce() {
            assertThat(order(A, B, A, "2001:db8::1", "2001:db8::1")).isEqualTo(literals(A, "2001:db8::1", B));
        }

        @Test
        void mappedAddressCountsAsTheIpv4AddressThatItIs() {
            assertThat(order("2001:db8::1", "::ffff:" + A)).isEqualTo(literals("2001:db8::1", A));
        }

        private List<InetAddress> order(String... literals) {
            return AddressRace.interleave(literals(literals));
        }
    }

    @Test
    void attemptsStart250MillisecondsApart() {
        start(A, B, C);

        advance(249);
        assertThat(events).containsExactly("1000 connect " + A);
        advance(1);
        advance(249);
        assertThat(events).containsExactly("1000 connect " + A, "1250 connect " + B);
        advance(1);
        advance(10_000);

        assertThat(events).containsExactly("1000 connect " + A, "1250 connect " + B, "1500 connect " + C);
        assertThat(timers.size()).as("timers left").isZero();
    }

    @Test
    void failureStartsTheNextOneAtOnceAndTheDelayBeginsAnew() {
        start(A, B, C);

        advance(100);
        fail(A, Reason.REFUSED);
        advance(249);
        advance(1);

        assertThat(events)
                .containsExactly("1000 connect " + A, "1100 " + A + " fails", "1100 connect " + B, "1350 connect " + C);
    }

    @Test
    void failureOfAnEarlierAttemptStartsTheNextOneToo() {
        start(A, B, C);

        advance(250);
        advance(10);
        fail(A, Reason.REFUSED);

        assertThat(events)
                .containsExactly("1000 connect " + A, "1250 connect " + B, "1260 " + A + " fails", "1260 connect " + C);
    }

    @Test
    void firstToConnectWinsAndTheOthersAreGivenUp() {
        start(A, B, C, "192.0.2.4");
        advance(250);
        advance(250);

        connected(B);

        assertThat(events)
                .containsExactly(
                        "1000 connect " + A,
                        "1250 connect " + B,
                        "1500 connect " + C,
                        "1500 " + B + " connects",
                        "1500 give up " + A,
                        "1500 give up " + C,
                        "1500 won " + B);
        assertThat(timers.size()).as("timers left").isZero();
    }

    @Test
    void attemptThatConnectsAtOnceEndsTheRace() {
        start(new String[] {A, B}, (address, contender) -> {
            note("connect " + literal(address));
            contender.connected("the connection");
            return () -> note("give up");
        });

        assertThat(events).containsExactly("1000 connect " + A, "1000 won the connection");
        assertThat(timers.size()).as("timers left").isZero();
    }

    @Test
    void everyFailureIsKeptInTheOrderOfTheFailuresWithItsTime() {
        AddressRace<String> race = start(A, B, C);
        advance(250);
        advance(50);
        fail(B, Reason.REFUSED);
        advance(100);
        fail(A, Reason.TIMEOUT);
        fail(C, Reason.UNREACHABLE);

        assertThat(race.failures())
                .extracting(failure -> literal(failure.address()))
                .containsExactly(B, A, C);
        assertThat(race.failures())
                .extracting(Attempt::duration)
                .containsExactly(Duration.ofMillis(50), Duration.ofMillis(400), Duration.ofMillis(100));
        assertThat(events).last().isEqualTo("1400 lost REFUSED");
    }

    @Test
    void reasonOfTheAttemptThatGotFarthestIsTheReasonOfTheRace() {
        assertThat(lostBecause(Reason.DENIED)).isEqualTo(Reason.DENIED);
        assertThat(lostBecause(Reason.DENIED, Reason.LOCAL)).isEqualTo(Reason.LOCAL);
        assertThat(lostBecause(Reason.LOCAL, Reason.UNREACHABLE, Reason.DENIED)).isEqualTo(Reason.UNREACHABLE);
        assertThat(lostBecause(Reason.UNREACHABLE, Reason.TIMEOUT, Reason.LOCAL))
                .isEqualTo(Reason.TIMEOUT);
        assertThat(lostBecause(Reason.REFUSED, Reason.TIMEOUT)).isEqualTo(Reason.REFUSED);
    }

    @Test
    void policyIsAskedJustBeforeConnectingAndADenialStartsTheNextOneAtOnce() {
        policy = new AddressPolicy() {
            @Override
            public boolean admits(InetAddress address) {
                note("asked " + address.getHostAddress());
                return !address.getHostAddress().equals(A);
            }

            @Override
            public String explain(InetAddress address) {
                return address.getHostAddress() + " is the one";
            }
        };

        AddressRace<String> race = start(A, B, C);
        advance(250);

        assertThat(events)
                .containsExactly(
                        "1000 asked " + A,
                        "1000 asked " + B,
                        "1000 connect " + B,
                        "1250 asked " + C,
                        "1250 connect " + C);
        assertThat(race.failures()).singleElement().satisfies(denied -> {
            assertThat(denied.failure()).hasMessage("denied by policy: " + A + " is the one");
            assertThat(denied.duration()).isZero();
        });
    }

    @Test
    void policyThatThrowsDenies() {
        StackOverflowError thrown = new StackOverflowError();
        policy = address -> {
            throw thrown;
        };

        AddressRace<String> race = start(A);

        assertThat(events).containsExactly("1000 lost DENIED");
        assertThat(race.failures())
                .singleElement()
                .satisfies(denied -> assertThat(denied.failure()).hasCause(thrown));
    }

    @Test
    void thousandsOfAddressesThatFailAtOnceNeedNoStack() {
        String[] many = new String[20_000];
        for (int i = 0; i < many.length; i++) {
            many[i] = "10.0." + i / 250 + "." + i % 250;
            failingAtOnce.put(many[i], Reason.UNREACHABLE);
        }

        AddressRace<String> race = start(many);

        assertThat(race.failures()).hasSize(many.length);
        assertThat(events).last().isEqualTo("1000 lost UNREACHABLE");
    }

    @Test
    void cancelledAttemptEndsTheRace() {
        start(A, B, C);
        advance(250);
        fail(A, Reason.CANCELLED);

        assertThat(events)
                .containsExactly(
                        "1000 connect " + A,
                        "1250 connect " + B,
                        "1250 " + A + " fails",
                        "1250 give up " + B,
                        "1250 lost CANCELLED");
        assertThat(timers.size()).as("timers left").isZero();
    }

    @Test
    void cancelledRaceTellsNothingMore() {
        AddressRace<String> race = start(A, B, C);
        advance(250);

        race.cancel();
        advance(10_000);

        assertThat(events)
                .containsExactly("1000 connect " + A, "1250 connect " + B, "1250 give up " + A, "1250 give up " + B);
        assertThat(race.failures()).isEmpty();
        assertThat(timers.size()).as("timers left").isZero();
    }

    @Test
    void raceThatIsGivenUpNamesTheRunningAttempts() {
        AddressRace<String> race = start(A, B, C);
        advance(250);
        advance(20);
        IOException late = new IOException("too late");

        race.giveUp(late);

        assertThat(race.failures())
                .extracting(failure -> literal(failure.address()) + " after "
                        + failure.duration().toMillis())
                .containsExactly(A + " after 270", B + " after 20");
        assertThat(race.failures())
                .allSatisfy(failure -> assertThat(failure.failure()).isSameAs(late));
    }

    // ------------------------------------------------------------------ the rig

    private AddressRace<String> start(String... addresses) {
        return start(addresses, this::connect);
    }

    private AddressRace<String> start(String[] addresses, AddressRace.Connector<String> connector) {
        List<InetSocketAddress> inOrder = new ArrayList<>();
        for (InetAddress address : literals(addresses)) {
            inOrder.add(new InetSocketAddress(address, 443));
        }
        AddressRace.Rules rules =
                new AddressRace.Rules(policy, timers, this::nanos, TimeUnit.MILLISECONDS.toNanos(250));
        AddressRace<String> race = new AddressRace<>(
                inOrder, connector, rules, connection -> note("won " + connection), reason -> note("lost " + reason));
        race.start();
        return race;
    }

    private Runnable connect(InetSocketAddress address, AddressRace.Contender<String> contender) {
        String literal = literal(address);
        note("connect " + literal);
        running.put(literal, contender);
        Reason failure = failingAtOnce.get(literal);
        if (failure != null) {
            fail(literal, failure);
        }
        return () -> note("give up " + literal);
    }

    private void connected(String literal) {
        note(literal + " connects");
        contender(literal).connected(literal);
    }

    private void fail(String literal, Reason reason) {
        note(literal + " fails");
        contender(literal).failed(reason, new IOException(reason.text()));
    }

    private AddressRace.Contender<String> contender(String literal) {
        AddressRace.Contender<String> contender = running.remove(literal);
        if (contender == null) {
            throw new AssertionError(literal + " is not being connected to");
        }
        return contender;
    }

    private Reason lostBecause(Reason... reasons) {
        events.clear();
        failingAtOnce.clear();
        String[] addresses = new String[reasons.length];
        for (int i = 0; i < reasons.length; i++) {
            addresses[i] = "192.0.2." + i;
            failingAtOnce.put(addresses[i], reasons[i]);
        }
        start(addresses);
        String last = events.get(events.size() - 1);
        return Reason.valueOf(last.substring(last.lastIndexOf(' ') + 1));
    }

    private void advance(long by) {
        millis += by;
        for (Runnable due; (due = timers.poll(nanos())) != null; ) {
            due.run();
        }
    }

    private long nanos() {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private void note(String event) {
        events.add(millis + " " + event);
    }

    private static String literal(Object address) {
        return ((InetSocketAddress) address).getAddress().getHostAddress();
    }

    private static List<InetAddress> literals(String... literals) {
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
