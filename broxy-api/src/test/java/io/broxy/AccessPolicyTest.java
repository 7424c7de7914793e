package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies which ports, hosts, methods, clients and identities each built-in access policy admits, and how policies
 * combine.
 */
class AccessPolicyTest {

    private static AccessRequest to(String target) {
        return new AccessRequest(null, "GET", HostPort.parse(target), null);
    }

    private static AccessRequest from(@Nullable String client) {
        InetAddress address = client == null ? null : Literals.address(client);
        return new AccessRequest(address, "GET", HostPort.parse("a.example:80"), null);
    }

    private static AccessRequest by(@Nullable String identity) {
        return new AccessRequest(null, "GET", HostPort.parse("a.example:80"), identity);
    }

    @ParameterizedTest
    @CsvSource({"a.example:80, true", "a.example:443, true", "a.example:8080, false", "a.example:65535, false"})
    void portsAreThoseThatAreNamed(String target, boolean admitted) {
        assertThat(AccessPolicy.ports(80, 443).admits(to(target))).isEqualTo(admitted);
    }

    @ParameterizedTest
    @CsvSource({"1023, false", "1024, true", "5000, true", "65535, true"})
    void aRangeHasBothItsEnds(int port, boolean admitted) {
        assertThat(AccessPolicy.portRange(1024, 65_535).admits(to("a.example:" + port)))
                .isEqualTo(admitted);
    }

    @Test
    void onePortIsARangeToo() {
        assertThat(AccessPolicy.portRange(80, 80).admits(to("a.example:80"))).isTrue();
        assertThat(AccessPolicy.portRange(80, 80).admits(to("a.example:81"))).isFalse();
    }

    @Test
    void noPortAdmitsNothing() {
        assertThat(AccessPolicy.ports().admits(to("a.example:80"))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 65_536})
    void whatIsNoPortIsRefused(int port) {
        assertThatThrownBy(() -> AccessPolicy.ports(80, port)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> AccessPolicy.portRange(port, 80)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> AccessPolicy.portRange(80, port)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aRangeDoesNotGoBackwards() {
        assertThatThrownBy(() -> AccessPolicy.portRange(81, 80))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("81")
                .hasMessageContaining("80");
    }

    @ParameterizedTest
    @CsvSource({
        "example.com, true",
        "EXAMPLE.com, true",
        "a.example.com, true",
        "b.a.example.com, true",
        "notexample.com, false",
        "example.com.evil.test, false",
        "com, false",
        "example.org, false",
        "192.0.2.1, true",
        "192.0.2.11, false",
        "1.192.0.2.1.test, false",
        "[2001:db8::1], true",
        "[2001:db8:0:0:0:0:0:1], true",
        "[2001:db8::2], false",
        "com.test, true",
    })
    void aHostMatchesItselfAndItsSubdomains(String host, boolean admitted) {
        AccessPolicy policy = AccessPolicy.hosts("Example.COM.", "192.0.2.1", "2001:db8::1", "test-not", "com.test");

        assertThat(policy.admits(to(host + ":80"))).isEqualTo(admitted);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "http://a", "*.example.com", "a:80"})
    void whatIsNoHostIsRefused(String host) {
        assertThatThrownBy(() -> AccessPolicy.hosts(host)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void methodsAreComparedWithTheirCase() {
        AccessPolicy policy = AccessPolicy.methods("GET", "HEAD");

        assertThat(policy.admits(to("a.example:80"))).isTrue();
        assertThat(policy.admits(new AccessRequest(null, "get", HostPort.parse("a.example:80"), null)))
                .isFalse();
        assertThat(policy.admits(new AccessRequest(null, "CONNECT", HostPort.parse("a.example:80"), null)))
                .isFalse();
    }

    @Test
    void clientsAreInTheirBlocks() {
        AccessPolicy policy = AccessPolicy.clients(Cidr.parse("192.0.2.0/24"), Cidr.parse("2001:db8::/32"));

        assertThat(policy.admits(from("192.0.2.255"))).isTrue();
        assertThat(policy.admits(from("192.0.3.0"))).isFalse();
        assertThat(policy.admits(from("2001:db8:ffff::1"))).isTrue();
        assertThat(policy.admits(from("2001:db9::1"))).isFalse();
        assertThat(policy.admits(from(null))).as("without an address").isFalse();
    }

    @Test
    void identitiesAreThoseThatAreNamed() {
        AccessPolicy policy = AccessPolicy.identities("one", "two");

        assertThat(policy.admits(by("one"))).isTrue();
        assertThat(policy.admits(by("One"))).isFalse();
        assertThat(policy.admits(by(null))).isFalse();
    }

    @Test
    void policiesAreCombined() {
        AccessPolicy policy = AccessPolicy.ports(80)
                .and(AccessPolicy.hosts("internal.example").negate())
                .or(AccessPolicy.identities("backup"));

        assertThat(policy.admits(to("a.example:80"))).isTrue();
        assertThat(policy.admits(to("a.example:81"))).isFalse();
        assertThat(policy.admits(to("x.internal.example:80"))).isFalse();
        assertThat(policy.admits(new AccessRequest(null, "GET", HostPort.parse("x.internal.example:81"), "backup")))
                .isTrue();
        assertThat(AccessPolicy.any().negate().admits(to("a.example:80"))).isFalse();
        assertThat(AccessPolicy.any().negate().negate()).isSameAs(AccessPolicy.any());
    }

    @Test
    void aClientIsRefusedForItsAddressWhereNothingElseMatters() throws UnknownHostException {
        AccessPolicy inside = AccessPolicy.clients(Cidr.parse("192.0.2.0/24"));
        AccessPolicy staff = AccessPolicy.identities("staff");

        assertThat(refused(inside, "192.0.2.1")).isFalse();
        assertThat(refused(inside, "192.0.3.1")).isTrue();
        assertThat(refused(inside, null)).as("without an address").isTrue();
        assertThat(refused(inside.negate(), "192.0.2.1")).isTrue();
        assertThat(refused(inside.negate(), "192.0.3.1")).isFalse();
        assertThat(refused(inside.and(staff), "192.0.3.1")).isTrue();
        assertThat(refused(staff.and(inside), "192.0.3.1")).isTrue();
        assertThat(refused(staff.and(inside), "192.0.2.1"))
                .as("the identity decides")
                .isFalse();
        assertThat(refused(inside.or(staff), "192.0.3.1"))
                .as("the identity decides")
                .isFalse();
        assertThat(refused(inside.or(staff).negate(), "192.0.2.1")).isTrue();
        assertThat(refused(inside.or(staff).negate(), "192.0.3.1")).isFalse();
        assertThat(refused(inside.and(staff).negate(), "192.0.2.1")).isFalse();
        assertThat(refused(inside.and(AccessPolicy.any()).negate(), "192.0.2.1"))
                .isTrue();
        assertThat(refused(AccessPolicy.any(), "192.0.2.1")).isFalse();
        assertThat(refused(AccessPolicy.any().negate(), "192.0.2.1")).isTrue();
        assertThat(refused(AccessPolicy.ports(80).negate(), "192.0.2.1")).isFalse();
        assertThat(refused(request -> false, "192.0.2.1")).as("an own policy").isFalse();
    }

    private static boolean refused(AccessPolicy policy, @Nullable String client) throws UnknownHostException {
        return policy.refusesClient(client == null ? null : InetAddress.getByName(client));
    }

    @Test
    void theSecondIsAskedOnlyIfItMatters() {
        AccessPolicy never = request -> {
            throw new AssertionError("asked");
        };

        assertThat(AccessPolicy.any().or(never).admits(to("a.example:80"))).isTrue();
        assertThat(AccessPolicy.any().negate().and(never).admits(to("a.example:80")))
                .isFalse();
    }

    @Test
    void itShowsWhatItAdmits() {
        assertThat(AccessPolicy.ports(80, 443)
                        .and(AccessPolicy.hosts("a.example").negate())
                        .or(AccessPolicy.methods("GET"))
                        .toString())
                .isEqualTo("((ports {80, 443} and not hosts [a.example]) or methods [GET])");
        assertThat(List.of(AccessPolicy.any(), AccessPolicy.identities("a")).toString())
                .isEqualTo("[any request, identities [a]]");
    }
}
