package io.broxy.examples.clients;

import io.broxy.core.testkit.Daemon;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * OpenSSH's server on the loopback, for the account that runs the test and one key.
 *
 * @param key the client's, without a passphrase
 * @param hostKey the server's public one
 */
record SshServer(Daemon daemon, Path key, Path hostKey) implements AutoCloseable {
    private static final Path SEPARATION = Path.of("/run/sshd");

    /** @param folder empty, for its keys */
    static SshServer start(Path folder) throws Exception {
        String program = Daemon.program("sshd");
        String keygen = Daemon.program("ssh-keygen");
        Path hostKey = folder.resolve("host");
        Path key = folder.resolve("client");
        for (Path file : List.of(hostKey, key)) {
            Commands.run(folder, List.of(keygen, "-q", "-t", "ecdsa", "-N", "", "-f", file.toString()));
        }
        if ("root".equals(System.getProperty("user.name"))) {
            Files.createDirectories(SEPARATION); // sshd wants it from root, and the system's own start makes it
        }
        Path config = folder.resolve("sshd_config");
        Daemon daemon = Daemon.start(folder.resolve("log"), port -> {
            Files.writeString(config, """
                    Port %d
                    ListenAddress 127.0.0.1
                    HostKey %s
                    AuthorizedKeysFile %s.pub
                    PidFile none
                    StrictModes no
                    UsePAM no
                    PasswordAuthentication no
                    PermitRootLogin prohibit-password
                    MaxStartups 300
                    Subsystem sftp internal-sftp
                    """.formatted(port, hostKey, key));
            return List.of(program, "-D", "-e", "-f", config.toString());
        });
        return new SshServer(daemon, key, folder.resolve("host.pub"));
    }

    static String user() {
        return System.getProperty("user.name");
    }

    int port() {
        return daemon.target().port();
    }

    @Override
    public void close() {
        daemon.close();
    }
}
