package io.broxy.examples.clients;

import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.HeldPort;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * OpenLDAP's server on the loopback, with a port for TLS beside the plain one, and nothing in its directory.
 *
 * @param tlsPort speaks TLS from the first byte
 */
record LdapServer(Daemon daemon, int tlsPort) implements AutoCloseable {
    static final String ADMIN = "cn=admin,dc=corp,dc=invalid";
    static final String PASSWORD = "only-for-tests";

    private static final Account ACCOUNT = new Account("openldap");

    /** @param folder empty, for its data */
    static LdapServer start(Path folder) throws Exception {
        String program = Daemon.program("slapd");
        Path certificate = folder.resolve("certificate.pem");
        Path key = folder.resolve("key.pem");
        CorporateNetwork.certificates().writePem(certificate, key);
        Path config = Files.writeString(folder.resolve("slapd.conf"), """
                include /etc/ldap/schema/core.schema
                modulepath /usr/lib/ldap
                moduleload back_mdb
                TLSCertificateFile %s
                TLSCertificateKeyFile %s
                TLSVerifyClient never
                database mdb
                suffix "dc=corp,dc=invalid"
                rootdn "%s"
                rootpw %s
                directory %s
                """.formatted(
                        certificate, key, ADMIN, PASSWORD, Files.createDirectory(folder.resolve("data"))));
        ACCOUNT.own(folder);
        try (HeldPort tls = HeldPort.open()) {
            Daemon daemon = Daemon.start(
                    folder.resolve("log"),
                    port -> ACCOUNT.command(List.of(
                            program,
                            "-f",
                            config.toString(),
                            "-h",
                            "ldap://127.0.0.1:" + port + "/ ldaps://127.0.0.1:" + tls.port() + "/",
                            "-d",
                            "stats"))); // in the foreground, which level 0 is not
            return new LdapServer(daemon, tls.port());
        }
    }

    int port() {
        return daemon.target().port();
    }

    @Override
    public void close() {
        daemon.close();
    }
}
