package io.broxy.core.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Authenticator;
import io.broxy.Cidr;
import io.broxy.ConnectRequest;
import io.broxy.Credentials;
import io.broxy.ProxyHandler;
import io.broxy.RefusedException;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that password guessing is throttled, and that other clients behind the same address are not. */
@ExtendWith(LeakCheck.class)
class PasswordGuessingTest {
    /** The turns of the guesses for one user, in milliseconds after the free ones. */
    private static final List<Integer> TURNS = List.of(250, 500, 1_000, 2_000, 4_000, 8_000, 16_000);

    private final Map<String, String> passwords =
            new ConcurrentHashMap<>(Map.of("alice", "alice's", "bob", "bob's", "mallory", "mallory's"));
    /** The users with wrong passwords that were checked. */
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

    private final Authenticator users = Authenticator.basic("here", (user, password) -> {
        boolean right = password.equals(passwords.get(user));
        if (!right) {
            wrong.add(user);
        }
        return right;
    });

    private Proxy proxy() throws IOException {
        return proxy(settings -> {});
    }

    private Proxy proxy(Consumer<ProxyHandler.Builder> more) throws IOException {
        return Proxy.start(settings -> {
            settings.authenticator(users);
            more.accept(settings);
        });
    }

    private static String get(Origin origin, String user, String password) {
        String credentials = Credentials.basic(user, password).authorization();
        return Http.get(origin.target(), "/", "Proxy-Authorization: " + credentials);
    }

    private static int ask(Peer client, Origin origin, String user, String password) throws IOException {
        return Http.read(client.send(get(origin, user, password))).status();
    }

    private static int ask(Proxy proxy, Origin origin, String user, String password) throws IOException {
        try (Peer client = proxy.client()) {
            return ask(client, origin, user, password);
        }
    }

    /** A client that shows the same wrong password again and again, without a pause. */
    private static final class Looping {
        private static final int AT_LEAST = 20;

        private final List<Integer> statuses = new ArrayList<>();
        private final CountDownLatch looping = new CountDownLatch(AT_LEAST);
        private final CompletableFuture<?> done;

        Looping(Proxy proxy, Origin origin, String user, boolean oneConnection, AtomicBoolean stop) {
            done = Background.run(() -> {
                try (Peer kept = proxy.client()) {
                    while (!stop.get()) {
                        statuses.add(
                                oneConnection
                                        ? ask(kept, origin, user, "outdated")
                                        : ask(proxy, origin, user, "outdated"));
                        looping.countDown();
                    }
                }
            });
        }

        void awaitLooping() throws InterruptedException {
            assertThat(looping.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
        }

        void assertNeverLockedOut() throws Exception {
            done.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(statuses).hasSizeGreaterThanOrEqualTo(AT_LEAST).containsOnly(407);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void twoClientsLoopingOnOneOutdatedPasswordLockNoNeighbourOut(boolean oneConnection) throws Exception {
        assertNeighboursPass(oneConnection, "bob", "bob");
    }

    @Test
    void norDoManyWithADifferentOneEach() throws Exception {
        assertNeighboursPass(true, "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9");
    }

    private void assertNeighboursPass(boolean oneConnection, String... looping) throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        List<Looping> loops = new ArrayList<>();
        List<Integer> right = new ArrayList<>();
        try (Origin origin = Http.echo();
                Proxy proxy = proxy()) {
            try {
                for (String user : looping) {
                    loops.add(new Looping(proxy, origin, user, oneConnection, stop));
                }
                for (Looping loop : loops) {
                    loop.awaitLooping();
                }
                for (int i = 0; i < 24; i++) {
                    right.add(
                            ask(proxy, origin, i % 2 == 0 ? "alice" : "mallory", i % 2 == 0 ? "alice's" : "mallory's"));
                }
            } finally {
                stop.set(true);
            }
            for (Looping loop : loops) {
                loop.assertNeverLockedOut();
            }
            assertThat(right).hasSize(24).containsOnly(200);
            assertThat(proxy.handler().stats().refused(RefusedException.Reason.TOO_MANY_FAILURES))
                    .isZero();
        }
    }

    private static int turnsWithin(long nanos) {
        long millis = TimeUnit.NANOSECONDS.toMillis(nanos);
        return (int) TURNS.stream().filter(turn -> turn <= millis).count();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("slow")
    void anOwnLoginBeforeEveryFourthGuessDoesNotHelp(boolean oneConnection) throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = proxy();
                Peer kept = proxy.client()) {
            long begin = System.nanoTime();
            for (int i = 0; i < 9; i++) {
                try (Peer client = oneConnection ? null : proxy.client()) {
                    Peer one = client == null ? kept : client;
                    if (i % 4 == 0) {
                        assertThat(ask(one, origin, "mallory", "mallory's")).isEqualTo(200);
                    }
                    assertThat(ask(one, origin, "bob", "guess " + i)).isEqualTo(407);
                }
            }
            long nanos = System.nanoTime() - begin;

            assertThat(wrong).hasSize(9).containsOnly("bob");
            assertThat(nanos).as("four guesses had to wait").isGreaterThan(TimeUnit.MILLISECONDS.toNanos(1_900));
            assertThat(ask(proxy, origin, "alice", "alice's")).as("a neighbour").isEqualTo(200);
        }
    }

    @Test
    void guessesOverManyConnectionsAtOnceAreNoMore() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = proxy()) {
            List<Peer> clients = new ArrayList<>();
            try {
                long begin = System.nanoTime();
                for (int i = 0; i < 60; i++) {
                    clients.add(proxy.client().send(get(origin, "bob", "guess " + i)));
                }
                int refused = 0;
                for (int i = 0; i < 15; i++) { // those that would have to wait for too long
                    refused += awaitStatus(clients, 429) ? 1 : 0;
                }
                int decided = wrong.size();
                long nanos = System.nanoTime() - begin;
                assertThat(refused).isEqualTo(15);
                assertThat(decided).isLessThanOrEqualTo(5 + turnsWithin(nanos));
                assertThat(ask(proxy, origin, "alice", "alice's"))
                        .as("a neighbour logs in for the first time")
                        .isEqualTo(200);
            } finally {
                for (Peer client : clients) {
                    client.close();
                }
            }
        }
    }

    /** Reads one answer of those that are there; true if it has the status. */
    private static boolean awaitStatus(List<Peer> clients, int status) throws IOException, InterruptedException {
        for (long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Peer.PATIENCE_MILLIS);
                System.nanoTime() - end < 0; ) {
            for (Peer client : clients) {
                if (client.socket().getInputStream().available() > 0) {
                    clients.remove(client);
                    try (client) {
                        if (Http.read(client).status() == status) {
                            return true;
                        }
                    }
                    break;
                }
            }
            Thread.onSpinWait();
        }
        return false;
    }

    @Test
    @Tag("slow")
    void sprayingOverManyUsersIsCaughtByItsNetwork() throws Exception {
        passwords.put("carol", "carol's");
        try (Origin origin = Http.echo();
                Proxy proxy = proxy()) {
            assertThat(ask(proxy, origin, "carol", "carol's")).isEqualTo(200);
            long begin = System.nanoTime();
            for (int i = 0; i < 14; i++) {
                assertThat(ask(proxy, origin, "user " + i, "123456")).isEqualTo(407);
            }
            assertThat(System.nanoTime() - begin)
                    .as("four guesses had to wait")
                    .isGreaterThan(TimeUnit.MILLISECONDS.toNanos(1_900));
            for (int i = 0; i < 24; i++) {
                assertThat(ask(proxy, origin, "carol", "carol's")).isEqualTo(200);
            }
        }
    }

    @Test
    void aChangedPasswordStopsToWorkAtOnceAndTheNewOneWorks() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            assertThat(ask(client, origin, "bob", "bob's")).isEqualTo(200);
            assertThat(ask(client, origin, "bob", "next")).isEqualTo(407);
            passwords.put("bob", "next");

            for (int i = 0; i < 50; i++) {
                assertThat(ask(client, origin, "bob", "bob's")).isEqualTo(407);
            }
            assertThat(ask(client, origin, "bob", "next")).isEqualTo(200);
            passwords.put("bob", "bob's");
            assertThat(ask(client, origin, "bob", "next")).isEqualTo(407);
            int status = 407;
            for (long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Peer.PATIENCE_MILLIS);
                    status == 407 && System.nanoTime() - end < 0; ) {
                status = ask(client, origin, "bob", "bob's"); // of which nothing is known for a while
            }
            assertThat(status).isEqualTo(200);
        }
    }

    @Test
    void theClientThatABalancerNamesIsTheOneThatIsThrottled() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = proxy(settings -> settings.proxyProtocol(Cidr.parse("127.0.0.0/8")))) {
            List<Peer> guessing = new ArrayList<>();
            try {
                for (int i = 0; i < 60; i++) {
                    guessing.add(named(proxy, "192.0.2.7").send(get(origin, "bob", "guess " + i)));
                }
                assertThat(awaitStatus(guessing, 429)).isTrue();
                try (Peer other = named(proxy, "192.0.2.8")) {
                    for (int i = 0; i < 5; i++) {
                        assertThat(ask(other, origin, "bob", "typo " + i)).isEqualTo(407);
                    }
                }
                try (Peer other = named(proxy, "192.0.2.9")) {
                    assertThat(ask(other, origin, "bob", "bob's")).isEqualTo(200);
                }
            } finally {
                for (Peer client : guessing) {
                    client.close();
                }
            }
        }
    }

    private static Peer named(Proxy proxy, String client) throws IOException {
        return proxy.client().send("PROXY TCP4 " + client + " 192.0.2.1 1024 80\r\n");
    }

    @Test
    void requestsThatTheHostServerHasReadCountLikeOthers() throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = proxy()) {
            List<Client> clients = new ArrayList<>();
            List<Peer> peers = new ArrayList<>();
            try {
                for (int i = 0; i < 60; i++) {
                    String guess = Credentials.basic("bob", "guess " + i).authorization();
                    Client client = Client.Form.CHANNEL.serve(
                            proxy.handler(),
                            ConnectRequest.builder(origin.target())
                                    .field("Proxy-Authorization", guess)
                                    .build());
                    clients.add(client);
                    peers.add(client.peer());
                }
                assertThat(awaitStatus(peers, 429)).isTrue();
            } finally {
                for (Client client : clients) {
                    client.close();
                }
            }
        }
    }
}
