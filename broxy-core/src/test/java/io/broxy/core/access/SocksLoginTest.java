package io.broxy.core.access;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessPolicy;
import io.broxy.AccessRequest;
import io.broxy.Authenticator;
import io.broxy.Cidr;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.RefusedException;
import io.broxy.ServerTls;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksClient;
import io.broxy.core.testkit.TlsProxy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how SOCKS clients are authenticated, and that they cannot evade what holds for those of HTTP. */
@ExtendWith(LeakCheck.class)
class SocksLoginTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private final Events events = new Events();
    private final Queue<AccessRequest> logins = new ConcurrentLinkedQueue<>();
    private final Queue<AccessRequest> requests = new ConcurrentLinkedQueue<>();
    private final Queue<String> checked = new ConcurrentLinkedQueue<>();

    private final Authenticator users = Authenticator.basic("here", (user, password) -> {
        checked.add(user + "/" + password);
        return password.equals(user + "'s");
    });

    /** Records what the authenticator sees. */
    private final class Recording implements Authenticator {
        @Override
        public @Nullable String authenticate(AccessRequest request, @Nullable String authorization) throws Exception {
            logins.add(request);
            return users.authenticate(request, authorization);
        }

        @Override
        public List<String> challenges() {
            return users.challenges();
        }
    }

    private Proxy proxy(Authenticator authenticator) throws IOException {
        return Proxy.start(guarded(authenticator));
    }

    private Consumer<ProxyHandler.Builder> guarded(Authenticator authenticator) {
        return settings -> settings.socks(true)
                .authenticator(authenticator)
                .listener(events)
                .accessPolicy(requests::add);
    }

    /** The answer to a login: 0 if it is right. */
    private static int login(Peer client, String user, String password) throws IOException {
        client.send(SocksClient.greetingWithPassword());
        assertThat(client.read(2)).containsExactly(5, 2);
        byte[] answer = client.send(SocksClient.login(user, password)).read(2);
        assertThat(answer[0]).isEqualTo((byte) 1);
        return answer[1];
    }

    @Test
    void aUserWithTheRightPasswordGetsATunnel() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(new Recording())) {
            try (Peer client = proxy.client()) {
                assertThat(login(client, "alice", "alice's")).isZero();
                client.send(SocksClient.connect(origin.target()));
                assertThat(SocksClient.reply(client).code()).isZero();
                assertThat(client.send("hello").readText(5)).isEqualTo("hello");
            }

            String request = "CONNECT " + origin.target() + " by alice";
            assertThat(events.untilClosed()).contains("established " + request);
            assertThat(logins).singleElement().satisfies(asked -> {
                assertThat(asked.method()).isEqualTo("CONNECT");
                assertThat(asked.hasTarget()).isFalse();
                assertThat(asked.identity()).isNull();
                assertThat(asked.client()).isEqualTo(origin.address().getAddress());
            });
            assertThat(requests).singleElement().satisfies(asked -> {
                assertThat(asked.target()).isEqualTo(origin.target());
                assertThat(asked.identity()).isEqualTo("alice");
                assertThat(asked.fields()).isEmpty();
            });
        }
    }

    @Test
    void allMessagesMayComeAtOnce() throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send("behind: " + peer.readText(5)));
                Proxy proxy = proxy(users);
                Peer client = proxy.client()) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.write(SocksClient.greetingWithPassword());
            all.write(SocksClient.login("alice", "alice's"));
            all.write(SocksClient.connect(origin.target()));
            all.write("early".getBytes(UTF_8));
            client.send(all.toByteArray());

            assertThat(client.read(4)).containsExactly(5, 2, 1, 0);
            assertThat(SocksClient.reply(client).code()).isZero();
            assertThat(client.readAll()).isEqualTo("behind: early");
        }
    }

    @Test
    void aRequestAfterAWrongPasswordIsNotServed() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(users);
                Peer client = proxy.client()) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.write(SocksClient.greetingWithPassword());
            all.write(SocksClient.login("alice", "wrong"));
            all.write(SocksClient.connect(origin.target()));
            client.send(all.toByteArray());

            assertThat(client.read(4)).containsExactly(5, 2, 1, 1);
            client.expectEnd();
            client.close();
            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "authentication failed null null by null",
                            "refused null null by null: AUTHENTICATION_REQUIRED",
                            "closed: REFUSED, exchanges 0");
            assertThat(origin.accepted()).isZero();
            assertThat(requests).isEmpty();
        }
    }

    @Test
    void aClientWithoutAPasswordHasNoAcceptableMethod() throws Exception {
        try (Proxy proxy = proxy(users);
                Peer client = proxy.client().send(SocksClient.greeting())) {
            assertThat(client.read(2)).containsExactly(5, 0xff);
            client.expectEnd();
            client.close();
            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "refused null null by null: AUTHENTICATION_REQUIRED",
                            "closed: REFUSED, exchanges 0");
        }
    }

    @Test
    void socks4IsRefusedForItHasNoPassword() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(users);
                Peer client = proxy.client().send(SocksClient.connect4(origin.target()))) {
            assertThat(SocksClient.reply4(client).code()).isEqualTo(93);
            client.expectEnd();
            client.close();
            assertThat(events.untilClosed()).contains("refused null null by null: AUTHENTICATION_REQUIRED");
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void aPolicyMayRefuseAUserAfterTheLogin() throws Exception {
        HostPort target = HostPort.of("somewhere.example", 443);
        try (Proxy proxy = Proxy.start(settings -> settings.socks(true)
                        .authenticator(users)
                        .listener(events)
                        .accessPolicy(request -> !"alice".equals(request.identity())));
                Peer client = proxy.client()) {
            assertThat(login(client, "alice", "alice's")).isZero();
            assertThat(SocksClient.reply(client.send(SocksClient.connect(target)))
                            .code())
                    .isEqualTo(2);
            client.close();
            assertThat(events.untilClosed()).contains("refused CONNECT " + target + " by alice: ACCESS_DENIED");
        }
    }

    @Test
    void anAuthenticatorThatFailsRefuses() throws Exception {
        Authenticator needsTarget = new Authenticator() {
            @Override
            public String authenticate(AccessRequest request, @Nullable String authorization) {
                return request.target().host(); // which a SOCKS5 client has not named yet
            }

            @Override
            public List<String> challenges() {
                return List.of("Basic realm=here");
            }
        };
        try (Proxy proxy = proxy(needsTarget);
                Peer client = proxy.client()) {
            assertThat(login(client, "alice", "alice's")).isEqualTo(1);
            client.expectEnd();
            client.close();
            assertThat(events.untilClosed()).contains("refused null null by null: AUTHENTICATION_FAILED");
        }
    }

    /** Wrong credentials that come again are no new guess, and so they do not wait. */
    @Test
    void aWrongPasswordIsTheSameInBothProtocols() throws Exception {
        String pair = Base64.getEncoder().encodeToString("alice:wrong".getBytes(UTF_8));
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(users)) {
            for (int i = 0; i < 5; i++) {
                try (Peer client = proxy.client()) {
                    client.send(Http.get(origin.target(), "/", "Proxy-Authorization: Basic " + pair));
                    assertThat(client.readHead()).startsWith("HTTP/1.1 407 ");
                }
                try (Peer client = proxy.client()) {
                    assertThat(login(client, "alice", "wrong")).isEqualTo(1);
                }
            }
            assertThat(checked).as("passwords that were checked").hasSizeLessThan(10);
        }
    }

    @Test
    void guessingIsThrottled() throws Exception {
        try (Proxy proxy = proxy(users)) {
            long before = System.nanoTime();
            for (int i = 0; i < 7; i++) {
                try (Peer client = proxy.client()) {
                    assertThat(login(client, "alice", "wrong" + i)).isEqualTo(1);
                }
            }
            assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThan(Duration.ofMillis(250));
            assertThat(checked).hasSize(7);
            await().atMost(PATIENCE)
                    .until(() -> proxy.handler().stats().refused(RefusedException.Reason.AUTHENTICATION_REQUIRED) == 7);
        }
    }

    @Test
    void aClientThatMayNotComeFromItsAddressCannotLogIn() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(guarded(users)
                        .andThen(settings -> settings.accessPolicy(AccessPolicy.clients(Cidr.parse("192.0.2.0/24")))));
                Peer anonymous = proxy.client();
                Peer alice = proxy.client();
                Peer old = proxy.client().send(SocksClient.connect4(origin.target()))) {
            assertThat(SocksClient.ask(anonymous, origin.target()).code()).isEqualTo(2);
            assertThat(login(alice, "alice", "alice's")).isZero();
            assertThat(SocksClient.reply(alice.send(SocksClient.connect(origin.target())))
                            .code())
                    .isEqualTo(2);
            assertThat(SocksClient.reply4(old).code()).isEqualTo(91);
            assertThat(checked).isEmpty();
            await().atMost(PATIENCE)
                    .until(() -> proxy.handler().stats().refused(RefusedException.Reason.ACCESS_DENIED) == 3);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5})
    void aClientWhoseTlsSessionGivesAnIdentityNeedsNoPassword(int version) throws Exception {
        ServerTls tls = ServerTls.builder(Certificates.loopback().server())
                .identity(session -> "of the certificate")
                .build();
        try (Origin origin = Origin.echo();
                TlsProxy proxy = TlsProxy.start(tls, guarded(users));
                Peer client = proxy.client()) {
            if (version == 4) {
                client.send(SocksClient.connect4(origin.target()));
                assertThat(SocksClient.reply4(client).code()).isEqualTo(90);
            } else {
                SocksClient.open(client, origin.target());
            }
            assertThat(client.send("hello").readText(5)).isEqualTo("hello");
            assertThat(checked).isEmpty();
            assertThat(requests).extracting(AccessRequest::identity).containsExactly("of the certificate");
        }
    }
}
