package io.broxy.core.dialing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.AddressPolicy;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies how a dialer replaces cached addresses that no longer work. */
@ExtendWith(LeakCheck.class)
class OutdatedAddressesTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final String HOST = "db.example";

    /** A way to dial. */
    private enum Way {
        BLOCKING {
            @Override
            Connection dial(DirectDialer dialer, DialRequest request) throws DialException {
                return dialer.dial(request);
            }
        },
        ASYNCHRONOUS {
            @Override
            Connection dial(DirectDialer dialer, DialRequest request) throws DialException {
                try {
                    return dialer.dialAsync(request, Runnable::run).join();
                } catch (CompletionException e) {
                    throw (DialException) e.getCause();
                }
            }
        };

        abstract Connection dial(DirectDialer dialer, DialRequest request) throws DialException;
    }

    private final AtomicInteger lookUps = new AtomicInteger();
    private volatile List<String> addresses = List.of();
    private Broxy broxy;
    private DirectDialer dialer;
    /** Takes connections at 127.0.0.1; the same port of other addresses of the loopback is bound, and refuses them. */
    private Origin origin;

    private final List<Socket> bound = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        broxy = Broxy.builder().eventLoops(1).build();
        do {
            origin = Origin.start(InetAddress.getLoopbackAddress(), Peer::expectEnd);
        } while (!holdsItsPortElsewhere());
        dialer = broxy.directDialer()
                .resolver(host -> {
                    lookUps.incrementAndGet();
                    List<InetAddress> answer = new ArrayList<>();
                    for (String address : addresses) {
                        answer.add(InetAddress.getByName(address));
                    }
                    if (answer.isEmpty()) {
                        throw new UnknownHostException(host);
                    }
                    return answer;
                })
                .build();
    }

    /** Binds the origin's port at the other addresses. If something has it there, ends the origin and returns false. */
    private boolean holdsItsPortElsewhere() throws IOException {
        for (String address : List.of("127.0.0.2", "127.0.0.3")) {
            Socket refusing = new Socket();
            bound.add(refusing);
            try {
                refusing.bind(at(address));
            } catch (BindException e) {
                origin.close();
                return false;
            }
        }
        return true;
    }

    @AfterEach
    void end() throws IOException {
        broxy.close();
        origin.close();
        for (Socket socket : bound) {
            socket.close();
        }
    }

    private DialRequest request() {
        return DialRequest.builder(HostPort.of(HOST, origin.port()))
                .timeout(PATIENCE)
                .build();
    }

    private void say(String... now) {
        addresses = List.of(now);
    }

    private void dial(Way way) throws IOException {
        way.dial(dialer, request()).close();
    }

    private DialException failure(Way way) {
        return catchThrowableOfType(DialException.class, () -> dial(way));
    }

    private SocketAddress at(String address) {
        return new InetSocketAddress(address, origin.port());
    }

    private static List<SocketAddress> tried(DialException failure) {
        return failure.attempts().stream().map(DialException.Attempt::address).toList();
    }

    @ParameterizedTest
    @EnumSource
    void aNameWhoseKeptAddressFailsIsLookedUpOnceMore(Way way) throws Exception {
        say("127.0.0.2");
        assertThat(failure(way).reason()).isEqualTo(DialException.Reason.REFUSED);
        assertThat(lookUps).as("the answer was new").hasValue(1);

        say("127.0.0.1");
        dial(way);

        assertThat(lookUps).hasValue(2);
        dial(way);
        assertThat(lookUps).as("the new answer is kept").hasValue(2);
    }

    @ParameterizedTest
    @EnumSource
    void aNameOfWhichAllKeptAddressesFailIsLookedUpOnceMore(Way way) throws Exception {
        say("127.0.0.2", "127.0.0.3");
        failure(way);

        say("127.0.0.2", "127.0.0.1", "127.0.0.3");
        dial(way);

        assertThat(lookUps).hasValue(2);
    }

    @ParameterizedTest
    @EnumSource
    void addressesThatHaveJustFailedAreNotTriedAgainAndAllAttemptsAreReported(Way way) {
        say("127.0.0.2");
        failure(way);

        DialException same = failure(way);
        assertThat(lookUps).hasValue(2);
        assertThat(same.reason()).isEqualTo(DialException.Reason.REFUSED);
        assertThat(tried(same)).containsExactly(at("127.0.0.2"));

        say("127.0.0.2", "127.0.0.3");
        DialException other = failure(way);
        assertThat(lookUps).hasValue(3);
        assertThat(tried(other)).containsExactly(at("127.0.0.2"), at("127.0.0.3"));
        assertThat(other.reason()).isEqualTo(DialException.Reason.REFUSED);
    }

    @ParameterizedTest
    @EnumSource
    void aSecondLookUpThatFindsNothingLeavesTheFirstFailure(Way way) {
        say("127.0.0.2");
        failure(way);
        say();

        DialException failure = failure(way);

        assertThat(lookUps).hasValue(2);
        assertThat(failure.reason()).isEqualTo(DialException.Reason.REFUSED);
        assertThat(tried(failure)).containsExactly(at("127.0.0.2"));
    }

    /** Else a client could have a name looked up with each request for an address that is denied to it. */
    @ParameterizedTest
    @EnumSource
    void aDenialIsNoReasonToLookUpAgain(Way way) throws Exception {
        say("127.0.0.1");
        dial(way);
        DialRequest denied =
                request().toBuilder().addressPolicy(AddressPolicy.publicOnly()).build();

        DialException failure = catchThrowableOfType(
                DialException.class, () -> way.dial(dialer, denied).close());

        assertThat(failure.reason()).isEqualTo(DialException.Reason.DENIED);
        assertThat(lookUps).hasValue(1);
    }

    @ParameterizedTest
    @EnumSource
    void theSecondLookUpKeepsToTheDialsTime(Way way) throws Exception {
        AtomicInteger asked = new AtomicInteger();
        DirectDialer slow = broxy.directDialer()
                .resolver(host -> {
                    if (asked.getAndIncrement() > 0) {
                        try {
                            new CountDownLatch(1).await();
                        } catch (InterruptedException e) {
                            throw new UnknownHostException(host);
                        }
                    }
                    return List.of(InetAddress.getByName("127.0.0.2"));
                })
                .build();
        assertThatExceptionOfType(DialException.class)
                .isThrownBy(() -> way.dial(slow, request()).close());

        DialRequest hurried =
                request().toBuilder().timeout(Duration.ofMillis(200)).build();
        DialException failure = catchThrowableOfType(
                DialException.class, () -> way.dial(slow, hurried).close());

        assertThat(failure.reason()).isEqualTo(DialException.Reason.TIMEOUT);
        assertThat(tried(failure)).containsExactly(at("127.0.0.2"));
        assertThat(failure).cause().hasMessageContaining("looking up the name took too long");
    }

    @Test
    void aHandlersDialsDoSoToo() throws Exception {
        ProxyHandler handler = broxy.proxyHandler()
                .dialer(dialer)
                .addressPolicy(AddressPolicy.any())
                .build();
        ProxyServer server = broxy.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), handler);
        say("127.0.0.2");
        try (Peer client = Peer.connect(server.localAddress())) {
            client.send(Proxy.connectHead(request().target()));
            assertThat(client.readHead()).startsWith("HTTP/1.1 502");
        }
        say("127.0.0.1");
        try (Peer client = Peer.connect(server.localAddress())) {
            client.send(Proxy.connectHead(request().target()));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200");
        }
        assertThat(lookUps).hasValue(2);
    }

    // ------------------------------------------------------------------ forgetting

    @Test
    void aNameThatIsForgottenIsLookedUpAgainWhateverWasKept() throws Exception {
        say();
        assertThat(failure(Way.BLOCKING).reason()).isEqualTo(DialException.Reason.RESOLVE);
        say("127.0.0.1");
        assertThat(failure(Way.BLOCKING).reason()).as("kept").isEqualTo(DialException.Reason.RESOLVE);

        dialer.forget(HOST);
        dial(Way.BLOCKING);
        dialer.forget("DB.Example.");
        dial(Way.ASYNCHRONOUS);
        dialer.forget(HostPort.of(HOST, 1));
        dial(Way.BLOCKING);
        dial(Way.BLOCKING);

        assertThat(lookUps).hasValue(4);
    }

    @Test
    void forgettingWhatIsNotKeptChangesNothingAndWhatIsNoHostIsRefused() {
        dialer.forget("unknown.example");
        dialer.forget("192.0.2.1");
        dialer.forget("2001:db8::1");

        assertThatIllegalArgumentException().isThrownBy(() -> dialer.forget("no host"));
        assertThat(lookUps).hasValue(0);
    }

    // ------------------------------------------------------------------ resolvers that fail

    @Test
    void aResolverThatFailsIsAskedAgainAndTheFailureHasItsCause() throws Exception {
        List<Throwable> faults = List.of(new IllegalStateException("a bug"), new AssertionError("another"));
        AtomicInteger asked = new AtomicInteger();
        DirectDialer failing = broxy.directDialer()
                .resolver(host -> {
                    int at = asked.getAndIncrement();
                    if (at == 0) {
                        throw (RuntimeException) faults.get(0);
                    } else if (at == 1) {
                        throw (Error) faults.get(1);
                    }
                    return at == 2
                            ? List.of()
                            : at == 3 ? Arrays.asList((InetAddress) null) : List.of(InetAddress.getLoopbackAddress());
                })
                .build();
        for (int i = 0; i < 4; i++) {
            DialException failure = catchThrowableOfType(
                    DialException.class, () -> failing.dial(request()).close());
            assertThat(failure.reason()).isEqualTo(DialException.Reason.RESOLVE);
            if (i < 2) {
                assertThat(failure).hasCause(faults.get(i));
            } else {
                assertThat(failure).cause().hasMessageContaining(i == 2 ? "no address" : "null address");
            }
        }

        failing.dial(request()).close();
        assertThat(asked).hasValue(5);
    }
}
