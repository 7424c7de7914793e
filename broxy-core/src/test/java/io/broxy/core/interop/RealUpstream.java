package io.broxy.core.interop;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.Credentials;
import io.broxy.DialException.Reason;
import io.broxy.Dialer;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyReply;
import io.broxy.Socks5Dialer;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Daemon;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Proxies that others have written, set up alike as far as they can be: one user, and one address that is forbidden. */
enum RealUpstream {
    TINYPROXY(ProxyReply.Protocol.HTTP) {
        @Override
        List<String> prepare(Path folder, int port) throws IOException {
            Path filter = Files.writeString(folder.resolve("filter"), "^127\\.0\\.0\\.2$\n");
            Path config = Files.writeString(folder.resolve("tinyproxy.conf"), """
                    Port %d
                    Listen 127.0.0.1
                    Timeout 60
                    MaxClients 100
                    BasicAuth user secret
                    Filter "%s"
                    FilterExtended On
                    """.formatted(port, filter));
            return List.of(Daemon.program("tinyproxy"), "-d", "-c", config.toString());
        }
    },

    SQUID(ProxyReply.Protocol.HTTP) {
        @Override
        List<String> prepare(Path folder, int port) throws IOException {
            return squid(folder, port, "http_port 127.0.0.1:" + port);
        }
    },

    SQUID_IN_TLS(ProxyReply.Protocol.HTTP) {
        @Override
        List<String> prepare(Path folder, int port) throws IOException {
            Path certificate = folder.resolve("certificate.pem");
            Path key = folder.resolve("key.pem");
            SquidsCertificate.ONE.writePem(certificate, key);
            String listen = "https_port 127.0.0.1:%d tls-cert=%s tls-key=%s".formatted(port, certificate, key);
            return squid(folder, port, listen);
        }

        @Override
        HttpProxyDialer.Builder http(Broxy broxy, Daemon daemon) {
            return super.http(broxy, daemon).tls(SquidsCertificate.ONE.client());
        }
    },

    /** Its users are the system's, so that none can be made for a test; with those that it does not know it is as others. */
    DANTED(ProxyReply.Protocol.SOCKS5) {
        @Override
        List<String> prepare(Path folder, int port) throws IOException {
            assumeTrue("root".equals(System.getProperty("user.name")), "danted runs for root only");
            Path config = Files.writeString(folder.resolve("danted.conf"), """
                    logoutput: stderr
                    internal: 127.0.0.1 port = %d
                    external: lo
                    clientmethod: none
                    socksmethod: username none
                    user.privileged: root
                    user.unprivileged: nobody
                    client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
                    socks block { from: 0.0.0.0/0 to: 127.0.0.2/32 }
                    socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 protocol: tcp }
                    """.formatted(port));
            return List.of(Daemon.program("danted"), "-N", "1", "-f", config.toString());
        }

        @Override
        @Nullable
        Credentials credentials() {
            return null;
        }
    },

    /** The same program, spoken to in SOCKS 4. */
    DANTED_4(ProxyReply.Protocol.SOCKS4) {
        @Override
        List<String> prepare(Path folder, int port) throws IOException {
            return DANTED.prepare(folder, port);
        }

        @Override
        @Nullable
        Credentials credentials() {
            return null;
        }
    },

    MICROSOCKS(ProxyReply.Protocol.SOCKS5) {
        @Override
        List<String> prepare(Path folder, int port) {
            String program = Daemon.program("microsocks");
            return List.of(program, "-i", "127.0.0.1", "-p", String.valueOf(port), "-u", "user", "-P", "secret");
        }
    };

    private final ProxyReply.Protocol protocol;

    RealUpstream(ProxyReply.Protocol protocol) {
        this.protocol = protocol;
    }

    /** Made once, for both sides must know it. */
    private static final class SquidsCertificate {
        static final Certificates ONE = make();

        private static Certificates make() {
            try {
                Path folder = Files.createTempDirectory("broxy-squid");
                Path file = folder.resolve("server.p12");
                try {
                    return Certificates.makeRsa(file); // with GnuTLS squid takes no other
                } finally {
                    Files.deleteIfExists(file);
                    Files.delete(folder);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static List<String> squid(Path folder, int port, String listen) throws IOException {
        Path check = Files.writeString(folder.resolve("check.sh"), """
                while read -r user password; do
                    if [ "$user $password" = "user secret" ]; then echo OK; else echo ERR; fi
                done
                """);
        Path config = Files.writeString(folder.resolve("squid.conf"), """
                %s
                pid_filename none
                visible_hostname localhost
                cache deny all
                access_log none
                cache_log /dev/null
                coredump_dir %s
                pinger_enable off
                shutdown_lifetime 0 seconds
                acl forbidden dst 127.0.0.2
                http_access deny forbidden
                auth_param basic program /bin/sh %s
                auth_param basic children 1 startup=1 idle=1
                auth_param basic realm test
                acl known proxy_auth REQUIRED
                http_access allow known
                http_access deny all
                """.formatted(listen, folder, check));
        // It reads its files as another user. The name of the service is a part of the names of its shared memory.
        return List.of(Daemon.program("squid"), "-N", "-f", config.toString(), "-n", "broxy" + port);
    }

    /** Writes its configuration, and gives the command that runs it in the foreground. */
    abstract List<String> prepare(Path folder, int port) throws IOException;

    /** Starts it; the test is skipped where it cannot be. */
    Daemon start(Path parent) throws IOException, InterruptedException {
        Path folder = Files.createDirectory(parent.resolve(name()));
        Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        return Daemon.start(folder.resolve("log"), port -> prepare(folder, port));
    }

    ProxyReply.Protocol protocol() {
        return protocol;
    }

    /** Those of the one user, or null if it wants none. */
    @Nullable
    Credentials credentials() {
        return Credentials.basic("user", "secret");
    }

    HttpProxyDialer.Builder http(Broxy broxy, Daemon daemon) {
        return broxy.httpProxyDialer(daemon.target());
    }

    /** A dialer through it with its credentials. */
    Dialer dialer(Broxy broxy, Daemon daemon, Dialer over) {
        return dialer(broxy, daemon, over, credentials());
    }

    /** A dialer through it with any credentials or none. */
    Dialer dialer(Broxy broxy, Daemon daemon, Dialer over, @Nullable Credentials credentials) {
        if (protocol == ProxyReply.Protocol.HTTP) {
            HttpProxyDialer.Builder http = http(broxy, daemon).over(over);
            return (credentials == null ? http : http.credentials(credentials)).build();
        }
        if (protocol == ProxyReply.Protocol.SOCKS4) {
            return broxy.socks4Dialer(daemon.target()).over(over).build();
        }
        Socks5Dialer.Builder socks = broxy.socks5Dialer(daemon.target()).over(over);
        return (credentials == null ? socks : socks.credentials(credentials)).build();
    }

    /** The reason of a dial's failure if nothing listens at the target: a SOCKS5 reply carries it, an HTTP status does not. */
    Reason refused() {
        return protocol == ProxyReply.Protocol.SOCKS5 ? Reason.REFUSED : Reason.PROXY_REFUSED;
    }
}
