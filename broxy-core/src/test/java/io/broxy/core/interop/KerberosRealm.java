package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.Peer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.security.auth.Subject;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.AppConfigurationEntry.LoginModuleControlFlag;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import javax.security.auth.login.LoginException;
import org.jspecify.annotations.Nullable;

/**
 * A realm of MIT Kerberos with a KDC on the loopback: the principals {@code user} and {@code HTTP/localhost}, each with a key table.
 * The test is skipped where the KDC is not installed.
 *
 * <p>The JVM reads its Kerberos settings once, so that there can be one realm in a JVM.
 */
final class KerberosRealm implements AutoCloseable {
    static final String NAME = "BROXY.TEST";

    private final Path folder;
    private final Path config;
    private final Path kdcConfig;
    private @Nullable Daemon kdc;

    private KerberosRealm(Path folder) {
        this.folder = folder;
        this.config = folder.resolve("krb5.conf");
        this.kdcConfig = folder.resolve("kdc.conf");
    }

    static KerberosRealm start(Path folder) throws IOException, InterruptedException {
        Daemon.program("krb5kdc");
        KerberosRealm realm = new KerberosRealm(folder);
        realm.kdc = Daemon.start(folder.resolve("kdc.out"), realm::prepare);
        System.setProperty("java.security.krb5.conf", realm.config.toString());
        return realm;
    }

    private List<String> prepare(int port) throws IOException {
        Files.writeString(config, """
                [libdefaults]
                    default_realm = %s
                    dns_lookup_kdc = false
                    dns_lookup_realm = false
                    dns_canonicalize_hostname = false
                    rdns = false
                    udp_preference_limit = 1
                [realms]
                    %s = {
                        kdc = 127.0.0.1:%d
                    }
                [domain_realm]
                    localhost = %s
                """.formatted(NAME, NAME, port, NAME));
        Files.writeString(kdcConfig, """
                [kdcdefaults]
                    kdc_listen = 127.0.0.1:%d
                    kdc_tcp_listen = 127.0.0.1:%d
                [realms]
                    %s = {
                        database_name = %s/principal
                        key_stash_file = %s/stash
                        supported_enctypes = aes256-cts-hmac-sha1-96:normal
                    }
                [logging]
                    kdc = FILE:%s/kdc.log
                """.formatted(port, port, NAME, folder, folder, folder));
        run("kdb5_util", "create", "-s", "-r", NAME, "-P", "master");
        kadmin("addprinc -randkey user");
        kadmin("addprinc -randkey HTTP/localhost");
        kadmin("ktadd -k " + userKeys() + " user");
        kadmin("ktadd -k " + serviceKeys() + " HTTP/localhost");
        List<String> command = new ArrayList<>(environment());
        command.addAll(List.of(Daemon.program("krb5kdc"), "-n", "-r", NAME));
        return command;
    }

    /** The beginning of a command that knows this realm. */
    List<String> environment() {
        return List.of(
                "/usr/bin/env", "KRB5_CONFIG=" + config, "KRB5_KDC_PROFILE=" + kdcConfig, "KRB5RCACHENAME=none:");
    }

    Path userKeys() {
        return folder.resolve("user.keytab");
    }

    Path serviceKeys() {
        return folder.resolve("http.keytab");
    }

    private void kadmin(String command) throws IOException {
        run("kadmin.local", "-r", NAME, "-q", command);
    }

    private void run(String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(environment());
        command.add(Daemon.program(program));
        command.addAll(List.of(arguments));
        Path log = folder.resolve("setup.log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .start();
        try {
            assertThat(process.waitFor(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .as(program)
                    .isTrue();
            assertThat(process.exitValue()).as(Files.readString(log)).isZero();
        } catch (InterruptedException e) {
            throw new IOException(e);
        } finally {
            process.destroyForcibly();
        }
    }

    /** A login of {@code user} with its key table. */
    Subject login() throws LoginException {
        return login(configuration());
    }

    /** The keys of {@code HTTP/localhost}, with which a proxy accepts tickets. */
    Subject service() throws LoginException {
        return login(withKeys(serviceKeys(), "HTTP/localhost", false));
    }

    private static Subject login(Configuration configuration) throws LoginException {
        LoginContext login = new LoginContext("any", new Subject(), null, configuration);
        login.login();
        return login.getSubject();
    }

    /** Logs {@code user} in with its key table, under whatever name. */
    Configuration configuration() {
        return withKeys(userKeys(), "user", true);
    }

    private static Configuration withKeys(Path keys, String principal, boolean initiator) {
        return configuration(Map.of(
                "useKeyTab",
                "true",
                "keyTab",
                keys.toString(),
                "principal",
                principal + "@" + NAME,
                "storeKey",
                "true",
                "isInitiator",
                String.valueOf(initiator)));
    }

    /** A login with these options of the JDK's module, which asks for nothing. */
    static Configuration configuration(Map<String, String> special) {
        Map<String, String> options = new HashMap<>(special);
        options.put("doNotPrompt", "true");
        return new Configuration() {
            @Override
            public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                return new AppConfigurationEntry[] {
                    new AppConfigurationEntry(
                            "com.sun.security.auth.module.Krb5LoginModule", LoginModuleControlFlag.REQUIRED, options)
                };
            }
        };
    }

    @Override
    public void close() {
        System.clearProperty("java.security.krb5.conf");
        if (kdc != null) {
            kdc.close();
        }
    }
}
