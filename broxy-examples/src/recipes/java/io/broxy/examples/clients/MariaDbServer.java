package io.broxy.examples.clients;

import io.broxy.core.testkit.Daemon;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A MariaDB server on the loopback, with TLS, a database {@code orders}, and a user {@code app} with {@link #PASSWORD}. */
final class MariaDbServer {
    static final String PASSWORD = "only-for-tests";

    private static final Account ACCOUNT = new Account("mysql");

    private MariaDbServer() {}

    /** @param folder empty, for its data */
    static Daemon start(Path folder) throws Exception {
        String program = Daemon.program("mariadbd");
        Path data = Files.createDirectory(folder.resolve("data"));
        Path certificate = folder.resolve("certificate.pem");
        Path key = folder.resolve("key.pem");
        CorporateNetwork.certificates().writePem(certificate, key);
        Path first = Files.writeString(folder.resolve("first.sql"), """
                CREATE DATABASE IF NOT EXISTS orders;
                CREATE USER IF NOT EXISTS app@'127.0.0.1' IDENTIFIED BY '%s';
                GRANT ALL ON *.* TO app@'127.0.0.1';
                """.formatted(PASSWORD));
        ACCOUNT.own(folder);
        Commands.run(
                folder,
                ACCOUNT.command(List.of(
                        Daemon.program("mariadb-install-db"),
                        "--no-defaults",
                        "--datadir=" + data,
                        "--skip-test-db",
                        "--auth-root-authentication-method=normal")));
        return Daemon.start(
                folder.resolve("log"),
                port -> ACCOUNT.command(List.of(
                        program,
                        "--no-defaults",
                        "--datadir=" + data,
                        "--socket=" + folder.resolve("socket"),
                        "--pid-file=" + folder.resolve("pid"),
                        "--bind-address=127.0.0.1",
                        "--port=" + port,
                        "--skip-name-resolve",
                        "--max-connections=230",
                        "--innodb-flush-log-at-trx-commit=0",
                        "--innodb-log-file-size=16M",
                        "--init-file=" + first,
                        "--ssl-cert=" + certificate,
                        "--ssl-key=" + key)));
    }
}
