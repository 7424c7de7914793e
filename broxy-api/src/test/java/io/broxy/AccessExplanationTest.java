package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Specifies what access policies say about their decisions. */
class AccessExplanationTest {
    private static final AccessRequest REQUEST = new AccessRequest(
            Literals.address("10.1.2.3"), "CONNECT", HostPort.of("db.internal.example", 5432), "alice");

    private static String explain(AccessPolicy policy) {
        return policy.explain(REQUEST);
    }

    @Test
    void eachPolicyNamesWhatItDecidesBy() {
        assertThat(explain(AccessPolicy.any())).isEqualTo("every request is admitted");
        assertThat(explain(AccessPolicy.ports(443, 80))).isEqualTo("port 5432 is none of 80, 443");
        assertThat(explain(AccessPolicy.portRange(5_000, 6_000))).isEqualTo("port 5432 is one of 5000-6000");
        assertThat(explain(AccessPolicy.ports())).isEqualTo("port 5432 is none of no ports");
        assertThat(explain(AccessPolicy.hosts("other.example", "b.example")))
                .isEqualTo("db.internal.example is none of b.example, other.example");
        assertThat(explain(AccessPolicy.hosts("internal.example")))
                .isEqualTo("db.internal.example is below internal.example, which is one of internal.example");
        assertThat(explain(AccessPolicy.hosts("db.internal.example")))
                .isEqualTo("db.internal.example is one of db.internal.example");
        assertThat(explain(AccessPolicy.methods("GET"))).isEqualTo("method \"CONNECT\" is none of GET");
        assertThat(explain(AccessPolicy.clients(Cidr.parse("10.0.0.0/8"))))
                .isEqualTo("client 10.1.2.3 is in the allowed block 10.0.0.0/8");
        assertThat(explain(AccessPolicy.identities("bob"))).isEqualTo("the identity is none of bob");
    }

    @Test
    void whatIsMissingIsSaid() {
        AccessRequest nobody = new AccessRequest(null, "GET", HostPort.of("example.org", 80), null);
        assertThat(AccessPolicy.clients(Cidr.parse("10.0.0.0/8")).explain(nobody))
                .isEqualTo("the client has no address");
        assertThat(AccessPolicy.identities("bob").explain(nobody)).isEqualTo("the client has no identity");
    }

    @Test
    void aLongListIsCounted() {
        AccessPolicy many = AccessPolicy.hosts(IntStream.range(0, 3_000)
                .mapToObj(i -> "host-" + i + ".example")
                .toList());
        assertThat(explain(many)).isEqualTo("db.internal.example is none of 3000 hosts");
    }

    @Test
    void combinedPoliciesSayWhichOperandDecides() {
        AccessPolicy port = AccessPolicy.ports(5432);
        AccessPolicy host = AccessPolicy.hosts("example.org");
        String ofPort = explain(port);
        String ofHost = explain(host);
        assertThat(explain(port.and(host))).isEqualTo(ofHost);
        assertThat(explain(host.and(port))).isEqualTo(ofHost);
        assertThat(explain(port.and(port))).isEqualTo(ofPort + ", and " + ofPort);
        assertThat(explain(host.or(port))).isEqualTo(ofPort);
        assertThat(explain(port.or(host))).isEqualTo(ofPort);
        assertThat(explain(host.or(host))).isEqualTo(ofHost + ", and " + ofHost);
        assertThat(explain(port.negate())).isEqualTo(ofPort + ", which is refused");
        assertThat(explain(host.negate())).isEqualTo(ofHost + ", which is admitted");
        assertThat(explain(port.negate().negate())).isEqualTo(ofPort);
    }

    @Test
    void aPolicyOfTheApplicationSaysOnlyWhatItDecides() {
        AccessPolicy odd = request -> request.target().port() % 2 == 1;
        assertThat(explain(odd)).isEqualTo("the access policy refuses the request");
        assertThat(explain(odd.or(AccessPolicy.ports(5432)))).isEqualTo("port 5432 is one of 5432");
    }
}
