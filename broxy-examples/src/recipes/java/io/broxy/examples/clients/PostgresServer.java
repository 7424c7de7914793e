package io.broxy.examples.clients;

import static org.junit.jupiter.api.Assumptions.abort;

import io.broxy.core.testkit.Daemon;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;

/** A PostgreSQL server on the loopback, with TLS. Its superuser is {@code app}, and needs no password. */
final class PostgresServer {
    private static final Account ACCOUNT = new Account("postgres");
    private static final int MAX_CONNECTIONS = 230;

    private PostgresServer() {}

    /** @param folder empty, for its data */
    static Daemon start(Path folder) throws Exception {
        Path program = program();
        Path data = folder.resolve("data");
        Path key = folder.resolve("key.pem");
        CorporateNetwork.certificates().writePem(folder.resolve("certificate.pem"), key);
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        ACCOUNT.own(folder);
        Commands.run(
                folder,
                ACCOUNT.command(List.of(
                        program.resolveSibling("initdb").toString(),
                        "--pgdata=" + data,
                        "--username=app",
                        "--auth=trust",
                        "--no-sync",
                        "--locale=C",
                        "--encoding=UTF8")));
        return Daemon.start(
                folder.resolve("log"),
                port -> ACCOUNT.command(List.of(
                        program.toString(),
                        "-D",
                        data.toString(),
                        "-p",
                        String.valueOf(port),
                        "-c",
                        "listen_addresses=127.0.0.1",
                        "-c",
                        "unix_socket_directories=",
                        "-c",
                        "max_connections=" + MAX_CONNECTIONS,
                        "-c",
                        "fsync=off",
                        "-c",
                        "ssl=on",
                        "-c",
                        "ssl_cert_file=" + folder.resolve("certificate.pem"),
                        "-c",
                        "ssl_key_file=" + key)));
    }

    /** Debian keeps the programs of each version in a folder of its own, and not on the path. */
    private static Path program() throws IOException {
        Path versions = Path.of("/usr/lib/postgresql");
        if (!Files.isDirectory(versions)) {
            return Path.of(Daemon.program("postgres"));
        }
        try (Stream<Path> all = Files.list(versions)) {
            return all.map(version -> version.resolve("bin/postgres"))
                    .filter(Files::isExecutable)
                    .max(Path::compareTo)
                    .orElseGet(() -> abort("postgresql is not installed"));
        }
    }
}
