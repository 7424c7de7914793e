package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.HostPort;
import io.broxy.core.SocketRegistration;
import io.broxy.core.testkit.BlackHole;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import javax.naming.NamingException;
import javax.naming.directory.BasicAttribute;
import javax.naming.directory.BasicAttributes;
import javax.naming.directory.DirContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies the JDK's LDAP client through a dialer, with OpenLDAP's server. */
class LdapTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private static LdapServer server;

    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        server = LdapServer.start(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        Servers.stop(server);
    }

    @ParameterizedTest
    @EnumSource
    void writesAndReads(CorporateNetwork.Via via) throws Exception {
        assertWritesAndReads(via, "ldap", server.port());
    }

    @ParameterizedTest
    @EnumSource
    void speaksTls(CorporateNetwork.Via via) throws Exception {
        assertWritesAndReads(via, "ldaps", server.tlsPort());
    }

    @SuppressWarnings("BanJNDI") // it reads strings
    private static void assertWritesAndReads(CorporateNetwork.Via via, String scheme, int port) throws Exception {
        try (CorporateNetwork network = CorporateNetwork.open();
                SocketRegistration registration = network.register(via)) {
            DirContext context = LdapRecipe.connect(url(scheme, port), LdapServer.ADMIN, LdapServer.PASSWORD, TIMEOUT);
            try {
                BasicAttribute classes = new BasicAttribute("objectClass", "organization");
                classes.add("dcObject");
                BasicAttributes attributes = new BasicAttributes();
                attributes.put(classes);
                attributes.put("o", "corp");
                attributes.put("dc", "corp");
                attributes.put("description", "hello");
                context.createSubcontext("dc=corp,dc=invalid", attributes).close();

                assertThat(context.getAttributes("dc=corp,dc=invalid")
                                .get("description")
                                .get())
                        .isEqualTo("hello");
                context.destroySubcontext("dc=corp,dc=invalid");
            } finally {
                context.close();
            }
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, port));
        }
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient();
                SocketRegistration registration = network.register(CorporateNetwork.Via.HTTP)) {
            assertThatThrownBy(() -> LdapRecipe.connect(
                            url("ldap", hole.target().port()),
                            LdapServer.ADMIN,
                            LdapServer.PASSWORD,
                            Duration.ofMillis(200)))
                    .isInstanceOf(NamingException.class)
                    .hasRootCauseInstanceOf(SocketTimeoutException.class);
        }
    }

    private static String url(String scheme, int port) {
        return scheme + "://" + CorporateNetwork.HOST + ":" + port;
    }
}
