package io.broxy.core.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.net.ClientNetwork;
import io.broxy.core.internal.proxy.CountLimit.Verdict;
import io.broxy.core.testkit.ManualTicker;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies how the connections of one client are counted and capped, and which addresses are one client. */
class ClientSharesTest {
    private final ManualTicker ticker = new ManualTicker();

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void beyondTheCapAFewAreRefusedAndTheRestIsClosed() {
        ClientShares shares = new ClientShares(2, 0, ticker);
        List<Verdict> verdicts = new ArrayList<>();
        for (int i = 0; i < 2 + ClientShares.MAX_REFUSALS + 1; i++) {
            verdicts.add(shares.enter(address("192.0.2.1")).verdict());
        }

        assertThat(verdicts.subList(0, 2)).containsOnly(Verdict.ADMITTED);
        assertThat(verdicts.subList(2, 2 + ClientShares.MAX_REFUSALS)).containsOnly(Verdict.FULL);
        assertThat(verdicts.get(2 + ClientShares.MAX_REFUSALS)).isEqualTo(Verdict.OVERFULL);
        assertThat(shares.enter(address("192.0.2.2")).verdict()).isEqualTo(Verdict.ADMITTED);
    }

    @Test
    void aConnectionThatLeavesMakesRoomForItsKindAndTheLastOneIsForgotten() {
        ClientShares shares = new ClientShares(1, 0, ticker);
        ClientShares.Place served = shares.enter(address("192.0.2.1"));
        ClientShares.Place told = shares.enter(address("192.0.2.1"));

        told.leave();
        assertThat(shares.enter(address("192.0.2.1")).verdict()).isEqualTo(Verdict.FULL);
        served.leave();
        assertThat(shares.enter(address("192.0.2.1")).verdict()).isEqualTo(Verdict.ADMITTED);
        assertThat(shares.clients()).isEqualTo(1);
    }

    @Test
    void aClientWithoutAConnectionIsNotKnown() {
        ClientShares shares = new ClientShares(1, 1_000, ticker);
        for (int i = 0; i < 100; i++) {
            shares.enter(address("192.0.2." + i)).leave();
        }

        assertThat(shares.clients()).isZero();
    }

    @Test
    void theAddressesOfOneIpv6NetworkAreOneClient() {
        ClientShares shares = new ClientShares(2, 1_000, ticker);
        ClientShares.Place first = shares.enter(address("2001:db8:0:1::1"));
        ClientShares.Place neighbour = shares.enter(address("2001:db8:0:1:ffff::2"));

        assertThat(shares.enter(address("2001:db8:0:1:ffff::3")).verdict()).isEqualTo(Verdict.FULL);
        assertThat(neighbour.toClient()).isNotNull().isSameAs(first.toClient());
        assertThat(first.toOrigin()).isNotNull().isNotSameAs(first.toClient());
        assertThat(shares.enter(address("2001:db8:0:2::1")).verdict()).isEqualTo(Verdict.ADMITTED);
    }

    @Test
    void anIpv4AddressIsNoIpv6NetworkOfTheSameBits() {
        assertThat(ClientNetwork.of(address("0.0.0.1"))).isNotEqualTo(ClientNetwork.of(address("0:0:0:1::")));
        assertThat(ClientNetwork.of(address("::ffff:192.0.2.1"))).isEqualTo(ClientNetwork.of(address("192.0.2.1")));
    }
}
